"""What tools are called in plain words: by their names and by what is particular about their descriptions.

Words are compared by their stems, verbs that ask for the same as one (`actions.toml`).
"""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from agenther.record import Json, JsonObject
from agenther.stages.language.descriptions import description_of
from agenther.stages.language.words import FUNCTION_WORDS, is_base_verb, sentences, stem, tokens

MOST_SHARE = 0.25
"""Share of all tools from which a word in their descriptions tells none of them apart."""
LEAST_SHARED = 3
"""Tools that a word may always be shared by."""

BETTER = 1.25
"""How much more must be said of a tool than of one that was called, for it to be the one that is meant."""


@dataclass(frozen=True)
class Tool:
    """What is known of one tool."""

    name: str
    deeds: frozenset[str]
    """Words for what it does."""
    verbs: frozenset[str]
    """Those of them that are surely verbs."""
    named: frozenset[str]
    """All words of its name."""
    described: frozenset[str]
    """Words of its own description and of its parameters' names, without those that many tools share."""
    parameters: JsonObject
    """Schemas of its parameters, by name."""

    @cached_property
    def words(self) -> frozenset[str]:
        """All words that speak of it."""
        return self.deeds | self.named | self.described

    def mentioned(self, words: frozenset[str]) -> bool:
        """Tell whether one of these words speaks of it."""
        return not words.isdisjoint(self.words)

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
        said = {name: words_of(" ".join((own_text[name], *parameters.get(name, {})))) for name in names}
        shared = Counter(word for words in said.values() for word in words)
        most = max(LEAST_SHARED, MOST_SHARE * len(names))
        self.tools = {
            name: Tool(
                name,
                _deeds(name, own_text[name]),
                _verbs(name, own_text[name]),
                words_of(name),
                frozenset(word for word in said[name] if shared[word] <= most),
                parameters.get(name, {}),
            )
            for name in names
        }

        self._n_with = Counter(word for tool in self.tools.values() for word in tool.words)

    def meant_by(self, word: str) -> frozenset[str]:
        """Return the names of the tools that a word may speak of."""
        return frozenset(tool.name for tool in self.tools.values() if tool.mentioned(frozenset({word})))

    def fitting_better(self, words: frozenset[str], called: frozenset[str]) -> frozenset[str]:
        """Return the names of tools of which clearly more is said than of any that was called, rare words counting more."""
        scores = {name: sum(self._weight(word) for word in words & tool.words) for name, tool in self.tools.items()}
        least = BETTER * max((scores[name] for name in called), default=0.0)
        return frozenset(name for name, score in scores.items() if score > least)

    def _weight(self, word: str) -> float:
        return math.log(1 + len(self.tools) / self._n_with[word])

    def doing(self, word: str) -> frozenset[str]:
        """Return the names of the tools that surely do what a verb says."""
        return frozenset(tool.name for tool in self.tools.values() if word in tool.verbs)


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


def _verbs(name: str, description: str) -> frozenset[str]:
    """Return the first words of a name and of a description, where they say what is done."""
    of_name = [word.casefold() for word in tokens(name)]
    of_text = [stem(word) for word in tokens(description) if word.casefold() not in FUNCTION_WORDS][:1]
    first = of_name[:1] if of_name and stem(of_name[0]) == of_name[0] and of_name[1:2] != ["get"] else []
    found = (word for word in (*first, *of_text) if is_base_verb(word) or of_name == [word])
    return frozenset(canonical(word) for word in found if word not in _actions()[1])


def _deeds(name: str, description: str) -> frozenset[str]:
    """Return the words for what a tool does: its verbs, the first word of its name, or all others behind a general one."""
    of_name = [stem(word) for word in tokens(name)]
    own = of_name[:1] if of_name and of_name[0] not in _actions()[1] else of_name[1:]
    return frozenset(map(canonical, own)) | _verbs(name, description)


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
