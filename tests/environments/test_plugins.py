"""Environments of other packages: the guide's whole example, installed and run as written; and what happens to bad ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import agenther
from agenther.environments import plugins
from agenther.environments.base import setting_of
from agenther.environments.calls import arguments_of
from agenther.environments.plugins import environment_problems, find_environment, known_environments
from agenther.errors import ReplayError
from agenther.trajectory import Trajectory

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "environments.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
BROKEN = """
    class Rude:
        "Raises."
        def reset(self, config): raise RuntimeError("no\\nroom")
        def call(self, name, arguments): raise SystemExit(3)
        def snapshot(self): return {"a": object()}
        def close(self): raise KeyError("key")
    class Deep(Rude):
        def snapshot(self):
            deep = []
            for _ in range(120): deep = [deep]
            return deep
    class Greedy(Rude):
        def reset(self, config): return config["rooms"].clear()
        def call(self, name, arguments): return arguments.clear()
    class Cancelled(BaseException):
        def __str__(self): raise RuntimeError("has no words")
    class Loud(Rude):
        def reset(self, config): print("good morning")
        def call(self, name, arguments): raise Cancelled
        def snapshot(self): return "x" * 2_000
    class Dumb: pass
    def unwilling(): raise OSError("worn out")
    number = 4
"""


def block(language: str, start: str) -> str:
    (found,) = [text for kind, text in BLOCKS if kind == language and start in text]
    return found


def install(folder: Path, package: str, module: str, code: str, points: str) -> None:
    """Put a package with its metadata into a folder, as an installer would."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(textwrap.dedent(code))
    info = folder / f"{package.replace('-', '_')}-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text(points)


def forget() -> None:
    plugins._outside.cache_clear()  # pyright: ignore[reportPrivateUsage]
    plugins._problems.cache_clear()  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site"
    points = block("toml", "agenther.environments").replace('[project.entry-points."agenther.environments"]', "")
    install(
        folder,
        "rooms-desk",
        "rooms",
        block("python", "class RoomDesk"),
        "[agenther.environments]" + points.replace('"', ""),
    )
    names = ("Rude", "Deep", "Greedy", "Loud", "Dumb", "unwilling", "number", "missing")
    bad = "\n".join(f"{name} = bad_rooms:{name}" for name in names)
    install(
        folder,
        "bad-rooms",
        "bad_rooms",
        BROKEN,
        f"[agenther.environments]\n{bad}\nbfcl_multi_turn = bad_rooms:Rude\nroom_desk = x:y\n",
    )
    monkeypatch.syspath_prepend(str(folder))
    forget()
    yield folder
    forget()
    for name in ("rooms", "bad_rooms"):
        sys.modules.pop(name, None)


