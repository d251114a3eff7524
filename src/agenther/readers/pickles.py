"""Pickles as plain data: a small machine of our own over the opcodes that `pickletools` names. Nothing is ever called.

`pickle.Unpickler` with an inert `find_class` would not do: its memo can be told to take any amount of memory, extension
codes may come from a cache beside `find_class`, and a nested key is hashed without end. Here names of classes and functions
stay names, what they would have been called with becomes an `Inert`, keys become texts, and every length has a limit.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from agenther.errors import ReadError
from agenther.readers.files import BAD_FILE, open_input
from agenther.texts import storable

MAX_BYTES = 64 << 20
"""No pickle is read that has more bytes, unpacked."""
MAX_OPCODES = 6_000_000
"""No pickle is read that has more opcodes: each may take a hundred bytes of memory."""
_MAX_NAME = 500
"""Characters of the name of a class or function."""
_MAX_STATES = 10
"""States that one instance may be given."""

_MARK, _STOP, _MEMOIZE, _LONG_BINGET, _BININT1, _SHORT_BINUNICODE = b"(.\x94jK\x8c"
_BAD_PICKLE = (ValueError, TypeError, IndexError, KeyError, OverflowError, MemoryError)
"""What a broken pickle can raise in the library's tables and in the machine."""


class Inert:
    """What stands where a pickle names a class or a function, or what one would have made: a name and plain data."""

    __slots__ = ("args", "items", "name", "own", "states")

    def __init__(self, name: str, args: object = ()) -> None:
        self.name, self.args = name, args
        self.states: tuple[object, ...] = ()
        """What would have been given to the instance: dicts of attributes, or whatever its class takes."""
        self.own: dict[str, object] | None = None
        """The members of an instance that is a dict itself."""
        self.items: list[object] | None = None
        """The members of an instance that is a list itself."""

    def __repr__(self) -> str:
        return f"<{self.name}>"


def load_pickle(path: Path) -> object:
    """Return what a pickle file holds (.gz and .zst decompressed): None, bool, int, float, str, bytes, list, tuple, dict, Inert.

    Parts may be shared or hold themselves: take members with `member`, never walk or print the whole. A set is a list; the
    keys of a dict are texts.

    Raises:
        ReadError: the file is no pickle, is too large, or asks for what only running code can give.
    """
    try:
        with open_input(path) as file:
            data = file.read(MAX_BYTES + 1)
    except BAD_FILE as error:
        raise ReadError(str(path), None, "file", "a readable file", str(error)) from None
    if len(data) > MAX_BYTES:
        raise ReadError(str(path), None, "file", f"a pickle of at most {MAX_BYTES >> 20} MiB", "more")
    try:
        return _Machine().run(data)
    except _BAD_PICKLE as error:
        raise ReadError(str(path), None, "pickle", "plain data", f"{type(error).__name__}: {error}"[:200]) from None


def member(value: object, *names: str) -> object:
    """Return the member of a dict or of an inert instance that a path of names leads to; None where there is none."""
    for name in names:
        held = (*value.states, value.own) if isinstance(value, Inert) else (value,)
        dicts = [cast(dict[str, object], one) for one in held if isinstance(one, dict)]
        value = next((one[name] for one in reversed(dicts) if name in one), None)
    return value


