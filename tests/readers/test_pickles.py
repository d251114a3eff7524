"""Pickles that would run code, import, or take all memory and time: each comes out as plain data or as a ReadError."""

import copyreg
import gzip
import os
import pickle
import resource
import struct
import subprocess
import sys
import time
from collections import OrderedDict, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PosixPath
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenther.errors import ReadError
from agenther.readers import pickles
from agenther.readers.pickles import Inert, load_pickle, member
from agenther.testing.strategies import json_values

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def load(folder: Path, content: bytes) -> object:
    path = folder / "x.pkl"
    path.write_bytes(content)
    return load_pickle(path)


class Evil:
    """Pickles as a call of anything."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


@dataclass
class Kiln:
    name: str = "north"
    firings: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


class Shelf(dict[str, Any]):
    pass


class Row(list[Any]):
    pass


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=json_values() | st.tuples(st.text(), json_values(2)))
def test_plain_values_come_back_as_they_were(tmp_path: Path, protocol: int, value: object):
    assert load(tmp_path, pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_instances_of_any_class_come_back_inert_with_their_members(tmp_path: Path, protocol: int):
    shelf, row = Shelf(top="bowl"), Row([1, 2])
    kiln = Kiln(firings=[{"cone": 6, "at": PosixPath("/kiln"), "shelf": shelf, "row": row, "seen": {3}}])
    found = load(tmp_path, pickle.dumps(kiln, protocol))
    assert isinstance(found, Inert)
    assert found.name.endswith("test_pickles.Kiln")
    assert member(found, "name") == "north"
    firings = cast(list[object], member(found, "firings"))
    assert member(firings[0], "cone") == 6
    assert member(firings[0], "shelf", "top") == "bowl"
    assert member(firings[0], "seen") == [3]
    own = member(firings[0], "row")
    assert isinstance(own, Inert)
    assert own.items == [1, 2]
    assert member(found, "name", "deeper", "still") is None
    assert member(firings, "cone") is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_ordered_dicts_are_dicts_and_other_keys_are_texts(tmp_path: Path, protocol: int):
    value: Any = OrderedDict(a=1), defaultdict(list, {"b": [2]}), {1: "x", None: "y", (1, 2): "z", 2**70: "w"}
    assert load(tmp_path, pickle.dumps(value, protocol)) == (
        {"a": 1},
        {"b": [2]},
        {"1": "x", "None": "y", "<tuple>": "z", "<int>": "w"},
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_is_called_imported_or_looked_up(tmp_path: Path, protocol: int):
    canary, keep = tmp_path / "canary", tmp_path / "keep"
    keep.touch()
    touch = f"open({str(canary)!r}, 'w')"
    evil: list[Any] = [
        Evil(os.unlink, (str(keep),)),
        Evil(eval, (touch,)),
        Evil(exec, (touch,)),
        Evil(subprocess.Popen, (["touch", str(canary)],)),
        Evil(getattr, ("text", "__class__")),
        Evil(map, (eval, [touch])),
        Evil(list, (Evil(map, (eval, [touch])),)),
        Evil(open, (str(canary), "w")),
        Evil(Kiln, (), {"name": Evil(eval, (touch,))}),
        Evil(Kiln, (), (None, {"__class__": Evil(eval, (touch,)), "__setstate__": "x", "__dict__": {}})),
        Evil(Kiln, (), None, iter([Evil(eval, (touch,))]), iter([(Evil(eval, (touch,)), 1)])),
        Evil(__import__, ("antigravity",)),
    ]
    for one in evil:
        content = pickle.dumps({"goal": [one]}, protocol)
        found = load(tmp_path, content)
        assert isinstance(member(found, "goal"), list)
    assert not canary.exists()
    assert keep.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"(cos\nsystem\nS'true'\no.",
        b"(S'true'\nios\nsystem\n.",
        b"c__builtin__\neval\n(S'1'\ntR.",
        b"\x80\x04\x8c\x0bantigravity\x8c\x03fly\x93)R.",
        b"\x80\x04\x8c\x08builtins\x8c\x11getattr.__class__\x93.",
        b"cantigravity\nfly\n.",
        b"\x80\x02cbuiltins\nobject\n)\x81}(X\x09\x00\x00\x00__class__cos\nsystem\nub.",
    ],
)
def test_hand_made_calls_stay_names(tmp_path: Path, content: bytes):
    assert isinstance(load(tmp_path, content), Inert)
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("code", [b"\x82\x07", b"\x83\x07\x00", b"\x84\x07\x00\x00\x00"])
def test_extension_codes_are_refused_though_one_is_registered(tmp_path: Path, code: bytes):
    copyreg.add_extension("os", "system", 7)
    try:
        with pytest.raises(ReadError, match="EXT"):
            load(tmp_path, b"\x80\x02" + code + b".")
    finally:
        copyreg.remove_extension("os", "system", 7)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"not a pickle",
        b"\x80\x09.",
        b"Pmy id\n.",
        b"\x80\x04\x8c\x02idQ.",
        b"\x80\x05\x97.",
        b"\x80\x05\x97\x98.",
        b"N",
        b"h\x05.",
        b"q\x05.",
        b"(.",
        b"t.",
        b"0.",
        b"a.",
        b"NNa.",
        b"NNNs.",
        b"}(Nu.",
        b"Nb.",
        b"N\x86.",
        b"N)R.",
        b"]\x93.",
        b"NN\x93.",
        b"\x80\x04\x8e" + struct.pack("<Q", 2**60) + b"x.",
        b"\x80\x04\x8d" + struct.pack("<Q", 2**63 - 1) + b"x.",
        b"\x80\x04\x95" + struct.pack("<Q", 2**64 - 1) + b".",
        b"\x80\x05\x96" + struct.pack("<Q", 2**60) + b"x.",
        b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"x.",
        b"\x80\x02\x8b" + struct.pack("<i", -5) + b"x.",
        b"\x80\x02T" + struct.pack("<i", -5) + b"x.",
        b"I" + b"9" * 100_000 + b"\n.",
        b"L" + b"9" * 100_000 + b"L\n.",
        b"c" + b"a" * 100_000 + b"\nb\n.",
        b"X\x02\x00\x00\x00\xff\xff.",
    ],
)
def test_what_is_no_plain_pickle_is_a_read_error(tmp_path: Path, content: bytes):
    with pytest.raises(ReadError) as caught:
        load(tmp_path, content)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02Nr" + struct.pack("<I", 2**31 - 1) + b".",
        b"Np4000000000\n.",
        b"\x80\x02" + b")" + b"\x85" * 200_000 + b"q\x00" + b"}h\x00Ns.",
        b"\x80\x02" + b")" + b"q\x00h\x00\x86" * 60 + b"q\x01" + b"}h\x01Ns.",
        b"\x80\x02" + b"]" + b"q\x00](h\x00h\x00e" * 60 + b".",
        b"\x80\x02]q\x00h\x00a.",
        b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b".",
        b"\x80\x02" + b"cx\ny\n)\x81" * 50_000 + b"b" * 49_999 + b".",
        b"\x80\x04" + b"(" * 200_000 + b"]0.",
    ],
)
def test_little_content_takes_little_memory_and_time(tmp_path: Path, content: bytes):
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with suppress(ReadError):
        load(tmp_path, content)
    assert time.monotonic() - started < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_shared_parts_are_never_copied(tmp_path: Path):
    big = b"(" + b"".join(b"X\x04\x00\x00\x00%04dK\x01" % i for i in range(9000)) + b"dq\x00"
    states = big + b"](" + b"cx\ny\n)\x81h\x00b" * 20_000 + b"e."
    lists = b"(" + b"K\x01" * 9000 + b"lq\x00](" + b"cbuiltins\nlist\nh\x00\x85R" * 20_000 + b"e."
    names = b"X\x90\x01\x00\x00" + b"n" * 400 + b"q\x00](" + b"h\x00h\x00\x93" * 3 + b"e."
    started = time.monotonic()
    assert isinstance(load(tmp_path, b"\x80\x02" + states), list)
    assert isinstance(load(tmp_path, b"\x80\x02" + lists), list)
    assert time.monotonic() - started < 30
    with pytest.raises(ReadError, match="short text"):
        load(tmp_path, b"\x80\x04" + names)


def test_one_instance_takes_few_states(tmp_path: Path):
    with pytest.raises(ReadError, match="one state after the other"):
        load(tmp_path, b"\x80\x02cx\ny\n)\x81" + b"}b" * 50 + b".")


def test_too_many_opcodes_and_too_many_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pickles, "MAX_OPCODES", 5000)
    with pytest.raises(ReadError, match="opcodes"):
        load(tmp_path, b"\x80\x02" + b"N0" * 5000 + b"N.")
    path = tmp_path / "bomb.pkl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"\x80\x04\x8e" + struct.pack("<Q", 200 << 20))
        for _ in range(200):
            file.write(bytes(1 << 20))
        file.write(b".")
    with pytest.raises(ReadError):
        load_pickle(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ReadError):
        load_pickle(path)
    with pytest.raises(ReadError):
        load_pickle(tmp_path / "none.pkl")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary(max_size=80)
    | st.lists(
        st.sampled_from([bytes([b]) for b in b"(.0128NK)]}\x85\x86\x87\x88\x93\x81\x94aebRqhtldsuox"]), max_size=60
    ).map(lambda parts: b"\x80\x04" + b"".join(parts) + b".")
)
def test_any_bytes_are_plain_data_or_a_read_error(tmp_path: Path, content: bytes):
    try:
        found = load(tmp_path, content)
    except ReadError:
        return
    assert isinstance(found, str | bytes | int | float | list | tuple | dict | Inert | None)


def test_half_surrogate_pairs_are_made_storable(tmp_path: Path):
    assert load(tmp_path, pickle.dumps("a\ud800b", 4)) == "a\\ud800b"
