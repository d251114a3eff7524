"""The language of household text games: what the game prints, what an agent can do, and how one asks for it.

Events are read from the printed lines alone. Actions are read from the agent's side in three forms: calls inside Python
code, structured tool calls, and typed commands such as `put mug 1 in/on shelf 2`.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from agenther.trajectory import Span, Step, ToolCall

_THING = r"[a-z][a-z-]*(?:\ [a-z]+)?\ \d+"
_LINE = re.compile(
    rf"""^(?:Observation:\ *)?(?:You\ arrive\ at\ [^.\n]*\.\ )?(?:
    You\ (?:pick\ up|take)\ the\ (?P<take>{_THING})\ from\ the\ (?P<from>{_THING})
    |You\ (?:put|move)\ the\ (?P<put>{_THING})\ (?:in/on|in|on|to)\ the\ (?P<onto>{_THING})
    |You\ (?P<change>clean|heat|cool)\ the\ (?P<changed>{_THING})\ using\ the\ (?P<using>{_THING})
    |You\ turn\ on\ the\ (?P<light>{_THING})
    |You\ (?P<door>open|close)\ the\ (?P<doored>{_THING})\.(?:\ The\ {_THING}\ is\ open\.\ In\ it,\ you\ see\ (?P<inside>[^\n]*))?
    |(?:On\ the\ (?P<on>{_THING}),\ you\ see|The\ (?P<opened>{_THING})\ is\ open\.\ In\ it,\ you\ see)\ (?P<seen>[^\n]*)
    |(?P<refused>Nothing\ happens)
    )""",
    re.VERBOSE | re.MULTILINE,
)
_CHANGED = re.compile(r"You (?:put|move|clean|heat|cool|turn on) the ")
"""How each line of a change other than taking begins."""
_NAME = re.compile(_THING)
_ARTICLE = re.compile(r"\b(?:and|an|a|the) ")
INVENTED = re.compile(
    r"\byou (?:pick up|put|clean|heat|cool|turn on|open) the\b|^\s*Observation:", re.IGNORECASE | re.MULTILINE
)
"""What only the game may say: found in an agent's own prose it is a made-up result."""
CHANGES = ("put", "clean", "heat", "cool", "light")
"""Kinds of events that leave the world changed, beside taking a thing."""
_PRINTED = re.compile(r"\byou (?:pick up|take|put|move|clean|heat|cool|turn on) the\b", re.IGNORECASE)
_CHANGING = {
    "put": "put", "move": "put", "clean": "clean", "heat": "heat", "cool": "cool", "toggle": "light", "use": "light"
}  # fmt: skip
_LOOKING = re.compile(r"(?:go_?to|open|close|look|inventory|examine|inspect)(?:_|\b)", re.IGNORECASE)
_COMMAND = re.compile(
    r"(?im)^\s*(?:>|action:)?\s*(?:(?P<verb>put|move|clean|heat|cool|use|toggle)\s+[a-z]+ \d+"
    r"|(?P<look>go to|open|close|look|inventory|examine|take)\b)[^\n]*$"
)


@dataclass(frozen=True)
class Event:
    """One line that the game printed."""

    kind: str
    """`take`, `put`, `clean`, `heat`, `cool`, `light`, `open`, `close`, `list` or `refused`."""
    thing: str
    """The object with its number (`mug 1`); for a list, a door and a light the receptacle; empty when refused."""
    place: str
    """The receptacle with its number; empty where the line has none."""
    seen: tuple[str, ...]
    """What a list shows."""
    span: Span


def tells_of_change(text: str) -> bool:
    """Tell whether an observation may hold a line of a change other than taking: a cheap look before reading its lines."""
    return _CHANGED.search(text) is not None


