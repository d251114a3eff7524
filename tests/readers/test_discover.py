import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.base import FolderReader, Item, Reader
from agenther.readers.discover import find_inputs, is_spooled, pick_reader, shown_name

RUN = '{"messages": [{"role": "user", "content": "Feed the cat"}]}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "runs"
    for name in ("b/two.jsonl", "a/one.json", "README.md", ".hidden/x.json", "a/.x.json", "a/notes.txt", "LICENSE"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(RUN if "one" in name or "two" in name or "x.json" in name else "plain words")
    (root / "trace.log").write_text(RUN)
    return root


def names(*arguments: Path | str) -> list[str]:
    return [path.name for path in find_inputs(arguments)]


def test_a_folder_gives_its_traces_in_order(folder: Path):
    assert names(folder) == ["trace.log", "one.json", "two.jsonl"]


def test_files_globs_and_folders_together_name_each_file_once(folder: Path):
    assert names(folder / "b" / "two.jsonl", f"{folder}/**/*.json*", folder) == ["two.jsonl", "one.json", "trace.log"]


def test_symlinks_that_leave_the_folder_are_not_followed(folder: Path, tmp_path: Path):
    outside = tmp_path / "outside.json"
    outside.write_text(RUN)
    (folder / "out.json").symlink_to(outside)
    (folder / "up").symlink_to(tmp_path)
    (folder / "in.json").symlink_to(folder / "a" / "one.json")
    (folder / "gone.json").symlink_to(folder / "nowhere")
    assert names(folder) == ["in.json", "trace.log", "two.jsonl"]
    assert names(folder / "out.json") == ["outside.json"] or names(folder / "out.json") == ["out.json"]


def test_standard_input_is_spooled_under_a_name_of_its_content(monkeypatch: pytest.MonkeyPatch):
    found: list[Path] = []
    for _ in range(2):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(f"{RUN}\n{RUN}\n".encode())))
        found += find_inputs(["-"])
    assert found[0].name == found[1].name
    assert found[0].suffix == ".jsonl"
    assert found[0].read_text() == f"{RUN}\n{RUN}\n"
    assert all(is_spooled(path) and shown_name(path) == path.name for path in found)


def test_readers_are_picked_by_content(folder: Path):
    picked = pick_reader(folder / "trace.log")
    assert not isinstance(picked, ReadError)
    assert picked.format == "openai"


def test_a_file_named_that_is_no_trace_is_an_error_that_says_where_formats_are_listed(folder: Path):
    error = pick_reader(folder / "README.md")
    assert isinstance(error, ReadError)
    assert "agenther formats" in error.expected


@pytest.mark.parametrize("name", ["nothing.json", "a", "*.none"])
def test_what_is_no_file_is_an_error(folder: Path, name: str):
    for path in find_inputs([folder / name]) if name != "a" else [folder / name]:
        assert isinstance(pick_reader(path), ReadError)


def test_a_format_can_be_forced(folder: Path):
    picked = pick_reader(folder / "README.md", "mint")
    assert not isinstance(picked, ReadError)
    reader: Reader = picked
    assert reader.format == "mint"
    assert isinstance(pick_reader(folder / "README.md", "morse"), ReadError)


def test_what_a_job_wrote_is_no_input_and_what_only_looks_like_it_is(folder: Path):
    for name in (
        "done/examples.jsonl",
        "done/train/trl/sft.jsonl",
        "done/batch/round-1.small.jsonl",
        "done/mine.jsonl",
        "a/errors.jsonl",
        "test/x/y.json",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(RUN)
    (folder / "done" / "run.sqlite").write_text(RUN)
    (folder / "done" / ".lock").touch()
    theirs = ["trace.log", "errors.jsonl", "one.json", "two.jsonl", "mine.jsonl", "y.json"]
    assert names(folder) == theirs
    assert names(f"{folder}/done/**/*.jsonl", folder / "done" / "examples.jsonl") == ["mine.jsonl"]
    assert [path.name for path in find_inputs([folder], folder / "a")] == [n for n in theirs if n != "errors.jsonl"]


def test_one_name_needs_no_list(folder: Path):
    assert names(folder / "trace.log") == [path.name for path in find_inputs(str(folder / "trace.log"))]


class KilnReader:
    """Reads firings: `firing.json` stands for a folder with `cone_<n>.json` beside it."""

    format = "kiln"
    about = "firings of a kiln"

    def sniff(self, path: Path, head: bytes) -> bool:
        return path.name == "firing.json"

    def read(self, path: Path) -> Iterator[Item]:
        yield from ()

    def companion(self, path: Path) -> bool:
        return path.name.startswith("cone_") and path.with_name("firing.json").is_file()


def test_files_that_belong_to_a_run_are_passed_over_where_its_entry_file_lies_beside(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("a/firing.json", "a/cone_1.json", "b/cone_1.json"):
        (folder / name).write_text("{}")
    assert isinstance(KilnReader(), FolderReader)
    monkeypatch.setitem(READERS, "kiln", KilnReader())
    assert names(folder) == ["trace.log", "firing.json", "one.json", "cone_1.json", "two.jsonl"]
    assert names(f"{folder}/*/*.json") == ["firing.json", "one.json", "cone_1.json"]
    assert names(folder / "a" / "cone_1.json") == ["cone_1.json"]
