"""Readers of other packages: a package is really found by its metadata on the path, and a file read by it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import agenther
from agenther.errors import ReadError
from agenther.readers import READERS, plugins
from agenther.readers.discover import pick_reader
from agenther.readers.plugins import known_readers, reader_problems
from agenther.trajectory import Trajectory

MORSE = """
    from agenther.messages import from_messages
    from agenther.readers.base import Place, build_one, locate_goal, run_id, source
    from agenther.trajectory import Trajectory

    class MorseReader:
        format = "morse"
        about = "telegrams"

        def sniff(self, path, head):
            return head.startswith(b"MORSE\\n")

        def read(self, path):
            yield from build_one(Place(path), lambda: _run(path))

    def _run(path):
        _, goal, answer = path.read_text().splitlines()
        steps = from_messages([{"role": "user", "content": goal}, {"role": "assistant", "content": answer}])
        return Trajectory(id=run_id(path, 0), source=source(path, "morse", 0), goal=goal,
                          goal_at=locate_goal(steps, goal), steps=steps, success=False, label_source="morse")
"""
BROKEN = """
    class Rude:
        format = "rude"
        about = "raises"
        def sniff(self, path, head): raise RuntimeError("no")
        def read(self, path):
            yield "no run"
            raise RuntimeError("worn out")
    class Nameless:
        pass
    class Impostor(Rude):
        format = "openai"
        def sniff(self, path, head): return True
"""


def install(folder: Path, package: str, module: str, code: str, points: str) -> Path:
    """Put a package with its metadata into a folder, as an installer would."""
    (folder / f"{module}.py").parent.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(textwrap.dedent(code))
    info = folder / f"{package.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[agenther.readers]\n{points}\n")
    return folder


def forget() -> None:
    plugins.outside_readers.cache_clear()
    plugins._problems.cache_clear()  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site"
    install(folder, "morse-traces", "morse_traces", MORSE, "morse = morse_traces:MorseReader")
    points = "\n".join(f"{n} = bad_traces:{n}" for n in ("Rude", "Nameless", "Impostor", "Missing"))
    install(folder, "bad-traces", "bad_traces", BROKEN, points)
    install(folder, "gone-traces", "unused", "", "gone = no_such_module:Reader")
    monkeypatch.syspath_prepend(str(folder))
    forget()
    yield folder
    forget()
    for name in ("morse_traces", "bad_traces"):
        sys.modules.pop(name, None)


@pytest.fixture
def telegram(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "a.telegram"
    path.parent.mkdir()
    path.write_text("MORSE\nSend word when the ship is in\nThe ship is late\n")
    return path


def test_a_file_is_read_by_the_reader_of_another_package(site: Path, telegram: Path) -> None:
    for where in (telegram, telegram.parent):
        (run,) = agenther.read(where)
        assert isinstance(run, Trajectory)
        assert (run.goal, run.source.format) == ("Send word when the ship is in", "morse")


def test_readers_of_other_packages_are_asked_first_and_ours_stay(site: Path) -> None:
    assert list(known_readers()) == ["rude", "morse", *READERS]
    assert known_readers()["openai"] is READERS["openai"]


def test_what_is_wrong_with_a_reader_names_its_package_and_stops_no_other(site: Path, telegram: Path) -> None:
    assert len(list(agenther.read(telegram))) == 1
    problems = reader_problems()
    assert [problem.split(":")[0] for problem in problems] == [
        "reader 'Missing' of bad-traces 1.2 is left out",
        "reader 'Nameless' of bad-traces 1.2 is left out",
        "reader 'gone' of gone-traces 1.2 is left out",
        "bad-traces 1.2",
        "reader rude of bad-traces 1.2",
    ]
    assert not any("\n" in problem for problem in problems)


def test_what_a_reader_raises_or_makes_up_is_an_error_of_that_file(site: Path, telegram: Path) -> None:
    first, second = agenther.read(telegram, format="rude")
    assert isinstance(first, ReadError)
    assert isinstance(second, ReadError)
    assert "a trajectory or a read error from the reader of bad-traces 1.2" in first.expected
    assert second.found == "RuntimeError: worn out"


def test_an_unknown_format_names_readers_that_could_not_be_loaded(site: Path, telegram: Path) -> None:
    error = pick_reader(telegram, "gone")
    assert isinstance(error, ReadError)
    assert "gone-traces" in error.expected


def test_the_command_line_lists_and_uses_them(site: Path, telegram: Path) -> None:
    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "agenther", *map(str, arguments)]
        paths = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": paths}
        )

    listed = run("formats")
    assert "telegrams [morse-traces 1.2]" in listed.stdout
    assert "warning: reader 'gone' of gone-traces 1.2 is left out: ModuleNotFoundError" in listed.stderr
    read = run("read", telegram, "--json")
    assert json.loads(read.stdout.splitlines()[0])["format"] == "morse"
    assert read.returncode == 0
    code = "import sys, agenther; print('morse_traces' in sys.modules, 'importlib.metadata' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(site)},
    )
    assert done.stdout.split() == ["False", "False"]