def events(step: Step) -> Iterator[Event]:
    """Yield what the game printed after a step, in order, leaving out lines that the agent's own code may have printed."""
    own = any(_PRINTED.search(call.arguments) for call in step.tool_calls)
    for i, observation in enumerate(step.observations):
        for match in _LINE.finditer(observation.content):
            event = _event(match, step.step_id, f"observations[{i}].content")
            if not (own and event.kind in ("take", *CHANGES)):
                yield event


def _event(match: re.Match[str], step: int, field: str) -> Event:
    part = match.groupdict()
    span = Span(step=step, field=field, start=match.start(), end=match.end())
    kind, thing, place, seen = "refused", "", "", ""
    if part["take"]:
        kind, thing, place = "take", part["take"], part["from"]
    elif part["put"]:
        kind, thing, place = "put", part["put"], part["onto"]
    elif part["changed"]:
        kind, thing, place = part["change"], part["changed"], part["using"]
    elif part["light"]:
        kind, thing = "light", part["light"]
    elif part["doored"]:
        kind, thing, place, seen = part["door"], part["doored"], part["doored"], part["inside"] or ""
    elif part["on"] or part["opened"]:
        kind = "list"
        thing = place = part["on"] or part["opened"]
        seen = part["seen"]
    return Event(kind=kind, thing=thing, place=place, seen=_names(seen), span=span)


def _names(listing: str) -> tuple[str, ...]:
    return tuple(_NAME.findall(_ARTICLE.sub("", listing)))


def sort_of(name: str) -> str:
    """Return what a thing is without its number: `mug` for `mug 1`."""
    return name.rsplit(" ", 1)[0]


@dataclass(frozen=True)
class Doings:
    """What a step asks of the game."""

    changes: tuple[str, ...]
    """Kinds of the calls that change the world (`put`, `clean`, ...), one a call site."""
    hidden: int
    """How many of them have a result that is never printed."""
    words: str
    """All that a step says in its calls, without the places that are only searched or walked to."""


def doings(step: Step) -> Doings:
    """Read a step's actions, in whichever of the three forms it writes them."""
    if not step.tool_calls:
        commands = [m for m in _COMMAND.finditer(step.message) if m["verb"]]
        return Doings(tuple(_CHANGING[m["verb"].lower()] for m in commands), 0, " ".join(m.group() for m in commands))
    found = [_doings_of(call) for call in step.tool_calls]
    return Doings(
        changes=tuple(kind for one in found for kind in one.changes),
        hidden=sum(one.hidden for one in found),
        words="\n".join(one.words for one in found),
    )


def words_of(call: ToolCall) -> str:
    """Return what a call says of the task: no places of a search, no walking, no opening of doors."""
    return _doings_of(call).words


def _doings_of(call: ToolCall) -> Doings:
    code = call.text("code", "python", "source")
    if code is not None:
        return _doings_in_code(code)
    texts = [value for value in call.values.values() if isinstance(value, str)]
    kind = next((kind for name, kind in _CHANGING.items() if call.function_name.lower().startswith(name)), None)
    if kind is not None:
        return Doings((kind,), 0, f"{call.function_name} {' '.join(texts)}")
    if _LOOKING.match(call.function_name):
        return Doings((), 0, "")
    commands = list(_COMMAND.finditer("\n".join(texts)))
    changes = tuple(_CHANGING[m["verb"].lower()] for m in commands if m["verb"])
    only_looks = commands and not changes and all(_LOOKING.match(m["look"].replace(" ", "_")) for m in commands)
    return Doings(changes, 0, "" if only_looks else " ".join(texts))


def _doings_in_code(code: str) -> Doings:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return Doings((), 0, code)
    visitor = _Code()
    visitor.visit(tree)
    sites = [kind for kind, _ in visitor.sites]
    hidden = sum(1 for _, shown in visitor.sites if not (shown is True or shown in visitor.printed))
    return Doings(tuple(sites), hidden, "\n".join((*visitor.words, *_comments(code))))


