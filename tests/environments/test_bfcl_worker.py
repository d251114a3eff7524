"""The worker of the BFCL environment, really run, with invented services in place of BFCL's: what it shows, and what it bears."""

from __future__ import annotations

import os
import signal
import socket
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from agenther.environments import bfcl
from agenther.environments.bfcl import BfclEnvironment, Worker, bfcl_python
from agenther.errors import ReplayError, UserError
from agenther.record import JsonObject

FOLDER = "bfcl_eval/eval_checker/multi_turn_eval/func_source_code"
TICKETS = """
    import os, random, socket, subprocess, time
    from datetime import datetime
    from .shared import SHELF

    class Clerk:
        def __init__(self):
            self.moods, self._touched = {"calm", "awake"}, ("a", datetime(2020, 1, 2))

    class TicketAPI:
        def __init__(self):
            self._api_description, self._count = "a desk", 0
        def _load_scenario(self, scenario, long_context=False):
            self.tickets = scenario.get("tickets", {})
            self.clerk, self.long_context = Clerk(), long_context
            self._random = random.Random(scenario.get("random_seed", 7))
        def open_ticket(self, title, tags=None):
            self._count += 1
            self.tickets[self._count] = {"title": title, "tags": tags}
            if tags is not None: tags.append("new")
            return {"id": self._count}
        def draw(self): return self._random.randint(0, 10**9)
        def remember(self, word):
            SHELF.append(word)
            return {"shelf": SHELF}
        def now(self): return f"{datetime.now()} {datetime.today().year}"
        def odd(self): return {"desk": self.clerk.moods and {1}}
        def order(self): return ",".join({"a", "b", "c", "d", "e"})
        def folder(self): return os.getcwd()
        def knot(self): self.tickets["me"] = self.tickets
        def hang(self):
            while True: pass
        def sleep(self): time.sleep(60)
        def leave(self): os._exit(0)
        def fail(self): raise ValueError("no such ticket")
        def speak(self):
            print('{"is": "a lie"}', flush=True)
            os.write(1, b'{"is": "a lie"}\\n')
            return input()
        def write(self, path): open(path, "w").write("x")
        def delete(self, path): os.remove(path)
        def connect(self, port): socket.create_connection(("127.0.0.1", port))
        def spawn(self): return subprocess.run(["true"]).returncode
        def system(self): return os.system("true")
        def fork(self): return os.fork()
        def eat(self): return len("x" * 10**11)
        def _secret(self): return "told"
"""
CONFIG: JsonObject = {"involved_classes": ["TicketAPI"], "initial_config": {"TicketAPI": {"tickets": {"9": {}}}}}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that finds a package of BFCL's name with invented services."""
    folder = tmp_path_factory.mktemp("bfcl")
    (folder / FOLDER).mkdir(parents=True)
    for package in (folder / FOLDER, *(folder / FOLDER).parents[:2]):
        (package / "__init__.py").touch()
    (folder / FOLDER / "ticket_api.py").write_text(textwrap.dedent(TICKETS))
    (folder / FOLDER / "shared.py").write_text("SHELF = []\n")
    (folder / "bfcl_eval-1.0.dist-info").mkdir()
    (folder / "bfcl_eval-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: bfcl-eval\nVersion: 1.0\n"
    )
    path = folder / "python"
    path.write_text(f'#!/bin/sh\nPYTHONPATH={folder} exec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def worker(python: Path) -> Iterator[Worker]:
    made = Worker([str(python), "-B", str(Path(bfcl.__file__).with_name("bfcl_worker.py"))], limit_s=5)
    yield made
    made.stop()


@pytest.fixture
def desk(worker: Worker) -> BfclEnvironment:
    environment = BfclEnvironment(worker)
    environment.reset(CONFIG)
    return environment


def test_the_state_is_every_attribute_as_json(desk: BfclEnvironment) -> None:
    assert desk.snapshot() == {
        "TicketAPI": {
            "_count": 0,
            "clerk": {"_touched": ["a", "2020-01-02 00:00:00"], "moods": ["awake", "calm"]},
            "long_context": False,
            "tickets": {"9": {}},
        }
    }
    assert desk.parameters["open_ticket"] == ["title", "tags"]
    assert "_secret" not in desk.parameters


def test_a_call_is_a_method_by_name_and_shows_what_bfcl_shows(desk: BfclEnvironment) -> None:
    tags: list[object] = ["a"]
    assert desk.call("open_ticket", {"title": "Lamp", "tags": tags}) == '{"id": 1}'  # pyright: ignore[reportArgumentType]
    assert tags == ["a"]
    assert desk.call("odd", {}) == "{'desk': {1}}"
    assert desk.call("fail", {}) == "Error during execution: no such ticket"
    assert str(desk.call("fail", {"x": 1})).startswith("Error during execution: TicketAPI.fail() got an unexpected")
    snapshot = desk.snapshot()
    assert isinstance(snapshot, dict)
    assert snapshot["TicketAPI"]["tickets"]["1"] == {"title": "Lamp", "tags": ["a", "new"]}  # pyright: ignore


@pytest.mark.parametrize("name", ["_secret", "__init__", "_load_scenario", "tickets", "desk.hang", "clerk", "eval"])
def test_nothing_but_public_methods_is_called(desk: BfclEnvironment, name: str) -> None:
    before = desk.snapshot()
    assert desk.call(name, {}) == f"Error during execution: name {name!r} is not defined"
    assert desk.snapshot() == before


def test_replays_share_nothing_and_repeat_exactly(worker: Worker, desk: BfclEnvironment) -> None:
    other = BfclEnvironment(worker)
    other.reset(CONFIG)
    for environment in (desk, other, desk):
        environment.reset(CONFIG)
        assert environment.call("remember", {"word": "oak"}) == '{"shelf": ["oak"]}'
        seen = [environment.call(name, {}) for name in ("draw", "now", "order")]
        assert seen[1] == "2024-09-01 10:30:00 2024"
        desk.call("open_ticket", {"title": "Lamp"})
        assert other.snapshot() != desk.snapshot() or other is environment
    worker.stop()
    other.reset(CONFIG)
    assert [other.call(name, {}) for name in ("draw", "now", "order")] == seen


@pytest.mark.parametrize("name", ["spawn", "system", "fork"])
def test_no_process_is_started(desk: BfclEnvironment, name: str) -> None:
    assert "is not allowed here" in str(desk.call(name, {}))


def test_no_file_is_written_or_deleted_and_no_socket_opened(desk: BfclEnvironment, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("kept")
    inside = Path(str(desk.call("folder", {})))
    assert list(inside.iterdir()) == []
    for path in (tmp_path / "new", kept, inside / "new"):
        assert desk.call("write", {"path": str(path)}) == "Error during execution: files are only read here"
    assert "os.remove is not allowed here" in str(desk.call("delete", {"path": str(kept)}))
    assert kept.read_text() == "kept"
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert "is not allowed here" in str(desk.call("connect", {"port": server.getsockname()[1]}))


def test_what_a_service_prints_or_reads_is_no_part_of_the_talk(desk: BfclEnvironment) -> None:
    assert str(desk.call("speak", {})).startswith("Error during execution: EOF")
    assert desk.call("open_ticket", {"title": "Lamp"}) == '{"id": 1}'


def test_memory_has_a_limit(desk: BfclEnvironment) -> None:
    assert desk.call("eat", {}) == "Error during execution: "
    assert desk.call("open_ticket", {"title": "Lamp"}) == '{"id": 1}'


def test_a_state_that_holds_itself_cannot_be_shown(desk: BfclEnvironment) -> None:
    desk.call("knot", {})
    with pytest.raises(ReplayError, match="holds itself"):
        desk.snapshot()


@pytest.mark.parametrize("name", ["hang", "sleep", "leave"])
def test_a_call_that_hangs_or_ends_the_process_ends_its_replay_alone(python: Path, name: str) -> None:
    worker = Worker([str(python), "-B", str(Path(bfcl.__file__).with_name("bfcl_worker.py"))], limit_s=1)
    desk = BfclEnvironment(worker)
    desk.reset(CONFIG)
    with pytest.raises(ReplayError, match="call: the process of the environment ended, or took too long"):
        desk.call(name, {})
    with pytest.raises(ReplayError, match="its process has ended since"):
        desk.snapshot()
    desk.close()
    desk.reset(CONFIG)
    assert desk.call("open_ticket", {"title": "Lamp"}) == '{"id": 1}'
    worker.stop()


def test_an_answer_that_comes_after_an_interruption_is_not_taken_for_another(desk: BfclEnvironment) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            desk.call("sleep", {})
    finally:
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(ReplayError, match="its process has ended since"):
        desk.call("draw", {})
    desk.reset(CONFIG)
    assert desk.call("open_ticket", {"title": "Lamp"}) == '{"id": 1}'


def test_arguments_that_are_no_json_are_a_replay_error(desk: BfclEnvironment) -> None:
    with pytest.raises(ReplayError, match="no JSON"):
        desk.call("open_ticket", {"title": 10**30})
    assert desk.call("open_ticket", {"title": "Lamp"}) == '{"id": 1}'


def test_a_replay_has_a_time_limit(desk: BfclEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bfcl, "REPLAY_LIMIT_S", 0.0)
    with pytest.raises(ReplayError, match="the replay took more than"):
        desk.reset(CONFIG)


@pytest.mark.parametrize("answer", ["no JSON", "[1]", '{"is": 1}{"is": 2}', ""])
def test_an_answer_that_is_no_json_object_ends_the_process(answer: str) -> None:
    worker = Worker([sys.executable, "-c", f"input(); print({answer!r}, flush=True); input()"], limit_s=5)
    with pytest.raises(ReplayError, match="answered what is no JSON"):
        worker.ask({"do": "hello"})
    worker.stop()


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"involved_classes": []},
        {"involved_classes": ["WebSearchAPI"]},
        {"involved_classes": ["TicketAPI", "os"]},
        {"involved_classes": "TicketAPI"},
        {"involved_classes": [["TicketAPI"]]},
        {"involved_classes": ["TicketAPI"], "initial_config": 3},
        {"involved_classes": ["MathAPI"]},
    ],
)
def test_a_configuration_that_is_none_is_a_replay_error(worker: Worker, config: JsonObject) -> None:
    with pytest.raises(ReplayError, match="reset"):
        BfclEnvironment(worker).reset(config)


def test_the_oldest_of_too_many_replays_goes(worker: Worker) -> None:
    made = [BfclEnvironment(worker) for _ in range(65)]
    for environment in made:
        environment.reset(CONFIG)
    with pytest.raises(ReplayError):
        made[0].snapshot()
    made[1].snapshot()


def test_a_missing_environment_is_something_to_mend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGENTHER_BFCL_PYTHON", str(tmp_path / "python"))
    with pytest.raises(UserError, match="no environment of BFCL's own"):
        bfcl_python()
    (tmp_path / "python").write_text("#!/bin/sh\nexit 1\n")
    for mode in (0o644, 0o755):
        (tmp_path / "python").chmod(mode)
        with pytest.raises(UserError, match="does not run BFCL") as raised:
            bfcl.make_bfcl()
        assert "make bfcl-env" in raised.value.hint


def test_the_process_knows_nothing_of_our_environment_variables(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "x")
    worker.ask({"do": "hello"})
    process = worker._process  # pyright: ignore[reportPrivateUsage]
    assert process is not None
    environ = Path(f"/proc/{process.pid}/environ")
    if environ.exists():
        assert b"SECRET_OF_OURS" not in environ.read_bytes()
    assert os.getpid() != process.pid