class _Machine:
    """The stack machine of the pickle protocols 0 to 5."""

    def __init__(self) -> None:
        self.stack: list[object] = []
        self.below: list[list[object]] = []
        self.memo: dict[int, object] = {}

    def run(self, data: bytes) -> object:
        """Run a pickle to its end; the opcodes of which large ones consist are told apart here, for speed."""
        memo, file, at, n = self.memo, io.BytesIO(data), 0, 0
        while at < len(data):
            code, at, n = data[at], at + 1, n + 1
            if n > MAX_OPCODES:
                raise ValueError(f"more than {MAX_OPCODES} opcodes")
            if code == _MEMOIZE:
                memo[len(memo)] = self.stack[-1]
            elif code == _LONG_BINGET:
                self.stack.append(memo[int.from_bytes(data[at : at + 4], "little")])
                at += 4
            elif code == _BININT1:
                self.stack.append(data[at])
                at += 1
            elif code == _SHORT_BINUNICODE:
                end = at + 1 + data[at]
                self.stack.append(storable(data[at + 1 : end].decode("utf-8", "surrogatepass")))
                at = end
            elif code == _MARK:
                self.below.append(self.stack)
                self.stack = []
            elif code == _STOP:
                return self.stack.pop()
            elif code in _BARE:
                _BARE[code](self, None)
            else:
                file.seek(at)
                self.read_value(code, file)
                at = file.tell()
        raise ValueError("the pickle ends too early")

    def read_value(self, code: int, file: io.BytesIO) -> None:
        """Do what an opcode says whose argument begins where the file stands."""
        name, reader = _OPCODES.get(code, ("unknown", None))
        argument = None if reader is None else reader(file)
        if name in _VALUES:
            self.stack.append(_plain(argument))
        elif name in _ACTIONS:
            _ACTIONS[name](self, argument)
        elif name not in _FRAMING:
            raise ValueError(f"opcode {name} is not plain data")

    def since_mark(self) -> list[object]:
        """Take all that lies above the last mark, and the mark."""
        taken, self.stack = self.stack, self.below.pop()
        return taken

    def get(self, number: object) -> None:
        self.stack.append(self.memo[cast(int, number)])

    def put(self, number: object) -> None:
        self.memo[cast(int, number)] = self.stack[-1]

    def duplicate(self, _: object) -> None:
        self.stack.append(self.stack[-1])

    def pop(self, _: object) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.since_mark()

    def pop_mark(self, _: object) -> None:
        self.since_mark()

    def new_list(self, _: object) -> None:
        self.stack.append([])

    def new_dict(self, _: object) -> None:
        self.stack.append({})

    def list_above(self, _: object) -> None:
        items = self.since_mark()
        self.stack.append(items)

    def tuple_above(self, _: object) -> None:
        items = self.since_mark()
        self.stack.append(tuple(items))

    def dict_above(self, _: object) -> None:
        items = self.since_mark()
        self.stack.append({})
        self.set_all(items)

    def tuple_of(self, n: int) -> None:
        if len(self.stack) < n:
            raise IndexError("too few values for a tuple")
        items = tuple(self.stack[-n:])
        del self.stack[-n:]
        self.stack.append(items)

    def append(self, _: object) -> None:
        self.add_all([self.stack.pop()])

    def append_above(self, _: object) -> None:
        items = self.since_mark()
        self.add_all(items)

    def set_item(self, _: object) -> None:
        value = self.stack.pop()
        self.set_all([self.stack.pop(), value])

    def set_above(self, _: object) -> None:
        items = self.since_mark()
        self.set_all(items)

    def add_all(self, items: list[object]) -> None:
        target = self.stack[-1]
        if isinstance(target, Inert):
            target.items = target.items or []
            target.items += items
        elif isinstance(target, list):
            cast(list[object], target).extend(items)
        else:
            raise TypeError(f"items for a {type(target).__name__}")

    def set_all(self, items: list[object]) -> None:
        target = self.stack[-1]
        if isinstance(target, Inert):
            target.own = target.own or {}
            held = target.own
        elif isinstance(target, dict):
            held = cast(dict[str, object], target)
        else:
            raise TypeError(f"keys and values for a {type(target).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            held[_key(key)] = value

    def name(self, argument: object) -> None:
        module, _, name = str(argument).partition(" ")
        self.stack.append(_named(module, name))

    def name_above(self, _: object) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.stack.append(_named(module, name))

    def reduce(self, _: object) -> None:
        arguments, called = self.stack.pop(), self.stack.pop()
        self.stack.append(_made(called, arguments))

    def reduce_with_keywords(self, _: object) -> None:
        keywords = self.stack.pop()
        self.reduce(None)
        self.build_with(keywords)

    def instance(self, argument: object) -> None:
        arguments = self.since_mark()
        self.name(argument)
        self.stack.append(_made(self.stack.pop(), tuple(arguments)))

    def object(self, _: object) -> None:
        called, *arguments = self.since_mark()
        self.stack.append(_made(called, tuple(arguments)))

    def build(self, _: object) -> None:
        self.build_with(self.stack.pop())

    def build_with(self, state: object) -> None:
        """Keep a state, shared and not copied: it may be large and given to many."""
        target = self.stack[-1]
        if isinstance(target, Inert):
            parts = cast(tuple[object, ...], state) if isinstance(state, tuple) else ()
            of_slots = len(parts) == 2 and all(part is None or isinstance(part, dict) for part in parts)
            if len(target.states) >= _MAX_STATES:
                raise ValueError("one state after the other")
            target.states += parts if of_slots else (state,)
        elif not isinstance(target, dict | list):
            raise TypeError(f"a state for a {type(target).__name__}")


def _plain(value: object) -> object:
    return storable(value) if isinstance(value, str) else bytes(value) if isinstance(value, bytearray) else value


def _key(value: object) -> str:
    """Return a key as text; one that is long or nested is named by its type."""
    if isinstance(value, str):
        return value
    small = value is None or isinstance(value, bool | float) or (isinstance(value, int) and value.bit_length() < 64)
    return str(value) if small else f"<{type(value).__name__}>"


def _named(module: object, name: object) -> Inert:
    if not isinstance(name, str) or not isinstance(module, str) or len(module) + len(name) > _MAX_NAME:
        raise ValueError("a name that is no short text")
    return Inert(f"{module}.{name}")


def _made(called: object, arguments: object) -> object:
    """Return the plain data that a call would have made, where it is at hand; else an inert instance."""
    if not isinstance(called, Inert):
        raise TypeError(f"a call of a {type(called).__name__}")
    given = cast(tuple[object, ...], arguments) if isinstance(arguments, tuple) else ()
    first = given[0] if given else None
    module, _, name = called.name.rpartition(".")
    if module in ("copyreg", "copy_reg") and isinstance(first, Inert):
        return _rebuilt(first.name, given[2] if len(given) == 3 else None)
    if module in ("builtins", "__builtin__") and name in ("set", "frozenset", "list", "tuple"):
        return cast(object, first) if isinstance(first, list | tuple) else []
    if called.name in _DICTS and not isinstance(first, list):
        return {}
    return Inert(called.name, cast(object, arguments))


def _rebuilt(name: str, base: object) -> Inert:
    """Return an instance of a subclass of dict or list, as the protocols 0 and 1 write it: with what it holds."""
    made = Inert(name)
    made.own = cast(dict[str, object], base) if isinstance(base, dict) else None
    made.items = cast(list[object], base) if isinstance(base, list) else None
    return made


_DICTS = ("collections.OrderedDict", "collections.defaultdict", "builtins.dict", "__builtin__.dict")
_VALUES = frozenset(
    "INT BININT BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES "
    "BINBYTES8 BYTEARRAY8 UNICODE BINUNICODE BINUNICODE8".split()
)
_FRAMING = frozenset({"PROTO", "FRAME"})
_ACTIONS: dict[str, Callable[[_Machine, object], None]] = {
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.put),
    "NONE": lambda machine, _: machine.stack.append(None),
    "NEWTRUE": lambda machine, _: machine.stack.append(True),
    "NEWFALSE": lambda machine, _: machine.stack.append(False),
    "EMPTY_TUPLE": lambda machine, _: machine.stack.append(()),
    "DUP": _Machine.duplicate,
    "POP": _Machine.pop,
    "POP_MARK": _Machine.pop_mark,
    **dict.fromkeys(("EMPTY_LIST", "EMPTY_SET"), _Machine.new_list),
    "EMPTY_DICT": _Machine.new_dict,
    **dict.fromkeys(("LIST", "FROZENSET"), _Machine.list_above),
    "TUPLE": _Machine.tuple_above,
    "DICT": _Machine.dict_above,
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "APPEND": _Machine.append,
    **dict.fromkeys(("APPENDS", "ADDITEMS"), _Machine.append_above),
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_above,
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.name_above,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine.reduce),
    "NEWOBJ_EX": _Machine.reduce_with_keywords,
    "INST": _Machine.instance,
    "OBJ": _Machine.object,
    "BUILD": _Machine.build,
}
"""What is not among these (persistent ids, extension codes, buffers from elsewhere) is refused."""
_OPCODES: dict[int, tuple[str, Callable[[io.BytesIO], object] | None]] = {
    ord(opcode.code): (opcode.name, None if opcode.arg is None else opcode.arg.reader)
    for opcode in cast(list[Any], pickletools.opcodes)
}
"""Name of each opcode, and what reads its argument."""
_BARE = {code: _ACTIONS[name] for code, (name, reader) in _OPCODES.items() if reader is None and name in _ACTIONS}
"""Actions of the opcodes without an argument."""
