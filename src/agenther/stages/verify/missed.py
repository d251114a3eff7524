"""Does another run of the same task demonstrably miss a hindsight goal? Said by its own observations alone.

A run that was asked for something else may still reach the goal. So a check of a domain says that it does not, or nothing:
where results may be cut, where a call may hide what it did, where an answer could be put otherwise, it says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from agenther.conclusions import Example
from agenther.stages.detect.errors import error_at
from agenther.stages.extract import household as household_claims
from agenther.stages.language import household
from agenther.stages.language.household import sort_of
from agenther.stages.language.shell.calls import command_of, observation_of
from agenther.stages.language.shell.effects import is_read_only
from agenther.stages.language.shell.meaning import Ask
from agenther.stages.language.shell.output import MOST_CHARS, is_cut
from agenther.stages.language.shell.parse import Refused
from agenther.stages.language.shell.query import understand
from agenther.stages.language.sql.parse import changes_data, is_select
from agenther.stages.language.sql.rows import SHOWN_IN_PART, Row
from agenther.stages.language.sql.run import SqlCall, sql_calls
from agenther.stages.relabel.leakage import old_words, speaks_of
from agenther.trajectory import Step, ToolCall, Trajectory

Missed = Callable[[Trajectory, Example, Trajectory], str | None]
"""The relabelled run as recorded, its label, another run of the task: why that one misses the goal; None where it is not sure."""


def why_missed(run: Trajectory, example: Example, other: Trajectory) -> str | None:
    """Return what in a run shows that it misses the hindsight goal of another; None where nothing does.

    Args:
        run: the relabelled run, as recorded.
        example: its label.
        other: another run of the same task.
    """
    check = DOMAINS.get(example.domain)
    return None if check is None else check(run, example, other)


def _sql(run: Trajectory, example: Example, other: Trajectory) -> str | None:
    """Tell that no query of a run returned the rows that answer the goal, nor more than these."""
    wanted = [call.rows for call in sql_calls(run) if call.answer_at in example.claims[0].evidence and call.rows]
    asked = list(sql_calls(other))
    if len(wanted) != 1 or not any(is_select(call.query) and call.rows for call in asked):
        return None
    if len(asked) < sum(not _hands_in(call) for call in _calls(other)) or _says(other, _cells(wanted[0])):
        return None
    if any(_may_show(call, wanted[0]) for call in asked):
        return None
    return f"none of its {len(asked)} statements returned the rows that answer the goal"


def _may_show(call: SqlCall, wanted: tuple[Row, ...]) -> bool:
    """Tell whether a statement may have shown the rows: they, or as many rows as they count, or nobody knows what."""
    if changes_data(call.query) or call.answer is None:
        return True
    rows = call.rows
    if rows is None:
        return error_at(call.answer) is None
    counted = is_select(call.query) and [cell for row in wanted for cell in row] == [len(rows)]
    return counted or len(rows) >= SHOWN_IN_PART or _cells(wanted) <= _cells(rows)


def _cells(rows: tuple[Row, ...]) -> frozenset[str]:
    """Return the values of rows, however numbers are written."""
    return frozenset(map(_plain, chain.from_iterable(rows)))


def _plain(value: object) -> str:
    try:
        return f"{float(str(value)):.2f}"
    except ValueError:
        return str(value).strip().casefold()


def _says(run: Trajectory, values: Iterable[str]) -> bool:
    """Tell whether the agent's last words hold all values; how a number is written does not matter where it is whole."""
    said = run.agent_steps[-1].message.casefold() if run.agent_steps else ""
    return bool(said) and all(value.removesuffix(".00") in said for value in values)


_STABLE = (Ask.LIST, Ask.NAMES, Ask.FOLDERS, Ask.MATCHES, Ask.MATCHING_FILES, Ask.VALUES, Ask.COUNT, Ask.MATCH_COUNT)
"""What is listed or counted: its output differs by paths at most, and not with the time at which it was asked."""
_OF_THE_TIME = ("older", "newer")
"""Conditions that hold on one day and not on another."""