def _comments(code: str) -> list[str]:
    try:
        found = tokenize.generate_tokens(io.StringIO(code).readline)
        return [token.string for token in found if token.type == tokenize.COMMENT]
    except (tokenize.TokenError, IndentationError):
        return []


class _Code(ast.NodeVisitor):
    """Collects calls that change the world and the words of a program, leaving out lists of places and walking."""

    def __init__(self) -> None:
        self.sites: list[tuple[str, str | bool]] = []
        self.words: list[str] = []
        self.printed: set[str] = set()
        self._target: str | bool = False
        self._in_list = False

    def visit_Call(self, node: ast.Call) -> None:
        """Note a call, and whether its result is printed."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "print":
            self.printed |= {n.id for arg in node.args for n in ast.walk(arg) if isinstance(n, ast.Name)}
            self._with_target(True, node.args)
            return
        if name in _CHANGING:
            self.sites.append((_CHANGING[name], self._target))
        if name:
            self.words.append("" if _LOOKING.match(name) else name)
        else:
            self.visit(node.func)
        if not _LOOKING.match(name):
            for part in (*node.args, *node.keywords):
                self.visit(part)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Remember the name that takes a result."""
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        self.words += names
        self._with_target(names[0] if names else False, [node.value])

    def _with_target(self, target: str | bool, nodes: list[ast.expr]) -> None:
        before, self._target = self._target, target
        for node in nodes:
            self.visit(node)
        self._target = before

    def _in_places(self, node: ast.AST) -> None:
        before, self._in_list = self._in_list, True
        self.generic_visit(node)
        self._in_list = before

    def visit_List(self, node: ast.List) -> None:
        """Enter a list of places."""
        self._in_places(node)

    def visit_Tuple(self, node: ast.Tuple) -> None:
        """Enter a list of places."""
        self._in_places(node)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        """Enter a list of places."""
        self._in_places(node)

    def visit_Name(self, node: ast.Name) -> None:
        """Note a name."""
        self.words.append(node.id)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Note the name of a function and read its body."""
        self.words.append(node.name)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Note a text that is not in a list of places."""
        if isinstance(node.value, str) and not self._in_list:
            self.words.append(node.value)


_SPELT = {"heat": "heat hot heated warm", "cool": "cool cold cooled chill chilled", "clean": "clean cleaned wash rinse"}
_STATES = {word: state for state, words in _SPELT.items() for word in words.split()}
_LAMP = re.compile(r"\b(?:look at|examine|inspect)\b.*\b(\w*lamp|light)\b", re.IGNORECASE)
_SMALL = frozenset(
    "a an the some any it its them in on into onto at to of and then with using under by put place move set find take get"
    " go look examine inspect one your task is please back inside".split()
)
_COUNTS = {"two": "2", "three": "3", "both": "2"}


def constraints(goal: str) -> frozenset[str]:
    """Return what a household request asks for, in words that do not depend on how it is put.

    Things and places keep their names in the singular; states and counts are named alike however they are spelt.
    """
    asked: set[str] = set()
    for word in re.findall(r"[a-z]+|\d+", goal.lower()):
        if word in _STATES:
            asked.add(f"={_STATES[word]}")
        elif word not in _SMALL:
            asked.add(_COUNTS.get(word) or (word if len(word) < 4 else word.removesuffix("s")))
    if _LAMP.search(goal):
        asked.add("=light")
    return frozenset(asked)


HOLLOW = frozenset(
    "safe drawer cabinet fridge microwave garbagecan sinkbasin sink bathtubbasin laundryhamper box cart oven dishwasher"
    " cupboard bin basket closet wardrobe pot pan bowl".split()
)
"""Places that hold things inside, where no door tells."""
_UNCOUNTED = frozenset("bread toiletpaper paper soap water butter cheese".split())


def a(noun: str) -> str:
    """Return a noun with the article of a first mention."""
    if noun in _UNCOUNTED:
        return f"some {noun}"
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
