"""One sample of an Inspect log: its messages as OpenAI's, what was asked, how it was scored, what the agent had as tools.

Texts that the log keeps apart (`attachment://...`) are put back in their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agenther.readers.base import Place
from agenther.readers.content import content_text
from agenther.record import Json, JsonObject, content_key

_ATTACHED = "attachment://"
_VERDICT = re.compile(
    r"\s*Your submission (?:was|is) incorrect[.!]?"
    r"(?: Please (?:proceed and attempt to find the correct answer|try again)\.?)?\"?\s*"
)
_GRADES = {"c": 1.0, "i": 0.0, "n": 0.0, "p": 0.5, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_TOOL_FIELDS = ("name", "description", "parameters")
_NO_NEWS = ("stop", "tool_calls", "unknown")


class Sample:
    """A sample as it stands in a log, with its attachments put back where they belong."""

    def __init__(self, place: Place, value: Json) -> None:
        """Take a sample; raise ReadError when it is no object."""
        self.place, self._fields = place, place.obj(value)
        attachments = self._fields.get("attachments")
        self._attachments: JsonObject = attachments if isinstance(attachments, dict) else {}
        self.key, self.epoch = self._fields.get("id"), self._fields.get("epoch", 1)
        self.verdicts: list[Json] = []

    def turns(self) -> Iterator[tuple[Place, JsonObject]]:
        """Yield the messages in OpenAI's form, without what the harness said of a submission; else what was asked."""
        key = "messages" if self._fields.get("messages") else "input"
        given, where = self._whole(self._fields.get(key)), self.place.at(key)
        listed: list[Json] = [{"role": "user", "content": given}] if isinstance(given, str) else where.list(given)
        for i, entry in enumerate(listed):
            message = where.at(i).obj(entry)
            match message.get("role"):
                case "assistant":
                    yield where.at(i), _agent_message(where.at(i), message)
                case "tool":
                    yield where.at(i), _answer(where.at(i), message)
                case "user" if message.get("source") != "input" and message.get("content"):
                    content = self._told(message["content"])
                    if content:
                        yield where.at(i), {**message, "content": content}
                case _:
                    yield where.at(i), message

    def asked(self) -> tuple[str, bool]:
        """Return what the user asked, and whether it stands alone: no other request before it, no choices beside it."""
        given, where = self._whole(self._fields.get("input")), self.place.at("input")
        if isinstance(given, str):
            return given, not self._fields.get("choices")
        messages = [where.at(i).obj(entry) for i, entry in enumerate(where.list(given))]
        texts = [content_text(where, m.get("content"), []) for m in messages if m.get("role") == "user"]
        alone = len(texts) == 1 and not any(m.get("role") == "assistant" for m in messages)
        return texts[-1] if texts else "", alone and not self._fields.get("choices")

    def task(self, name: str) -> str | None:
        """Name the task of a sample: what was asked belongs to it, for logs may number other questions alike."""
        asked = content_key(self._whole(self._fields.get("input")))[:12]
        return None if self.key is None else f"inspect/{name}/{self.key}/{asked}"

    def outcome(self) -> tuple[bool | None, float | None]:
        """Return whether all scorers call it right, or all call it wrong, and the grade where there is one alone."""
        grades = [grade for value in self._scores().values() for grade in _grades(value)]
        agreed = len(set(grades)) == 1 and grades[0] in (0.0, 1.0)
        return grades[0] == 1.0 if agreed else None, grades[0] if len(grades) == 1 else None

    def labels(self) -> JsonObject:
        """Return what else the log knows: scores, the right answer, what stopped the run, verdicts said on the way."""
        fields = self._fields
        labels: JsonObject = {name: fields[name] for name in ("target", "metadata", "choices") if fields.get(name)}
        if scores := self._scores():
            labels["scores"] = scores
        if isinstance(error := fields.get("error"), dict):
            labels["harness_error"] = error.get("message") or "an error"
        if isinstance(limit := fields.get("limit"), dict):
            labels["terminate_reason"] = f"{limit.get('type')} limit"
            labels |= {"limit": limit, "truncated": True}
        output = fields.get("output")
        choices = output.get("choices") if isinstance(output, dict) else None
        last = choices[0] if isinstance(choices, list) and choices else None
        reason = last.get("stop_reason") if isinstance(last, dict) else None
        if isinstance(reason, str) and reason not in _NO_NEWS:
            labels["stop_reason"] = reason
        if reason == "model_length":
            labels["terminate_reason"] = "context_length_exceeded"
        return labels | ({"epoch": self.epoch} if self.epoch != 1 else {}) | self._said()

    def _said(self) -> JsonObject:
        return {"verdicts": self.verdicts} if self.verdicts else {}

    def tools(self) -> tuple[JsonObject, ...]:
        """Return the tools of the first call of the model that had any."""
        held = self._fields.get("transcript")
        events = self._fields.get("events") or (held.get("events") if isinstance(held, dict) else None)
        for event in events if isinstance(events, list) else []:
            tools = event.get("tools") if isinstance(event, dict) and event.get("event") == "model" else None
            if isinstance(tools, list) and tools:
                known = [tool for tool in tools if isinstance(tool, dict)]
                bodies = [{name: self._whole(t[name]) for name in _TOOL_FIELDS if name in t} for t in known]
                return tuple({"type": "function", "function": body} for body in bodies)
        return ()

    def _whole(self, value: Json) -> Json:
        """Return a value with its attachments in their place; one that the log lacks stays as its name."""
        if isinstance(value, str):
            return self._attachments.get(value.removeprefix(_ATTACHED), value) if value.startswith(_ATTACHED) else value
        if isinstance(value, list):
            return [self._whole(item) for item in value]
        if isinstance(value, dict):
            return {key: self._whole(item) for key, item in value.items()}
        return value

    def _told(self, content: Json) -> Json:
        """Return a content without verdicts, and without parts that were nothing else."""
        if isinstance(content, str):
            return self._without_verdict(content)
        if not isinstance(content, list):
            return content
        texts = [part.get("text") if isinstance(part, dict) else None for part in content]
        told = [self._without_verdict(text) if isinstance(text, str) else None for text in texts]
        return [
            {**part, "text": text} if isinstance(part, dict) and text is not None else part
            for part, text in zip(content, told, strict=True)
            if text != ""
        ]

    def _without_verdict(self, text: str) -> str:
        found = _VERDICT.search(text)
        if found is None:
            return text
        self.verdicts.append(found.group().strip())
        return (text[: found.start()] + "\n" + text[found.end() :]).strip()

    def _scores(self) -> JsonObject:
        """Return the value that each scorer gave."""
        scores, single = self._fields.get("scores"), self._fields.get("score")
        listed = scores if isinstance(scores, dict) else {"score": single}
        return {name: score.get("value") for name, score in listed.items() if isinstance(score, dict)}


