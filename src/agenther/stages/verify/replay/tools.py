"""What tools are called in plain words: by their names and by what is particular about their descriptions.

Words are compared by their stems, verbs that ask for the same as one (`actions.toml`).
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agenther.record import Json, JsonObject
from agenther.stages.language.descriptions import description_of
from agenther.stages.language.words import FUNCTION_WORDS, sentences, stem, tokens

MOST_SHARE = 0.25
"""Share of all tools from which a word in their descriptions tells none of them apart."""
LEAST_SHARED = 3
"""Tools that a word may always be shared by."""


@dataclass(frozen=True)
class Tool:
    """What is known of one tool."""

    name: str
    deeds: frozenset[str]
    """Words for what it does."""
    named: frozenset[str]
    """All words of its name."""
    described: frozenset[str]
    """Words of its own description, without those of other tools' descriptions."""
    parameters: JsonObject
    """Schemas of its parameters, by name."""

    def mentioned(self, words: frozenset[str]) -> bool:
        """Tell whether one of these words speaks of it."""
        return bool(words & (self.deeds | self.named | self.described))

    def said_of(self, parameter: str) -> str:
        """Return all that the schema says about a parameter, as text."""
        return " ".join(_texts(self.parameters.get(parameter)))


class Toolbox:
    """The tools of a run."""

    def __init__(self, schemas: Sequence[JsonObject], called: Iterable[str] = ()) -> None:
        described = {name: text for name, text in map(description_of, schemas) if name}
        parameters = {description_of(schema)[0]: _parameters(schema) for schema in schemas}
        names = dict.fromkeys((*described, *called))
        often = Counter(own for text in described.values() for own in set(_sentences(text)))
        own_text = {
            name: " ".join(one for one in _sentences(described.get(name, "")) if often[one] == 1) for name in names
        }
        shared = Counter(word for text in own_text.values() for word in words_of(text))
        most = max(LEAST_SHARED, MOST_SHARE * len(names))
        self.tools = {
            name: Tool(
                name,
                _deeds(name, own_text[name]),
                words_of(name),
                frozenset(word for word in words_of(own_text[name]) if shared[word] <= most),
                parameters.get(name, {}),
            )
            for name in names
        }

    def meant_by(self, word: str) -> frozenset[str]:
        """Return the names of the tools that a word may speak of."""
        return frozenset(tool.name for tool in self.tools.values() if tool.mentioned(frozenset({word})))

    def doing(self, word: str) -> frozenset[str]:
        """Return the names of the tools that do what a word says, if it is a verb."""
        return frozenset(tool.name for tool in self.tools.values() if word in tool.deeds)


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text that carry its matter, each as the first of those that mean the same."""
    return frozenset(canonical(word) for word in tokens(text) if word.casefold() not in FUNCTION_WORDS)


def canonical(word: str) -> str:
    """Return the word that stands for all those that ask for the same."""
    base = stem(word)
    return _actions()[0].get(base, base)


@cache
def _actions() -> tuple[dict[str, str], frozenset[str]]:
    """Return the first word of each verb's group, and the verbs that say little."""
    read = tomllib.loads(Path(__file__).with_name("actions.toml").read_text(encoding="utf-8"))
    groups = {stem(word): stem(group.split()[0]) for group in read["groups"] for word in group.split()}
    return groups, frozenset(map(stem, read["general"].split()))


def _deeds(name: str, description: str) -> frozenset[str]:
    """Return the words for what a tool does: by its name and the first word of its description."""
    of_name = [stem(word) for word in tokens(name)]
    general = _actions()[1]
    own = of_name[:1] if of_name and of_name[0] not in general else of_name[1:]
    first = [stem(word) for word in tokens(description) if word.casefold() not in FUNCTION_WORDS][:1]
    return frozenset(map(canonical, (*own, *(word for word in first if word not in general))))


def _sentences(text: str) -> list[str]:
    """Return the sentences of a description, what is said behind a heading (`Usage: ...`) by itself."""
    found = (text[start:end] for start, end in sentences(text))
    return [piece.strip() for one in found for piece in one.split(": ") if piece.strip()]


def _parameters(schema: JsonObject) -> JsonObject:
    body = schema.get("function")
    body = body if isinstance(body, dict) else schema
    parameters = body.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    return properties if isinstance(properties, dict) else {}


def _texts(value: Json) -> Iterable[str]:
    if isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
    elif value is not None:
        yield str(value)