def _shell(run: Trajectory, example: Example, other: Trajectory) -> str | None:
    """Tell that no command of a run printed the lines that answer the goal, nor as many lines as they count."""
    wanted = _wanted_lines(run, example)
    calls = [(step, number, call) for step in other.agent_steps for number, call in enumerate(step.tool_calls)]
    asked = [(step, number, call) for step, number, call in calls if not _hands_in(call)]
    if not wanted or not asked or _says(other, wanted):
        return None
    outputs = [observation.content for step in other.agent_steps for observation in step.observations]
    if any(_may_print(step, number, call, wanted, outputs) for step, number, call in asked):
        return None
    return f"none of its {len(asked)} commands printed the lines that answer the goal"


def _wanted_lines(run: Trajectory, example: Example) -> list[str]:
    """Return the lines that answer a goal, without the folders of paths; none where another output could answer it as well."""
    claim = example.claims[0]
    at = claim.evidence[-1]
    if claim.kind != "shell.fact" or at.step not in {step.step_id for step in run.agent_steps}:
        return []
    step = run.step(at.step)
    for number, call in enumerate(step.tool_calls):
        found, command = observation_of(step, number), command_of(call)
        if found is None or command is None or at.field != f"observations[{found[0]}].content":
            continue
        try:
            query = understand(command)
        except Refused:
            return []
        if query.ask in _STABLE and not any(one.kind in _OF_THE_TIME for one in query.files.conditions):
            return [line.rstrip("/").rsplit("/", 1)[-1].strip() for line in found[1].splitlines() if line.strip()]
    return []


def _may_print(step: Step, number: int, call: ToolCall, wanted: list[str], outputs: list[str]) -> bool:
    command, found = command_of(call), observation_of(step, number)
    if command is None or found is None or not is_read_only(command):
        return True
    text = found[1]
    if len(text) > MOST_CHARS or is_cut(text, outputs):
        return True
    counted = [str(sum(bool(line.strip()) for line in text.splitlines()))] == wanted
    return counted or all(line in text for line in wanted)


def _household(run: Trajectory, example: Example, other: Trajectory) -> str | None:
    """Tell that a game printed no such effect on a thing of this sort.

    A run whose calls name what only the old goal asks for is passed over: programs and last words hold remarks about it,
    and these would tell the runs apart.
    """
    done = next((c for c in household_claims.claims(run) if c.evidence[0] == example.claims[0].evidence[0]), None)
    events = [event for step in other.agent_steps for event in household.events(step)]
    words = old_words(other.goal, example.hindsight_goal)
    unsure = any(_hides(step) for step in other.agent_steps) or any(
        speaks_of(household.words_of(call), words) for call in _calls(other)
    )
    if done is None or unsure or not any(event.kind != "refused" for event in events):
        return None
    thing, place, kind = (str(done.data[name]) for name in ("thing", "place", "kind"))
    if any(event.kind == kind and (kind == "light" or sort_of(event.thing) == sort_of(thing)) for event in events):
        return None
    return f"the game printed nowhere that it did `{kind}` to any {sort_of(thing)} (the goal: at {sort_of(place)})"


def _hides(step: Step) -> bool:
    """Tell whether a step may have changed what was not printed, or printed what did not happen."""
    printed = sum(event.kind in household.CHANGES for event in household.events(step))
    doings = household.doings(step)
    return (
        doings.hidden > 0
        or any(household.INVENTED.search(call.arguments) for call in step.tool_calls)
        or (printed == 0 and bool(doings.changes) and not any(household.events(step)))
    )


def _calls(run: Trajectory) -> Iterable[ToolCall]:
    return (call for step in run.agent_steps for call in step.tool_calls)


def _hands_in(call: ToolCall) -> bool:
    """Tell whether a call has no argument, as those have that end a run."""
    return not call.values and call.arguments.strip() in ("", "{}", "null")


DOMAINS: dict[str, Missed] = {"sql": _sql, "shell": _shell, "household": _household}
"""Domain name to its check; goals of the others are in no pair."""
