"""Items of OpenAI's Responses API, made steps: messages, reasoning, function calls and their outputs.

One answer of the model comes as several items and becomes one agent turn; it ends when an output has come back, or when a
second message starts. Outputs join the turn that holds their call; those whose call is nowhere join the turn before them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agenther.readers.base import Place
from agenther.readers.content import arguments_text, content_text
from agenther.record import Json, JsonObject
from agenther.trajectory import Observation, Step, ToolCall

_SOURCES = {"system": "system", "developer": "system", "user": "user"}
_OF_PROVIDER = frozenset({"type", "id", "call_id", "name", "status", "output", "outputs", "results", "error"})
"""Fields of a call that its provider carried out itself which are not what was asked of it."""


def response_steps(place: Place, record: JsonObject) -> tuple[tuple[Step, ...], JsonObject]:
    """Return the steps of a record with `input` and `output`, and labels that name what could not be kept as it was."""
    items = ItemSteps()
    items.add_request(place, record)
    items.add_all(place.at("output"), place.at("output").list(record.get("output")))
    return tuple(items.steps), items.labels()


class ItemSteps:
    """Collects steps from items.

    Attributes:
        steps: the steps so far.
        non_text: places of message parts that are no text.
        orphans: call ids of outputs that answer no call of the run.
    """

    def __init__(self, *, user_observes: bool = False) -> None:
        """Start empty; with `user_observes`, user messages after the agent's are what its environment showed."""
        self.steps: list[Step] = []
        self.non_text: list[Json] = []
        self.orphans: list[Json] = []
        self._user_observes = user_observes
        self._open = False
        self._said = False

    def add_request(self, place: Place, request: JsonObject) -> None:
        """Add what a request says: its `instructions`, and its `input`, a text or items."""
        instructions, given = request.get("instructions"), request.get("input")
        if isinstance(instructions, str) and instructions:
            self.add_text("system", instructions)
        if isinstance(given, str):
            self.add_text("user", given)
        else:
            self.add_all(place.at("input"), place.at("input").list(given))

    def labels(self) -> JsonObject:
        """Return labels that name the parts which are no text, and the outputs that answer no call."""
        labels: JsonObject = {"non_text_parts": self.non_text, "outputs_without_call": self.orphans}
        return {name: found for name, found in labels.items() if found}

    def add_all(self, place: Place, items: Sequence[Json]) -> None:
        """Add a list of items."""
        for i, item in enumerate(items):
            self._add(place.at(i), place.at(i).obj(item))

    def add_text(self, source: str, text: str) -> None:
        """Add a system or user turn."""
        self._open = False
        self.steps.append(
            Step(step_id=len(self.steps) + 1, source="system" if source == "system" else "user", message=text)
        )

    def _add(self, place: Place, item: JsonObject) -> None:
        match item.get("type", "message"):
            case "message":
                self._message(place, item)
            case "reasoning":
                self._reasoning(place, item)
            case "function_call":
                self._call(place, item, item.get("arguments"))
            case "custom_tool_call":
                self._call(place, item, {"input": item.get("input")})
            case "function_call_output" | "custom_tool_call_output":
                self._output(place, item)
            case str() as kind if kind.endswith("_call"):
                self._provider_call(kind, item)
            case kind:
                raise place.at("type").error("message, reasoning, function_call or function_call_output", kind)

    def _message(self, place: Place, item: JsonObject) -> None:
        role, text = (
            item.get("role"),
            content_text(place.at("content"), item.get("content"), self.non_text, ("text", "refusal")),
        )
        if role == "assistant":
            step = self._turn(new=self._said)
            self._said = True
            self._replace(len(self.steps) - 1, step.model_copy(update={"message": text}))
            return
        if not isinstance(role, str) or role not in _SOURCES:
            raise place.at("role").error("system, developer, user or assistant", role)
        if role == "user" and self._user_observes and self.steps and self.steps[-1].source == "agent":
            self._observe(len(self.steps) - 1, Observation(content=text, role="user"))
            return
        self.add_text(_SOURCES[role], text)

    def _reasoning(self, place: Place, item: JsonObject) -> None:
        """Add what the model thought, where it is readable: its own text if there is one, else the summary."""
        for key in ("content", "summary"):
            text = content_text(place.at(key), item.get(key), self.non_text, ("text", "refusal"))
            if text.strip():
                step = self._turn()
                thought = text if step.reasoning is None else f"{step.reasoning}\n{text}"
                self._replace(len(self.steps) - 1, step.model_copy(update={"reasoning": thought}))
                return

    def _call(self, place: Place, item: JsonObject, arguments: Json) -> None:
        self._add_call(
            ToolCall(
                tool_call_id=place.at("call_id").str(item.get("call_id")),
                function_name=place.at("name").str(item.get("name")),
                arguments=arguments_text(arguments),
            )
        )

    def _provider_call(self, kind: str, item: JsonObject) -> None:
        """Add a call that the provider carried out itself, with what came of it where that is a text."""
        name, call_id, output = item.get("name"), item.get("id"), item.get("output")
        asked = item.get("arguments") or {key: value for key, value in item.items() if key not in _OF_PROVIDER}
        call = ToolCall(
            tool_call_id=call_id if isinstance(call_id, str) else "",
            function_name=name if isinstance(name, str) and name else kind.removesuffix("_call"),
            arguments=arguments_text(asked),
        )
        self._add_call(call)
        if isinstance(output, str):
            self._observe(len(self.steps) - 1, Observation(content=output, source_call_id=call.tool_call_id or None))

    def _add_call(self, call: ToolCall) -> None:
        step = self._turn()
        self._replace(len(self.steps) - 1, step.model_copy(update={"tool_calls": (*step.tool_calls, call)}))

    def _output(self, place: Place, item: JsonObject) -> None:
        call_id, text = (
            item.get("call_id"),
            content_text(place.at("output"), item.get("output"), self.non_text, ("text", "refusal")),
        )
        calling = self._index(lambda step: any(call.tool_call_id == call_id for call in step.tool_calls))
        index = self._index(lambda step: step.source == "agent") if calling is None else calling
        if index is None:
            raise place.error("an agent's item before an output", call_id)
        if calling is None:
            self.orphans.append(call_id)
        joined = call_id if calling is not None and isinstance(call_id, str) else None
        self._observe(index, Observation(content=text, source_call_id=joined))

    def _turn(self, *, new: bool = False) -> Step:
        """Return the agent turn that is open, or a new one."""
        if new or not self._open:
            self.steps.append(Step(step_id=len(self.steps) + 1, source="agent"))
            self._open, self._said = True, False
        return self.steps[-1]

    def _observe(self, index: int, observation: Observation) -> None:
        step = self.steps[index]
        self._replace(index, step.model_copy(update={"observations": (*step.observations, observation)}))
        self._open = False

    def _replace(self, index: int, step: Step) -> None:
        self.steps[index] = step

    def _index(self, wanted: Callable[[Step], bool]) -> int | None:
        return next((i for i in range(len(self.steps) - 1, -1, -1) if wanted(self.steps[i])), None)