def _grades(value: Json) -> Iterator[float | None]:
    """Yield the grades in a score: 0 to 1, or None for a value that is no grade; nothing where nothing was scored."""
    if value is None or value == "NaN":
        return
    if isinstance(value, str):
        yield _GRADES.get(value.strip().lower(), _number(value))
    elif isinstance(value, int | float):
        yield _number(value)
    else:
        for part in value.values() if isinstance(value, dict) else value:
            yield from _grades(part)


def _number(value: str | float) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None


def _answer(place: Place, message: JsonObject) -> JsonObject:
    """Return a result as the agent saw it: in the place of one that failed, the error."""
    error, name = message.get("error"), message.get("function")
    made: JsonObject = {"role": "tool", "content": message.get("content"), "tool_call_id": message.get("tool_call_id")}
    made |= {"name": name} if isinstance(name, str) else {}
    if isinstance(error, dict):
        made |= {"content": f"Error: {place.at('error').at('message').str(error.get('message'))}", "is_error": True}
    return made


def _agent_message(place: Place, message: JsonObject) -> JsonObject:
    """Return an agent's message with calls in OpenAI's form and what its provider did as blocks."""
    made = dict(message)
    calls, content = message.get("tool_calls"), message.get("content")
    if isinstance(calls, list):
        where = place.at("tool_calls")
        made["tool_calls"] = [_call(where.at(i).obj(call)) for i, call in enumerate(calls)]
    if isinstance(content, list):
        made["content"] = [block for part in content for block in _blocks(part)]
    return made


def _call(call: JsonObject) -> JsonObject:
    name = call.get("function")
    if not isinstance(name, str):
        return call
    return {"id": call.get("id"), "function": {"name": name, "arguments": call.get("arguments")}}


def _blocks(part: Json) -> Iterator[Json]:
    """Yield a part of a content in Anthropic's blocks, which know thoughts, and calls that the provider made itself."""
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or kind not in ("reasoning", "tool_use"):
        yield part
    elif kind == "reasoning":
        yield {"type": "thinking", "thinking": part.get("summary" if part.get("redacted") else "reasoning")}
    else:
        key = {"tool_use_id": part.get("id")}
        yield {
            "type": "server_tool_use",
            "id": part.get("id"),
            "name": part.get("name"),
            "input": part.get("arguments"),
        }
        yield {"type": "server_tool_result", "content": part.get("error") or part.get("result"), **key}
