"""Chat messages as found in files, made well-formed: what all readers of OpenAI-like messages share.

Tolerates what real files hold (content parts, Anthropic's blocks, `developer`, `function_call`, arguments as objects, tool
messages without id) and names the place of what it cannot take.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agenther.readers.anthropic import has_blocks, plain_messages
from agenther.readers.base import Key, Place
from agenther.readers.content import arguments_text, content_text
from agenther.record import Json, JsonObject
from agenther.trajectory import Step, make_steps

ROLES = ("system", "developer", "user", "assistant", "tool", "function")


def chat_steps(place: Place, messages: Sequence[Json]) -> tuple[tuple[Step, ...], JsonObject]:
    """Return the steps of a list of messages, and labels: parts that are no text, and calls whose result is marked an error.

    Args:
        place: where the list stands, for errors.
        messages: the messages as found.
    """
    return placed_chat_steps((place.at(i), place.obj(message, i)) for i, message in enumerate(messages))


def placed_chat_steps(messages: Iterable[tuple[Place, JsonObject]]) -> tuple[tuple[Step, ...], JsonObject]:
    """Return steps and labels as `chat_steps` does, of messages that do not lie in one list."""
    chat = _Chat()
    for place, message in messages:
        chat.add(place, message)
    labels: JsonObject = {"non_text_parts": list(chat.non_text)} if chat.non_text else {}
    labels |= {"tool_errors": list(chat.tool_errors)} if chat.tool_errors else {}
    return make_steps(chat.turns), labels


class _Chat:
    """Collects the fields of steps; remembers which calls wait for their answer."""

    def __init__(self) -> None:
        self.turns: list[dict[str, object]] = []
        self.non_text: list[Json] = []
        self.tool_errors: list[Json] = []
        self._waiting: list[tuple[str, str]] = []
        self._n_calls = 0
        self._answers: list[dict[str, str | None]] | None = None
        """Observations of the agent's last turn; None before its first."""

    def add(self, place: Place, message: JsonObject) -> None:
        role = message.get("role")
        if role not in ROLES:
            raise place.at("role").error(f"one of {', '.join(ROLES)}", role)
        if not has_blocks(message):
            self._add(place, message)
            return
        for made in plain_messages(place, message, self.non_text):
            self._add(place, made)

    def _add(self, place: Place, message: JsonObject) -> None:
        content, name = message.get("content"), message.get("name")
        text = "" if content is None else content
        if not isinstance(text, str):
            text = content_text(place.at("content"), content, self.non_text)
        match message.get("role"):
            case "tool" | "function":
                self._add_answer(place, message, text)
                return
            case "assistant":
                turn = self._agent_turn(place, message, text)
            case "user":
                turn: dict[str, object] = {"source": "user", "message": text}
            case _:
                turn = {"source": "system", "message": text}
        if isinstance(name, str):
            turn["name"] = name
        self.turns.append(turn)

    def _agent_turn(self, place: Place, message: JsonObject, text: str) -> dict[str, object]:
        reasoning, refusal = message.get("reasoning_content", message.get("reasoning")), message.get("refusal")
        calls = self._calls(place, message)
        self._waiting = [(call["tool_call_id"], call["function_name"]) for call in calls]
        self._answers = []
        return {
            "source": "agent",
            "message": refusal if not text and isinstance(refusal, str) else text,
            "reasoning": reasoning if isinstance(reasoning, str) and reasoning else None,
            "tool_calls": calls,
            "observations": self._answers,
        }

    def _calls(self, place: Place, message: JsonObject) -> list[dict[str, str]]:
        listed, legacy = message.get("tool_calls"), message.get("function_call")
        if listed is None and legacy is not None:
            return [self._call(place, place.obj(legacy, "function_call"), None, "function_call")]
        if listed is None:
            return []
        calls: list[dict[str, str]] = []
        for i, raw in enumerate(place.list(listed, "tool_calls")):
            call = place.obj(raw, "tool_calls", i)
            body = place.obj(call["function"], "tool_calls", i, "function") if "function" in call else call
            calls.append(self._call(place, body, call.get("id"), "tool_calls", i))
        return calls

    def _call(self, place: Place, body: JsonObject, call_id: Json, *keys: Key) -> dict[str, str]:
        """Return the fields of a call; the keys lead to it from the place of its message."""
        self._n_calls += 1
        return {
            "tool_call_id": call_id if isinstance(call_id, str) and call_id else f"call_{self._n_calls}",
            "function_name": place.str(body.get("name"), *keys, "name"),
            "arguments": arguments_text(body.get("arguments")),
        }

    def _add_answer(self, place: Place, message: JsonObject, text: str) -> None:
        """Join an answer to its call: by id, else by name, else the first call that still waits."""
        if self._answers is None:
            raise place.error("an assistant message before a tool message", message.get("role"))
        call_id, name = message.get("tool_call_id"), message.get("name")
        if not isinstance(call_id, str) or not call_id:
            named = [i for i, n in self._waiting if n == name]
            call_id = next(iter(named or [i for i, _ in self._waiting]), None)
        self._waiting = [(i, n) for i, n in self._waiting if i != call_id]
        if message.get("is_error") is True:
            self.tool_errors.append(call_id)
        self._answers.append(
            {"content": text, "source_call_id": call_id, "name": name if isinstance(name, str) else None}
        )
