"""Which tokens of a conversation are trained: those of the agent's turns that carry loss, and no other.

The chat template renders the whole conversation, and each trained turn's place is found by rendering what comes before
it and what ends with it. So no mark in a text of the run can move the mask, and a template that renders the same
turns differently once more follow is noticed.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from agenther.errors import UserError, WriteError
from agenther.record import Json, JsonObject


class Tokenizer(Protocol):
    """What is used of a tokenizer of `transformers`."""

    chat_template: Any
    is_fast: bool
    all_special_tokens: list[str]

    def apply_chat_template(self, conversation: list[JsonObject], **arguments: Any) -> str:
        """Render a conversation."""
        ...

    def __call__(self, text: str, **arguments: Any) -> Any:
        """Return `input_ids` and `offset_mapping` of a text."""
        ...


class Tokens(NamedTuple):
    """A conversation as a model reads it."""

    ids: list[int]
    trained: list[bool]
    """For each token, whether its loss counts."""


class ChatTokens:
    """Turns conversations into tokens.

    Args:
        tokenizer: of the model that is trained.
        template: a chat template that wins over the tokenizer's own.

    Raises:
        UserError: the tokenizer cannot do it.
    """

    def __init__(self, tokenizer: Tokenizer, template: str | None = None) -> None:
        if not (template or tokenizer.chat_template):
            hint = "take an instruction-tuned model, or put a chat template into its tokenizer"
            raise UserError("the model's tokenizer has no chat template", hint)
        if not tokenizer.is_fast:
            raise UserError(
                "the model's tokenizer is a slow one, which does not say where its tokens stand in a text",
                "convert it to tokenizer.json",
            )
        self._tokenizer, self._template = tokenizer, template

    def __call__(self, messages: Sequence[JsonObject], tools: Json, trained: Sequence[int]) -> Tokens:
        """Return the tokens of a conversation.

        Args:
            messages: in TRL's dialect.
            tools: schemas; none when empty.
            trained: positions of the agent's turns that carry loss.

        Raises:
            WriteError: the template refuses the conversation, or a turn cannot be told from the rest.
        """
        if not self._shows_results and any(message.get("role") == "tool" for message in messages):
            raise WriteError("messages: expected a chat template that shows results of tools, found one that does not")
        text = self._render(messages, tools)
        spans = [self._span(messages, tools, number, text) for number in trained]
        encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        mask = list(_inside(encoded["offset_mapping"], spans))
        if not any(mask):
            raise WriteError("turns: expected a token to train, found none")
        return Tokens(list(encoded["input_ids"]), mask)

    @cached_property
    def _shows_results(self) -> bool:
        call: JsonObject = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": {}}}
        turns: list[JsonObject] = [
            {"role": "user", "content": "look"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": "lighthouse", "tool_call_id": "c1", "name": "look"},
            {"role": "assistant", "content": "done"},
        ]
        return "lighthouse" in self._render(turns, None)

    def _span(self, messages: Sequence[JsonObject], tools: Json, number: int, text: str) -> tuple[int, int]:
        """Return where a turn stands: after what makes the agent speak, with the mark that ends its turn."""
        before = self._render(messages[:number], tools, add_generation_prompt=True)
        until = self._render(messages[: number + 1], tools)
        if not (text.startswith(until) and until.startswith(before)):
            raise WriteError(
                f"messages[{number}]: expected a turn that the chat template renders alike with and without what "
                "follows, found another"
            )
        said = until[len(before) :].rstrip()
        ended = said.endswith(tuple(self._tokenizer.all_special_tokens))
        return len(before), len(before) + len(said) if ended else len(until)

    def _render(self, messages: Sequence[JsonObject], tools: Json, *, add_generation_prompt: bool = False) -> str:
        from jinja2 import TemplateError

        try:
            return self._tokenizer.apply_chat_template(
                list(messages),
                tools=tools or None,
                chat_template=self._template,
                add_generation_prompt=add_generation_prompt,
                tokenize=False,
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise WriteError(f"messages: expected turns that the chat template takes, found {error}") from error


def _inside(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> Iterator[bool]:
    """Yield for each token whether it lies wholly within one of the spans, which are in order."""
    at = 0
    for start, end in offsets:
        while at < len(spans) and spans[at][1] <= start:
            at += 1
        yield at < len(spans) and spans[at][0] <= start < end <= spans[at][1]
