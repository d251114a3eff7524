"""Worker processes: order, state, time, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from agenther.errors import UserError
from agenther.jobs.workers import BATCH, LARGE, Work, Workers, _batches, _work_batch


class CallCounter:
    """Returns each item with the number of calls that this copy has had."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, item: int) -> tuple[int, int]:
        self.calls += 1
        sum(range(200_000))
        return item, self.calls


def die(item: int) -> int:
    os._exit(item)


def read_slowly(_: int) -> tuple[str, int]:
    time.sleep(0.002)
    return "read", os.getpid()


def write_slowly(_: int) -> tuple[str, int]:
    time.sleep(0.002)
    return "written", os.getpid()


def refuse(item: int) -> int:
    raise ValueError(item)


def test_results_come_in_order_from_work_that_is_sent_once() -> None:
    work = Work(CallCounter())
    with Workers(2, work) as workers:
        results = list(workers.map(work, range(6 * BATCH)))
    assert [item for item, _ in results] == list(range(6 * BATCH))
    assert max(calls for _, calls in results) > BATCH
    assert workers.cpu_s > 0


def test_one_worker_is_this_process() -> None:
    assert list(Workers(1).map(Work(os.path.exists), ["/"])) == [True]


def test_the_same_processes_do_all_work() -> None:
    reading, writing = Work(read_slowly), Work(write_slowly)
    with Workers(2, reading, writing) as workers:
        read = set(workers.map(reading, range(6 * BATCH)))
        written = set(workers.map(writing, range(6 * BATCH)))
    assert {done for done, _ in read} == {"read"}
    assert {done for done, _ in written} == {"written"}
    assert {process for _, process in read} & {process for _, process in written}


def test_large_items_and_results_come_in_order() -> None:
    items = [str(number) + "a" * (LARGE if number % 5 == 2 else 1) for number in range(4 * BATCH)]
    for work in (Work(str.upper, size=len), Work(str.upper, result_size=len)):
        with Workers(2, work) as workers:
            assert list(workers.map(work, items)) == [item.upper() for item in items]


def test_a_batch_ends_where_it_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    items = ["a", "b" * LARGE, "c", "d" * LARGE, *"e" * (BATCH + 1)]
    sent = _batches(Work(str.upper, size=len), iter(items))
    assert [len(batch) for batch in sent] == [2, 2, BATCH, 1]
    monkeypatch.setattr("agenther.jobs.workers._own_works", (Work(str.upper, result_size=len),))
    assert [len(_work_batch(0, items[start:])[0]) for start in (0, 2, 4)] == [2, 2, BATCH + 1]


def test_a_dead_worker_is_an_error_with_a_hint() -> None:
    with pytest.raises(UserError, match="--workers 1"):
        do_all(die, range(3))


def test_what_work_raises_comes_through() -> None:
    with pytest.raises(ValueError):
        do_all(refuse, range(3))


def do_all(do: Callable[[int], int], items: Iterable[int]) -> list[int]:
    work = Work(do)
    with Workers(2, work) as workers:
        return list(workers.map(work, items))


SCRIPT = """
import os, sys, time
from agenther.jobs.workers import Work, Workers

def work(item):
    open(os.path.join(sys.argv[1], str(os.getpid())), "w").close()
    time.sleep(60)

if __name__ == "__main__":
    list(Workers(2, Work(work)).map(Work(work), range(100)))
"""


def wait_until(true: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes where Linux lists them")
def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "pids").mkdir()
    parent = subprocess.Popen([sys.executable, tmp_path / "script.py", tmp_path / "pids"])
    try:
        assert wait_until(lambda: len(list((tmp_path / "pids").iterdir())) == 2)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    pids = [int(path.name) for path in (tmp_path / "pids").iterdir()]
    assert wait_until(lambda: not any(map(is_alive, pids)), 10)


STOPPED_AT_ONCE = """
import os, signal, time
from agenther.jobs.workers import Work, Workers, start_server

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets jobs in the background ignore it
start_server()
try:
    os.killpg(0, signal.SIGINT)
    time.sleep(60)
except KeyboardInterrupt:
    work = Work(abs)
    with Workers(2, work) as workers:
        print(list(workers.map(work, range(-3, 0))))
"""


def test_ctrl_c_is_not_for_the_process_that_starts_workers() -> None:
    command = [sys.executable, "-c", STOPPED_AT_ONCE]
    done = subprocess.run(command, start_new_session=True, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("[3, 2, 1]\n", "")
