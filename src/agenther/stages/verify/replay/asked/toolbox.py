"""What tools are called in plain words: by their names, their own descriptions and their parameters."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from agenther.record import Json, JsonObject
from agenther.stages.language.descriptions import description_of
from agenther.stages.language.words import FUNCTION_WORDS, is_base_verb, sentences, stem, tokens
from agenther.stages.verify.replay.asked.lexicon import deeds_of, lexicon, own_deeds, stems_of, telling, wide

_LISTED = re.compile(r"\[Enum\]: \[(.*?)\]")
_STANDS_FOR = re.compile(r"['\"](\w+)['\"]\s*(?:for|is|means|=|:)\s*([\w-]+)")
_NUMBERS = frozenset({"number", "integer", "float", "array"})


@dataclass(frozen=True)
class Parameter:
    """A parameter of a tool."""

    name: str
    type: str
    description: str
    required: bool
    default: Json

    @property
    def first_words(self) -> str:
        """The first sentence of its description."""
        return self.description.split(".")[0]

    @cached_property
    def options(self) -> tuple[str, ...]:
        """The values that the description lists, where it lists them all."""
        found = _LISTED.search(self.description)
        return tuple(one.strip().strip("\"'") for one in found[1].split(",")) if found else ()

    @cached_property
    def meanings(self) -> dict[str, str]:
        """Stems of the words that the description gives values for: 'l' for lines."""
        return {value: stem(word) for value, word in _STANDS_FOR.findall(self.description)}

    def lists(self, value: str) -> bool:
        """Tell whether the description speaks of a value."""
        return value.casefold() in self.description.casefold()


@dataclass(frozen=True)
class Tool:
    """What is known of one tool."""

    name: str
    own: str
    """Its description without sentences that other tools share."""
    description: str
    parameters: dict[str, Parameter]

    @cached_property
    def named(self) -> frozenset[str]:
        """Stems of its name."""
        return stems_of(self.name)

    @cached_property
    def deeds(self) -> frozenset[str]:
        """Groups of verbs that ask for it; its own verb where the lexicon has no group for it."""
        of_name = [stem(word) for word in tokens(self.name)]
        first = [stem(word) for word in tokens(self.own)][:1]
        found = frozenset(deed for word in (*first, *of_name[:1]) for deed in own_deeds(word))
        found = found or frozenset(deed for word in of_name for deed in own_deeds(word))
        return found or frozenset(word for word in (*of_name[:1], *first) if is_base_verb(word))

    @cached_property
    def words(self) -> frozenset[str]:
        """Stems of its name and of the first sentence of its description."""
        first = (word for word in tokens(self.own.split(".")[0]) if word.casefold() not in FUNCTION_WORDS)
        return self.named | frozenset(map(stem, first))

    @cached_property
    def nouns(self) -> frozenset[str]:
        """Stems of its name for what it deals with."""
        return frozenset(w for w in self.named if not deeds_of(w) and len(w) > 1 and w not in lexicon().common)

    @cached_property
    def known_nouns(self) -> frozenset[str]:
        """Those of them that are words of its description too, and no abbreviation."""
        return self.nouns & stems_of(self.own)

    @cached_property
    def parameter_words(self) -> frozenset[str]:
        """Stems of the names of its parameters."""
        return frozenset(word for name in self.parameters for word in telling(name))

    @cached_property
    def context(self) -> frozenset[str]:
        """All stems by which a text may speak of it."""
        return self.named | stems_of(self.description) | self.parameter_words

    @property
    def required(self) -> tuple[Parameter, ...]:
        """The parameters that a call must have."""
        return tuple(one for one in self.parameters.values() if one.required)

    @property
    def takes_numbers(self) -> bool:
        """Whether a call must have a number or a list."""
        return any(one.type in _NUMBERS and not one.options for one in self.required)


class Toolbox:
    """The tools of a run, those it called without a schema among them."""

    def __init__(self, schemas: Sequence[JsonObject], called: Iterable[str] = ()) -> None:
        found = {name: (text, schema) for schema in schemas for name, text in [description_of(schema)] if name}
        often = Counter(one for text, _ in found.values() for one in set(_sentences(text)))
        tools = {
            name: Tool(name, " ".join(one for one in _sentences(text) if often[one] == 1), text, _parameters(schema))
            for name, (text, schema) in found.items()
        }
        self.tools = tools | {name: Tool(name, "", "", {}) for name in called if name not in tools}
        self._shared = Counter(word for tool in self.tools.values() for word in tool.words)

    def __getitem__(self, name: str) -> Tool:
        return self.tools[name]

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """All stems of names, first sentences and parameters."""
        return frozenset(w for tool in self.tools.values() for w in tool.words | tool.parameter_words)

    def weight(self, word: str) -> float:
        """Return how much a stem tells one tool from another: more for one that few tools share."""
        return math.log(1 + len(self.tools) / max(1, self._shared[word]))

    def fit(self, tool: Tool, words: frozenset[str]) -> float:
        """Return how well the words of a text fit a tool, words for being told something left out.

        What its name deals with counts twice when it is said, and against it when it is not.
        """
        said = wide(words)
        telling_words = (tool.words | tool.parameter_words) - lexicon().common
        fit = sum(self.weight(word) for word in telling_words if word in said and "look" not in deeds_of(word))
        return fit + sum(self.weight(noun) * (1 if noun in said else -0.5) for noun in tool.known_nouns)


def _sentences(text: str) -> list[str]:
    """Return the sentences of a description, what stands behind a heading (`Usage: ...`) by itself."""
    found = (text[start:end] for start, end in sentences(text))
    return [piece.strip() for one in found for piece in re.split(r": |(?<=\.)\s+", one) if piece.strip()]


def _parameters(schema: JsonObject) -> dict[str, Parameter]:
    function = schema.get("function")
    body = function if isinstance(function, dict) else schema
    described = body.get("parameters")
    if not isinstance(described, dict):
        return {}
    properties, required = described.get("properties"), described.get("required")
    if not isinstance(properties, dict):
        return {}
    needed = frozenset(str(one) for one in required) if isinstance(required, list) else frozenset[str]()
    return {name: _parameter(name, one, name in needed) for name, one in properties.items()}


def _parameter(name: str, schema: Json, required: bool) -> Parameter:
    said = schema if isinstance(schema, dict) else cast(JsonObject, {})
    kind, text = said.get("type"), said.get("description")
    options = said.get("enum")
    listed = f" [Enum]: [{', '.join(map(str, options))}]" if isinstance(options, list) else ""
    return Parameter(
        name,
        kind if isinstance(kind, str) else "",
        (text if isinstance(text, str) else "") + listed,
        required,
        said.get("default"),
    )
