"""Redaction: secrets and personal data in a run become placeholders, before any other stage reads it.

The same value is always the same placeholder within a run (`<EMAIL_1>`), JSON stays JSON, and every place that a record
points at moves with its text. What is to be replaced is found by `secret_search`, in all text fields of a run at once; this
file owns the names of the placeholders and the replacing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import cast

import orjson

from agenther.record import Json, JsonObject
from agenther.stages.secret_search import GAP, Find, find_secrets
from agenther.trajectory import Observation, Span, Step, ToolCall, Trajectory

_JSON_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class _Edit:
    """Replacements inside one field: old bounds and the new text, in order."""

    start: int
    end: int
    text: str


def redact(trajectory: Trajectory) -> Trajectory:
    """Return the run with secrets and personal data replaced; the same object when it holds none."""
    joined = _joined(trajectory)
    finds = find_secrets(joined)
    if not finds:
        return trajectory
    names = _placeholders(finds, joined)
    fields = dict(_fields(trajectory))
    keys = list(fields)
    starts = list(accumulate((len(text) + len(GAP) for text in fields.values()), initial=0))
    edits: dict[tuple[int, str], list[_Edit]] = {}
    for find in finds:
        place = bisect_right(starts, find.start) - 1
        offset, text = starts[place], fields[keys[place]]
        start, end = find.start - offset, find.end - offset
        name = names[find.kind, _normal(find)]
        quoted = f'"{name}"' if _is_bare_json_number(keys[place][1], text, start, end) else name
        edits.setdefault(keys[place], []).append(_Edit(start, end, quoted))
    return _rebuild(trajectory, edits)


def redact_text(text: str) -> str:
    """Return a text that belongs to no run with its secrets replaced by the names of their kinds: `<EMAIL>`."""
    for find in reversed(find_secrets(text)):
        text = f"{text[: find.start]}<{find.kind}>{text[find.end :]}"
    return text


def map_texts(value: Json, change: Callable[[str], str]) -> Json:
    """Return a JSON value with all of its texts changed, names of members too."""
    match value:
        case str():
            return change(value)
        case list():
            return [map_texts(member, change) for member in value]
        case dict():
            return {change(name): map_texts(member, change) for name, member in value.items()}
        case _:
            return value


def _normal(find: Find) -> str:
    """Return what makes two values of a kind the same: digits of numbers, letters of addresses without case."""
    match find.kind:
        case "EMAIL":
            return find.value.casefold()
        case "CARD" | "PHONE":
            return re.sub(r"\D", "", find.value)
        case _:
            return find.value


def _placeholders(finds: list[Find], text: str) -> dict[tuple[str, str], str]:
    """Name every value, numbered by first appearance; names that the text already holds are passed over."""
    names: dict[tuple[str, str], str] = {}
    last: dict[str, int] = {}
    for find in finds:
        key = (find.kind, _normal(find))
        if key in names:
            continue
        number = last.get(find.kind, 0) + 1
        while f"<{find.kind}_{number}>" in text:
            number += 1
        last[find.kind] = number
        names[key] = f"<{find.kind}_{number}>"
    return names


def _is_bare_json_number(field: str, text: str, start: int, end: int) -> bool:
    """Tell whether a value is a number of a JSON text: its placeholder then needs quotes."""
    if not (field.endswith(".arguments") or field in ("labels", "tools") or text[:1] in "{["):
        return False
    before, after = text[:start].rstrip()[-1:], text[end:].lstrip()[:1]
    return (
        _JSON_NUMBER.fullmatch(text, start, end) is not None and before in (":", "[", ",") and after in (",", "]", "}")
    )


def _joined(trajectory: Trajectory) -> str:
    """Return the text that is searched: those of `_fields` without the names, which only a run with finds needs."""
    texts = [trajectory.goal]
    if trajectory.labels:
        texts.append(orjson.dumps(trajectory.labels).decode())
    if trajectory.tools:
        texts.append(orjson.dumps(trajectory.tools).decode())
    for step in trajectory.steps:
        texts += (step.name or "", step.reasoning or "", step.message)
        for call in step.tool_calls:
            texts.append(call.arguments)
        for observation in step.observations:
            texts.append(observation.content)
    return GAP.join(filter(None, texts))


def _fields(trajectory: Trajectory) -> Iterator[tuple[tuple[int, str], str]]:
    """Yield every text with its place: the 1-based position of its step, 0 for what belongs to no step, and its name."""
    if trajectory.goal:
        yield (0, "goal"), trajectory.goal
    if trajectory.labels:
        yield (0, "labels"), orjson.dumps(trajectory.labels).decode()
    if trajectory.tools:
        yield (0, "tools"), orjson.dumps(trajectory.tools).decode()
    for position, step in enumerate(trajectory.steps, start=1):
        if step.name:
            yield (position, "name"), step.name
        for name, text in step.fields():
            if text:
                yield (position, name), text


def _rebuild(trajectory: Trajectory, edits: dict[tuple[int, str], list[_Edit]]) -> Trajectory:
    changed: dict[str, object] = {}
    if own := edits.get((0, "goal")):
        changed["goal"] = _apply(trajectory.goal, own)
    if own := edits.get((0, "labels")):
        changed["labels"] = cast(JsonObject, orjson.loads(_apply(orjson.dumps(trajectory.labels).decode(), own)))
    if own := edits.get((0, "tools")):
        tools = orjson.loads(_apply(orjson.dumps(trajectory.tools).decode(), own))
        changed["tools"] = tuple(cast(list[JsonObject], tools))
    by_step: dict[int, dict[str, list[_Edit]]] = {}
    for (position, field), own in edits.items():
        by_step.setdefault(position, {})[field] = own
    changed["steps"] = tuple(
        _edit_step(step, by_step.get(position, {})) for position, step in enumerate(trajectory.steps, start=1)
    )
    by_id = {step.step_id: by_step.get(position, {}) for position, step in enumerate(trajectory.steps, start=1)}
    for name in ("goal_at", "worked_at", "shown_at"):
        spans: tuple[Span, ...] = getattr(trajectory, name)
        changed[name] = tuple(_move_span(span, by_id.get(span.step, {}).get(span.field, [])) for span in spans)
    return trajectory.model_copy(update=changed)


def _edit_step(step: Step, edits: dict[str, list[_Edit]]) -> Step:
    if not edits:
        return step
    changed: dict[str, object] = {}
    for field in ("message", "reasoning", "name"):
        if field in edits:
            changed[field] = _apply(cast(str, getattr(step, field)), edits[field])
    in_message = edits.get("message", [])
    changed["thought_at"] = tuple(_move(place, in_message) for place in step.thought_at)
    changed["tool_calls"] = tuple(
        _edit_call(call, edits.get(f"tool_calls[{i}].arguments", []), in_message)
        for i, call in enumerate(step.tool_calls)
    )
    changed["observations"] = tuple(
        _edit_observation(seen, edits.get(f"observations[{i}].content", [])) for i, seen in enumerate(step.observations)
    )
    return step.model_copy(update=changed)


def _edit_call(call: ToolCall, own: list[_Edit], in_message: list[_Edit]) -> ToolCall:
    at = call.at if call.at is None else _move(call.at, in_message)
    if not own and at == call.at:
        return call
    return ToolCall(
        tool_call_id=call.tool_call_id,
        function_name=call.function_name,
        arguments=_apply(call.arguments, own),
        at=at,
    )


def _edit_observation(observation: Observation, own: list[_Edit]) -> Observation:
    if not own:
        return observation
    return observation.model_copy(update={"content": _apply(observation.content, own)})


def _apply(text: str, edits: list[_Edit]) -> str:
    parts: list[str] = []
    at = 0
    for edit in edits:
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def _move(place: tuple[int, int], edits: list[_Edit]) -> tuple[int, int]:
    """Return where a place lies after the edits; an edge inside a replaced value moves out to the placeholder's edge."""
    start, end = place
    shift_start = shift_end = 0
    for edit in edits:
        growth = len(edit.text) - (edit.end - edit.start)
        if edit.end <= start:
            shift_start += growth
        elif edit.start < start:
            shift_start += edit.start - start
        if edit.end <= end:
            shift_end += growth
        elif edit.start < end:
            shift_end += edit.start + len(edit.text) - end
    return start + shift_start, end + shift_end


def _move_span(span: Span, edits: list[_Edit]) -> Span:
    start, end = _move((span.start, span.end), edits)
    return span.model_copy(update={"start": start, "end": end})
