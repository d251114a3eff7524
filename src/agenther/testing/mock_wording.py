"""Requests worded mechanically from the calls of a shown step: what a look-up answers, or what a change does.

Every name and value is the call's own, in quotes; the rest is a frame around them. True of the call as far as they go, and no
better.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from agenther.record import Json, JsonObject
from agenther.stages.detect.signs import ANSWERING
from agenther.stages.language.deeds import LOOKING
from agenther.stages.language.shell.calls import command_of
from agenther.stages.language.sql.parse import is_sql
from agenther.stages.language.words import FUNCTION_WORDS, is_base_verb, split_name
from agenther.testing.shown import ShownStep
from agenther.trajectory import ToolCall

_TABLE = re.compile(r"\b(?:FROM|JOIN|DESC|DESCRIBE)\s+(\w+)", re.IGNORECASE)
_COUNTS = re.compile(r"\A\s*SELECT\s+COUNT\s*\(", re.IGNORECASE)
_CONDITION = re.compile(r"(?:\w+\.)?(?P<column>\w+)\s*(?P<sign>[=<>])\s*(?P<value>'[^'\"\\]+'|\d[\d.]*)")
_SIGNS = {"=": "", "<": "under ", ">": "over "}
_PATH = re.compile(r"(?<![\w.*/-])/?[\w.-]+(?:/[\w.-]+)+(?![\w/*])")
_QUOTED = re.compile(r"""(?P<q>["'])(?P<text>[^"'\\]+)(?P=q)""")
_CALLED = re.compile(r"""\b(?P<name>[a-z]\w*)\((?P<values>"[^"\\]+"(?:, ?"[^"\\]+")*)\)""")
_PLAIN = re.compile(r"[^\n\"“”\\{}<>|]{1,80}")
_BARE_KEYS = frozenset("query q target text input keywords".split())
_TOWARDS = {
    "from": "from",
    "to": "to",
    "with": "with",
    "on": "on",
    "take": "from",
    "heat": "with",
    "cool": "with",
    "clean": "with",
}


@dataclass(frozen=True)
class Worded:
    """A request, and which of its words stand where in the call."""

    text: str
    parts: tuple[tuple[str, str], ...]
    """Words of the request, and the characters of the call that say the same."""
    head: str
    """The words that what came back stands for."""
    effect: bool = False


def wordings(step: ShownStep) -> Iterator[Worded]:
    """Yield the requests that the calls of a step answer or carry out."""
    calls = [text for text in step.texts if text.kind == "call"]
    if any(call.name.casefold() in ANSWERING for call in calls):
        return
    for call in calls:
        values = _values(call.text)
        command = command_of(ToolCall(function_name=call.name, arguments=call.text))
        statement = next((v for v in values.values() if isinstance(v, str) and is_sql(v)), None)
        if statement is not None:
            yield from _of_statement(statement)
        elif command is not None:
            yield from _of_command(command)
        else:
            yield from _of_tool(call.name, values)
    if not calls:
        yield from _of_program(step.all_of("message"))


def _values(arguments: str) -> JsonObject:
    try:
        found: Json = json.loads(arguments)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _of_statement(statement: str) -> Iterator[Worded]:
    tables = list(dict.fromkeys(_TABLE.findall(statement)))
    if not tables:
        return
    named = " and ".join(tables)
    parts = [(table, table) for table in tables]
    if statement.lstrip()[:4].upper() == "DESC":
        yield Worded(f"Which columns has the table {named}?", tuple(parts), "Which columns")
        return
    with_values: list[str] = []
    for match in _CONDITION.finditer(statement):
        value = match["value"].strip("'")
        quoted = f'"{value}"' if match["value"].startswith("'") else value
        with_values.append(f"{match['column']} {_SIGNS[match['sign']]}{quoted}")
        parts.append((with_values[-1], match.group()))
    head = "How many" if _COUNTS.match(statement) else "Which"
    text = f"{head} {named} are there{' with ' if with_values else ''}{' and '.join(with_values)}?"
    yield Worded(text, tuple(parts), f"{head} {named}")


def _of_command(command: str) -> Iterator[Worded]:
    program = command.split()[0]
    paths = [match.group() for match in _PATH.finditer(command)]
    quoted = [match["text"] for match in _QUOTED.finditer(command)]
    if not paths:
        return
    parts = [(paths[0], paths[0]), *((f'"{text}"', text) for text in quoted)]
    texts = " and ".join(f'"{text}"' for text in quoted)
    match program:
        case "find" | "ls":
            head = "How many files" if "| wc" in command else "Which files"
            text = f"{head} are there under {paths[0]}{texts and f' with names like {texts}'}?"
        case "grep" | "egrep" if quoted:
            head = "Which lines"
            text = f"{head} hold {texts} in {paths[0]}?"
        case "cat" | "head" | "tail":
            head = "What"
            text = f"What does the file {paths[0]} hold?"
        case _:
            return
    yield Worded(text, tuple(parts), head)


def _of_tool(name: str, values: JsonObject) -> Iterator[Worded]:
    words = [word.casefold() for word in split_name(name)]
    given = {key: str(value) for key, value in values.items() if isinstance(value, str | int | float)}
    if not given or not all(_PLAIN.fullmatch(value) for value in given.values()):
        return
    said = {
        key: f'"{value}"' if key in _BARE_KEYS else f'{key.replace("_", " ")} "{value}"' for key, value in given.items()
    }
    if LOOKING.intersection(words):
        parts = tuple((said[key], given[key]) for key in given)
        nouns = [word for word in words if word not in LOOKING | FUNCTION_WORDS]
        nouns += ["results"] if "search" in words else [] if nouns else ["things"]
        head = f"Which {' '.join(nouns)}"
        yield Worded(f"{head} are there for {' and '.join(said.values())}?", parts, head)
    elif is_base_verb(words[0]):
        yield _change([(words, list(given.values()))])


def _of_program(message: str) -> Iterator[Worded]:
    """Yield the change that the calls in a program make."""
    calls = [(split_name(match["name"]), _QUOTED.findall(match["values"])) for match in _CALLED.finditer(message)]
    made = [
        (list(words), [text for _, text in values])
        for words, values in calls
        if is_base_verb(words[0]) and not LOOKING.intersection(words) and words[0] not in ("open", "print")
    ]
    if made:
        yield _change([one for one, _ in groupby(made)])


def _change(calls: list[tuple[list[str], list[str]]]) -> Worded:
    done: list[str] = []
    for words, values in calls:
        towards = next((_TOWARDS[word] for word in words[::-1] if word in _TOWARDS), "in")
        done.append(f"{words[0]} " + f" {towards} ".join(f'"{value}"' for value in values))
    text = " and ".join(done)
    named = dict.fromkeys(value for _, values in calls for value in values)
    return Worded(
        text[0].upper() + text[1:],
        tuple((f'"{value}"', value) for value in named),
        text.split()[0].capitalize(),
        effect=True,
    )