def test_the_guides_example_replays_the_guides_run(site: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(block("json", "messages"))
    (run,) = agenther.read(path)
    assert isinstance(run, Trajectory)
    setting = setting_of(run)
    assert setting is not None
    kind = find_environment(setting.kind)
    assert kind is not None
    assert kind.about == "A desk that lends rooms by the hour [rooms-desk 0.3]"
    desk = kind.make()
    before = desk.reset(setting.initial)
    (call,) = run.agent_steps[0].tool_calls
    assert desk.call(call.function_name, arguments_of(call)) == run.agent_steps[0].observations[0].content
    assert (before, desk.snapshot()) == ({"bookings": {}}, {"bookings": {"hall 9:00": "Mara"}})
    assert desk.call("find_rooms", {"seats": 5}) == ["hall"]
    assert desk.call("cancel", {"room": "hall", "hour": 9}) == "Cancelled the booking of Mara"
    assert desk.call("cancel", {"room": "hall", "hour": 9}) == "Error: no such booking"
    assert desk.call("dance", {}) == "Error: no tool named dance"
    assert str(desk.call("book", {"rom": 1})).startswith("Error: ")


def test_the_guides_lines_of_python_run(site: Path) -> None:
    names: dict[str, object] = {}
    exec(block("python", "find_environment"), names)
    assert names["before"] == {"bookings": {}}
    assert names["after"] == {"bookings": {"attic 9:00": "Mara"}}


def test_each_replay_has_an_instance_of_its_own_and_copies(site: Path) -> None:
    kind = known_environments()["room_desk"]
    one, other = kind.make(), kind.make()
    config: dict[str, agenther.record.Json] = {"rooms": {"attic": {"seats": 4}}}
    one.reset(config)
    other.reset(config)
    before = one.snapshot()
    one.call("book", {"room": "attic", "hour": 9, "name": "Mara"})
    assert before == other.snapshot() == {"bookings": {}}
    greedy = known_environments()["Greedy"].make()
    arguments: dict[str, agenther.record.Json] = {"room": "attic"}
    greedy.reset(config)
    greedy.call("book", arguments)
    assert (config, arguments) == ({"rooms": {"attic": {"seats": 4}}}, {"room": "attic"})


def test_what_is_wrong_with_an_environment_names_its_package_and_stops_no_other(site: Path) -> None:
    loaded = {"bfcl_multi_turn", "room_desk", "Rude", "Deep", "Greedy", "Loud", "Dumb", "unwilling"}
    assert set(known_environments()) == loaded
    assert [problem.split(": ")[0] for problem in environment_problems()] == [
        "bad-rooms 0.3",
        "environment 'missing' of bad-rooms 0.3 is left out",
        "environment 'number' of bad-rooms 0.3 is left out",
        "environment 'room_desk' of bad-rooms 0.3 is left out",
    ]
    assert find_environment("nowhere") is None


@pytest.mark.parametrize("name", ["Dumb", "unwilling"])
def test_an_environment_that_cannot_be_made_is_a_replay_error(site: Path, name: str) -> None:
    with pytest.raises(ReplayError, match=f"environment '{name}' of bad-rooms 0.3: "):
        known_environments()[name].make()


def test_whatever_an_environment_raises_or_returns_is_a_replay_error(site: Path) -> None:
    rude, deep = known_environments()["Rude"].make(), known_environments()["Deep"].make()
    with pytest.raises(ReplayError, match=r"reset: RuntimeError: no room"):
        rude.reset({})
    with pytest.raises(ReplayError, match=r"call of go: SystemExit: 3"):
        rude.call("go", {})
    with pytest.raises(ReplayError, match="no JSON"):
        rude.snapshot()
    with pytest.raises(ReplayError, match="100 levels"):
        deep.snapshot()
    plugins.close_environment(rude)


def test_an_environment_that_prints_cancels_or_shows_too_much_harms_nobody_else(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loud = known_environments()["Loud"].make()
    loud.reset({})
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "good morning\n")
    with pytest.raises(ReplayError, match=r"call of go: .*Cancelled"):
        loud.call("go", {})
    assert loud.snapshot() == "x" * 2_000
    monkeypatch.setattr(plugins, "LARGEST", 1_000)
    with pytest.raises(ReplayError, match="2002 bytes of JSON, more than 1000"):
        loud.snapshot()


def test_the_command_line_lists_them(site: Path) -> None:
    paths = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths, "AGENTHER_BFCL_PYTHON": "/no/such/python"}
    command = [sys.executable, "-m", "agenther", "environments"]
    plain = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "room_desk        A desk that lends rooms by the hour [rooms-desk 0.3]" in plain.stdout
    assert "warning: environment 'missing' of bad-rooms 0.3 is left out: AttributeError" in plain.stderr
    listed = json.loads(
        subprocess.run([*command, "--json"], capture_output=True, text=True, check=True, env=environment).stdout
    )
    assert listed["room_desk"]["not_ready"] == ""
    assert "worn out" in listed["unwilling"]["not_ready"]
    assert "no environment of BFCL's own at /no/such/python" in listed["bfcl_multi_turn"]["not_ready"]
    assert "make bfcl-env" in listed["bfcl_multi_turn"]["not_ready"]
