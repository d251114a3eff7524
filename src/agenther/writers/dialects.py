"""What the dialects of several consumers need: turns reshaped without adding a word, and the metadata of a row.

Nothing here knows a consumer. Where a run cannot be said in a dialect, a WriteError says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import cast

from agenther.conclusions import Example
from agenther.errors import WriteError
from agenther.preferences import Contrast, Pair, Unpaired
from agenther.record import Json, JsonObject
from agenther.writers.base import Trainable, json_text
from agenther.writers.turns import bind_calls, calls_of, function_of

_REACHED = "the run reaches the goal of the first conversation and fails that of the second"


def trained_part(example: Example) -> list[JsonObject]:
    """Return the messages of an example, with their `step`, up to the last agent turn that carries loss."""
    carries = [is_agent(m) and m.get("step") in example.train_on for m in example.messages]
    if True not in carries:
        raise WriteError(f"{example.id}: expected loss on an agent turn, found none")
    return list(example.messages[: len(carries) - carries[::-1].index(True)])


def masked_steps(example: Example, messages: Iterable[JsonObject]) -> list[Json]:
    """Return the agent steps among some messages of an example that carry no loss."""
    agent = {cast(int, m["step"]) for m in messages if is_agent(m)}
    return cast(list[Json], sorted(agent - set(example.train_on)))


def is_agent(message: JsonObject) -> bool:
    """Tell whether a message is a turn of the agent."""
    return message.get("role") == "assistant"


def bound_turns(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """Return messages with calls bound to their results; user turns in a row are one, blank lines between them."""
    joined: list[JsonObject] = []
    for message in bind_calls(messages):
        if joined and message["role"] == joined[-1]["role"] == "user":
            joined[-1]["content"] = f"{joined[-1]['content']}\n\n{message['content']}"
        else:
            joined.append(message)
    return joined


def system_text(messages: Iterable[JsonObject]) -> str:
    """Return all system turns as one text."""
    return "\n\n".join(str(m["content"]) for m in messages if m["role"] == "system")


def words_of(message: JsonObject, before: str = "<think>\n", after: str = "\n</think>\n\n") -> str:
    """Return what the agent says in a turn, its thinking between marks in front."""
    thinking = message.get("reasoning_content")
    return (f"{before}{thinking}{after}" if thinking else "") + str(message["content"])


def call_json(call: JsonObject, where: str) -> str:
    """Return a call as {"name", "arguments"}, the arguments as the agent wrote them.

    Raises:
        WriteError: they are no JSON object.
    """
    function = function_of(call)
    written = str(function.get("arguments", ""))
    arguments_of(call, where)
    return f'{{"name": {json.dumps(function.get("name"), ensure_ascii=False)}, "arguments": {written}}}'


def arguments_of(call: JsonObject, where: str) -> JsonObject:
    """Return the arguments of a call.

    Raises:
        WriteError: they are no JSON object.
    """
    written = str(function_of(call).get("arguments", ""))
    try:
        parsed: Json = json.loads(written, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        parsed = written
    if not isinstance(parsed, dict):
        raise WriteError(f"{where}: expected arguments that are a JSON object, found {written!r:.60}")
    return parsed


def _refuse_constant(name: str) -> Json:
    raise ValueError(name)


def refuse_results_before_user(messages: Sequence[JsonObject], where: str) -> None:
    """Raise WriteError where a user speaks right after a result: dialects that alternate have no place for it."""
    for number, (one, other) in enumerate(pairwise(messages)):
        if one["role"] == "tool" and other["role"] == "user":
            raise WriteError(f"{where}[{number + 1}]: expected an agent turn after a result, found a user turn")


def one_turn(record: Pair, side: Sequence[JsonObject], instead: str) -> JsonObject:
    """Return the only turn of a continuation.

    A pair says that one run is better than another, not that its first step is; so longer ones are not shortened.

    Args:
        record: the pair.
        side: one of its continuations.
        instead: the consumers that take longer ones.

    Raises:
        WriteError: it has more than one.
    """
    if len(side) != 1:
        raise WriteError(
            f"{record.id}: expected continuations of one agent turn, found {len(side)} messages; {instead} take them whole"
        )
    return side[0]


def last_turn(record: Unpaired, instead: str) -> tuple[list[JsonObject], JsonObject]:
    """Return everything before the last turn of a labelled run, and that turn, where the label holds for it alone.

    In a desirable run it does. In a failed one only where the agent ended the run with it in words, or did nothing else:
    a call that a step limit made the last may have been right.

    Raises:
        WriteError: the label is of the whole run.
    """
    *before, last = (*record.prompt, *record.completion)
    n_turns = sum(map(is_agent, record.completion))
    if not record.label and n_turns > 1 and calls_of(last):
        raise WriteError(
            f"{record.id}: expected a failed run that its agent ended in words, found a call at the end; {instead} take it whole"
        )
    return before, last


def metadata(record: Trainable, **more: Json) -> str:
    """Return where a row comes from, as one JSON string."""
    common: JsonObject = {"id": record.id, "task_id": record.task_id}
    match record:
        case Example():
            own: JsonObject = {
                "trajectory_id": record.trajectory_id,
                "origin": record.origin,
                "domain": record.domain,
                "strategy": record.strategy,
            }
        case Pair():
            own = about_pair(record)
        case Unpaired():
            own = {"kind": record.kind, "trajectory_id": record.trajectory_id}
        case Contrast():
            own = {
                "kind": "goal_contrast",
                "sides": record.sides,
                "trajectory_id": record.trajectory_id,
                "why": _REACHED,
            }
    return json_text({**common, **own, "weight": record.weight, **more})


def about_pair(pair: Pair) -> JsonObject:
    """Return which kind a pair is, why its chosen side is better, and where that shows."""
    return {
        "kind": pair.kind,
        "why": pair.why,
        "outcome_inferred": pair.outcome_inferred,
        "evidence": [
            cast(Json, {"trajectory_id": one.trajectory_id, **one.span.model_dump()}) for one in pair.evidence
        ],
        "chosen_trajectory": pair.chosen_trajectory,
        "rejected_trajectory": pair.rejected_trajectory,
    }


def list_of(messages: Sequence[JsonObject]) -> Json:
    """Return messages as the value of a column."""
    return cast(Json, list(messages))
