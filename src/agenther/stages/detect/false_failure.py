"""False failures: runs marked as failed whose final result holds the whole right answer.

Benchmarks mark such runs down for wording, an extra column or an extra sentence. They are listed apart and never relabelled:
their "failure" would teach that a right answer is wrong. Uses only what the log itself holds: a recorded right answer, or
a recorded overlap with it.
"""

from __future__ import annotations

import re

from agenther.record import Json
from agenther.stages.detect.signs import answer_call, prose
from agenther.trajectory import Span, Step, Trajectory, whole_field

GOLD_KEYS = ("gold", "gold_answer", "reference", "answer", "ground_truth", "gt", "expected", "target", "correct_answer")
LEAST_F1 = 0.5
"""Word overlap with the right answer from which a run that missed it exactly is taken for right in other words."""

_TOKEN = re.compile(r"(?<!\w)-?\d+(?:\.\d+)?(?!\w)|[^\W_]+(?:\.\d+)?")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_ARTICLES = frozenset(("a", "an", "the"))
_YES_NO = frozenset(("yes", "no", "true", "false", "none"))
_LONGEST_GOLD = 30
_MOST_BESIDE = 20
"""Words beside the right answer; a longer text may weigh several candidates."""


def false_failure(trajectory: Trajectory) -> tuple[str, tuple[Span, ...]] | None:
    """Return why a labelled failure is probably a success, and where it shows; None when nothing says so."""
    f1 = trajectory.labels.get("f1")
    final = final_result(trajectory)
    if isinstance(f1, int | float) and not isinstance(f1, bool) and f1 >= LEAST_F1:
        return f"word overlap with the right answer is {f1:.2f}", (final[1],) if final else ()
    if final is None:
        return None
    text, span = final
    for name in (key for key in GOLD_KEYS if key in trajectory.labels):
        golds = _texts(trajectory.labels[name])
        if golds and all(holds_answer(text, gold) for gold in golds):
            return f"the final result holds the recorded right answer ({name})", (span,)
    return None


def final_result(trajectory: Trajectory) -> tuple[str, Span] | None:
    """Return the text in which a run hands in its result: the answering call or message, else the last output."""
    steps = trajectory.agent_steps
    if not steps:
        return None
    last = steps[-1]
    if (number := answer_call(last)) is not None and (values := last.tool_calls[number].values):
        text = " ".join(str(value) for value in values.values())
        return text, whole_field(last, f"tool_calls[{number}].arguments")
    if trajectory.answer_by == "action":
        return _last_output(steps)
    parts = prose(last)
    if last.tool_calls or not parts:
        return None
    return " ".join(last.message[a:b] for a, b in parts), Span(
        step=last.step_id, field="message", start=parts[0][0], end=parts[-1][1]
    )


def _last_output(steps: tuple[Step, ...]) -> tuple[str, Span] | None:
    """Return the last output that is not the reply to handing in."""
    for step in reversed(steps):
        if step.observations and not all(call.function_name == "submit" for call in step.tool_calls):
            number = len(step.observations) - 1
            return step.observations[number].content, whole_field(step, f"observations[{number}].content")
    return None


def _texts(value: Json) -> list[str]:
    """Return the texts of a recorded answer; several mean that all are asked. Long ones are programs or plans, not answers."""
    items = value if isinstance(value, list) else [value]
    texts = [str(item) for item in items if isinstance(item, str | int | float) and not isinstance(item, bool)]
    if len(texts) != len(items):
        return []
    return [] if any(not words(text) or len(words(text)) > _LONGEST_GOLD for text in texts) else texts


def words(text: str) -> list[str]:
    """Return the words and numbers of a text in one spelling: no case, articles, thousands marks or trailing `.0`."""
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text.casefold())
    return [re.sub(r"\.0+\Z", "", token) for token in _TOKEN.findall(plain) if token not in _ARTICLES]


def holds_answer(text: str, gold: str) -> bool:
    """Tell whether a text is a right answer and little else, as whole words.

    A yes, a no or one digit must be all that it says; a right number must be its only number.
    """
    have, want = words(text), words(gold)
    if len(have) > len(want) + _MOST_BESIDE:
        return False
    if len(want) == 1 and _NUMBER.fullmatch(want[0]):
        return [token for token in have if _NUMBER.fullmatch(token)] == want
    if len(want) == 1 and (want[0] in _YES_NO or len(want[0]) < 2):
        return have == want
    return any(have[i : i + len(want)] == want for i in range(len(have) - len(want) + 1))
