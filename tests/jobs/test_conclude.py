"""What a process makes of a piece of the input, and how pieces come to it."""

from __future__ import annotations

import json
import pickle
from contextlib import closing
from pathlib import Path

import pytest

from agenther.config import Config
from agenther.errors import ReadError
from agenther.jobs.conclude import Concluder, pack, packed_size, unpack
from agenther.jobs.process import Processor
from agenther.jobs.store import Occurrence, Store
from agenther.jobs.written import Written
from agenther.readers.openai_chat import OpenAIChatReader
from agenther.readers.records import ItemBuilder, Piece, UnreadLine
from agenther.testing import assistant, make_trajectory, tool, tool_call, tool_schema, user
from agenther.trajectory import Trajectory

RUN = make_trajectory(
    user("Weigh the crates 🚢"),
    assistant("", tool_call("weigh", crate=7)),
    tool('{"kg": 1e-7}'),
    assistant("Crate 7 is light."),
    tools=(tool_schema("weigh"),),
    reward=0.1,
    labels={"limits": [1, None, 2.5]},
)
RECORD = {"messages": [{"role": "user", "content": "Weigh the crates"}, {"role": "assistant", "content": "How?"}]}
LINE = UnreadLine(OpenAIChatReader(), Path("crates.jsonl"), 4, json.dumps(RECORD).encode(), 3)
ERROR = ReadError("crates.jsonl", 5, "record", "object", "list []")


def sent(piece: Piece) -> Piece:
    return unpack(pickle.loads(pickle.dumps(pack(piece))))


def test_a_run_comes_to_another_process_as_it_was() -> None:
    run = sent(RUN)
    assert isinstance(run, Trajectory)
    assert run == RUN
    assert run.key == RUN.key == RUN.model_copy().key
    assert run.stored == RUN.model_copy().stored


def test_lines_and_errors_come_to_another_process_as_they_were() -> None:
    error, line = sent(ERROR), sent(LINE)
    assert isinstance(error, ReadError)
    assert str(error) == str(ERROR)
    assert ItemBuilder()(line) == ItemBuilder()(LINE)


def test_the_size_of_what_travels_is_that_of_its_text() -> None:
    assert packed_size(pack(LINE)) == len(LINE.text)
    assert packed_size(pack(RUN)) == len(RUN.stored)
    assert packed_size(pack(ERROR)) == 0


@pytest.mark.parametrize("alone", [True, False])
def test_what_is_stored_is_not_concluded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, alone: bool) -> None:
    with Store(tmp_path / "run.sqlite", "settings") as store, closing(Written(store.place)) as written:
        store.start()
        conclude = Concluder(store.has if alone else written.has, Processor(Config()))
        found, texts = conclude(LINE)
        assert texts is not None
        assert found == Occurrence("crates/3", texts.key, None, None, "crates.jsonl", "openai", 3)
        assert conclude(ERROR) == (ERROR, None)
        store.put(texts)
        if not alone:
            store.keep()
        monkeypatch.setattr(Processor, "texts", lambda *_: pytest.fail("concluded again"))
        assert conclude(LINE) == (found, None)
