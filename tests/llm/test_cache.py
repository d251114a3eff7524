from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.llm.serving import make_request

from agenther.errors import BudgetExceeded, Pending, ProviderError, UserError, WriteError
from agenther.llm.base import AskedBy, Request, Response, Usage
from agenther.llm.cache import Cache, Cached
from agenther.llm.structured import ask
from agenther.record import Record
from agenther.testing.scripted import ScriptedClient

USAGE = Usage(prompt_tokens=100, cached_tokens=60, completion_tokens=10)


class Word(Record):
    canary: str
    word: str


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out" / "answers.sqlite"


class Slow:
    """Answers with the number of the request, after others had their turn."""

    def __init__(self, *, pause_s: float = 0.01) -> None:
        self.asked: list[str] = []
        self.pause_s = pause_s
        self.failing: Exception | None = None

    async def complete(self, request: Request) -> Response:
        self.asked.append(request.messages[0].content)
        number = len(self.asked)
        await asyncio.sleep(self.pause_s)
        if self.failing is not None:
            raise self.failing
        return Response(text=f"answer {number}", usage=USAGE)

    async def close(self) -> None:
        self.asked.append("closed")


def complete_all(path: Path, client: Slow | ScriptedClient, texts: list[str]) -> list[str]:
    async def run() -> list[str]:
        with Cache(path) as cache:
            cached = Cached(client, cache)
            answers = await asyncio.gather(*(cached.complete(make_request(text)) for text in texts))
            return [answer.text for answer in answers]

    return asyncio.run(run())


def test_an_answer_is_asked_for_once_in_the_life_of_the_file(path: Path) -> None:
    client = Slow()
    first = complete_all(path, client, ["a", "b"])
    assert complete_all(path, client, ["b", "a", "c"]) == [first[1], first[0], "answer 3"]
    assert client.asked == ["a", "b", "c"]


def test_an_answer_comes_back_as_it_came(path: Path) -> None:
    response = Response(text='{"a": "ü\\n\u0000"}', finish="length", usage=USAGE, model="served")
    with Cache(path) as cache:
        cache.keep(make_request("a"), response)
    with Cache(path) as cache:
        assert cache.get(make_request("a").key) == response
        assert cache.get(make_request("b").key) is None
        assert (cache.has(make_request("a").key), cache.has(make_request("b").key)) == (True, False)


def test_the_stage_that_asks_makes_no_difference_and_all_that_the_model_sees_does(path: Path) -> None:
    client = Slow()

    async def run() -> None:
        with Cache(path) as cache:
            cached = Cached(client, cache)
            for request in (
                make_request("a"),
                make_request("a", stage=AskedBy.JUDGE),
                make_request("a", model="large"),
                make_request("a", tokens=51),
                make_request("a").model_copy(update={"temperature": 0.3}),
            ):
                await cached.complete(request)

    asyncio.run(run())
    assert len(client.asked) == 4


def test_what_is_on_its_way_is_not_asked_for_again(path: Path) -> None:
    client = Slow()
    assert complete_all(path, client, ["a"] * 50 + ["b"]) == ["answer 1"] * 50 + ["answer 2"]
    assert client.asked == ["a", "b"]


@pytest.mark.parametrize("error", [ProviderError("down"), BudgetExceeded("spent"), Pending("later")])
def test_a_failure_is_shared_by_those_who_wait_and_by_nobody_later(path: Path, error: Exception) -> None:
    client = Slow()
    client.failing = error

    async def run() -> None:
        with Cache(path) as cache:
            cached = Cached(client, cache)
            asking = [cached.complete(make_request("a")) for _ in range(5)]
            assert await asyncio.gather(*asking, return_exceptions=True) == [error] * 5
            client.failing = None
            assert (await cached.complete(make_request("a"))).text == "answer 2"

    asyncio.run(run())
    assert client.asked == ["a", "a"]


def test_who_gives_up_takes_the_answer_from_nobody(path: Path) -> None:
    client = Slow(pause_s=0.05)

    async def run() -> None:
        with Cache(path) as cache:
            cached = Cached(client, cache)
            first = asyncio.create_task(cached.complete(make_request("a")))
            second = asyncio.create_task(cached.complete(make_request("a")))
            await asyncio.sleep(0)
            first.cancel()
            assert (await second).text == "answer 1"
            third = asyncio.create_task(cached.complete(make_request("b")))
            await asyncio.sleep(0.01)
            third.cancel()
            await asyncio.sleep(0.1)
            kept = cache.get(make_request("b").key)
            assert kept is not None
            assert kept.text == "answer 2"

    asyncio.run(run())
    assert client.asked == ["a", "b"]


def test_closing_gives_up_what_is_on_its_way_and_leaves_the_file_open(path: Path) -> None:
    client = Slow(pause_s=30)

    async def run() -> None:
        with Cache(path) as cache:
            cached = Cached(client, cache)
            asking = asyncio.create_task(cached.complete(make_request("a")))
            await asyncio.sleep(0.01)
            await cached.close()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert cache.get(make_request("a").key) is None

    asyncio.run(run())
    assert client.asked == ["a", "closed"]


@pytest.mark.parametrize(
    ("finish", "kept"), [("stop", True), ("length", True), ("content_filter", True), ("abort", False)]
)
def test_what_a_server_broke_off_is_counted_and_not_kept(path: Path, finish: str, kept: bool) -> None:
    with Cache(path) as cache:
        cache.keep(make_request("a"), Response(text="", finish=finish, usage=USAGE))
        assert cache.has(make_request("a").key) == kept
        assert [(spent.requests, spent.usage) for spent in cache.spent()] == [(1, USAGE)]


def test_what_was_spent_is_known_by_stage_and_model(path: Path) -> None:
    asked = [
        make_request("a"),
        make_request("b"),
        make_request("c", stage=AskedBy.JUDGE),
        make_request("d", model="large"),
    ]
    with Cache(path) as cache:
        for request in asked:
            cache.keep(request, Response(text="", usage=USAGE))
    with Cache(path) as cache:
        found = {(spent.asked_by, spent.model): (spent.requests, spent.usage) for spent in cache.spent()}
    twice = Usage(prompt_tokens=200, cached_tokens=120, completion_tokens=20)
    assert found == {
        (AskedBy.PROPOSE, "small"): (2, twice),
        (AskedBy.JUDGE, "small"): (1, USAGE),
        (AskedBy.PROPOSE, "large"): (1, USAGE),
    }


def test_the_first_answer_to_a_question_stays_and_both_are_counted(path: Path) -> None:
    with Cache(path) as one, Cache(path) as other:
        assert one.keep(make_request("a"), Response(text="one", usage=USAGE)).text == "one"
        assert other.keep(make_request("a"), Response(text="other", usage=USAGE)).text == "one"
        assert one.spent()[0].requests == 2


def test_the_secret_is_made_with_the_file_and_stays(tmp_path: Path) -> None:
    with Cache(tmp_path / "a") as cache:
        secret = cache.secret
    with Cache(tmp_path / "a") as cache, Cache(tmp_path / "b") as other:
        assert cache.secret == secret
        assert len(secret) == 32
        assert other.secret != secret


def test_the_repair_turn_is_answered_from_the_file_too(path: Path) -> None:
    client = ScriptedClient(["no JSON", {"word": "yes"}])

    async def run() -> Word:
        with Cache(path) as cache:
            return await ask(Cached(client, cache), make_request("a"), Word)

    assert asyncio.run(run()) == asyncio.run(run())
    assert len(client.requests) == 2


def test_two_loops_in_two_threads_share_a_file(path: Path) -> None:
    texts = [str(n) for n in range(150)]
    clients, answers = (Slow(pause_s=0.001), Slow(pause_s=0.001)), dict[int, list[str]]()
    Cache(path).close()

    def work(number: int) -> None:
        order = random.Random(number).sample(texts, len(texts))
        answers[number] = [x for _, x in sorted(zip(order, complete_all(path, clients[number], order), strict=True))]

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    later = complete_all(path, clients[0], sorted(texts))
    with Cache(path) as cache:
        assert cache.spent()[0].requests == len(clients[0].asked) + len(clients[1].asked)
    for text, *found in zip(sorted(texts), answers[0], answers[1], later, strict=True):
        assert len(set(found)) == 1, f"{text} has two answers"


def test_one_cache_serves_several_threads(path: Path) -> None:
    with Cache(path) as cache:

        def work(number: int) -> None:
            for n in range(100):
                cache.keep(make_request(f"{number} {n}"), Response(text=str(n), usage=USAGE))
                assert cache.get(make_request(f"{number} {n}").key) is not None

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert cache.spent()[0].requests == 400


def test_many_can_make_the_file_at_once(path: Path) -> None:
    code = "import sys; from pathlib import Path; from agenther.llm.cache import Cache; print(Cache(Path(sys.argv[1])).secret)"
    makers = [subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE) for _ in range(4)]
    assert len({maker.communicate()[0] for maker in makers}) == 1
    assert [maker.returncode for maker in makers] == [0] * 4


def test_requests_wait_until_they_are_answered(path: Path) -> None:
    a, b = make_request("a"), make_request("b", model="large")
    with Cache(path) as cache:
        for request in (a, b, a):
            cache.note(request)
    with Cache(path) as cache:
        assert cache.waiting(sent=False) == [("large", b.key), ("small", a.key)]
        assert cache.waiting_request(a.key) == a
        cache.mark_sent([a.key], 1)
        cache.forget_unsent()
        assert (cache.waiting(sent=False), cache.waiting(sent=True)) == ([], [("small", a.key)])
        cache.mark_unsent([a.key])
        assert cache.waiting(sent=False) == [("small", a.key)]
        cache.keep(a, Response(text="yes"))
        assert cache.waiting_request(a.key) is None
        assert cache.rounds() == 1


def filled(path: Path) -> None:
    with Cache(path) as cache:
        for n in range(200):
            cache.keep(make_request(str(n)), Response(text=f"answer {n} " + "x" * 300, usage=USAGE))


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "answers.sqlite"
    filled(path)
    return path.read_bytes()


def complaint(path: Path) -> str:
    """Return what reading the file complains of, if it does."""
    try:
        read_all(path)
    except UserError as error:
        return error.message
    return ""


def read_all(path: Path) -> None:
    with Cache(path) as cache:
        for n in range(200):
            cache.get(make_request(str(n)).key)
        cache.keep(make_request("new"), Response(text="new", usage=USAGE))
        cache.spent()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\x00" + b"\x00" * 5000])
def test_a_file_that_is_none_of_ours_is_an_error_of_one_line(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(UserError):
        read_all(path)


def test_the_tables_of_another_program_are_refused_and_left_as_they_are(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (a)")
    before = path.read_bytes()
    with pytest.raises(WriteError, match="another program"):
        Cache(path)
    assert path.read_bytes() == before


def test_a_file_of_another_version_is_refused(path: Path) -> None:
    Cache(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(UserError, match="version 99"):
        Cache(path)


def test_a_damaged_answer_is_said_so(path: Path) -> None:
    filled(path)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE answers SET response = x'ff'")
    with pytest.raises(UserError, match="damaged"):
        read_all(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), size=st.integers(1, 3000), byte=st.integers(0, 255))
def test_damage_anywhere_is_an_error_of_one_line_or_none(
    tmp_path_factory: pytest.TempPathFactory, whole_file: bytes, at: float, size: int, byte: int
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "answers.sqlite"
    path.write_bytes(whole_file)
    content = bytearray(path.read_bytes())
    start = int(at * (len(content) - size))
    content[start : start + size] = bytes([byte]) * size
    path.write_bytes(content)
    assert "\n" not in complaint(path)


@settings(max_examples=20, deadline=None)
@given(left=st.floats(0, 0.99))
def test_a_file_that_was_cut_is_an_error_of_one_line(
    tmp_path_factory: pytest.TempPathFactory, whole_file: bytes, left: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / "answers.sqlite"
    path.write_bytes(whole_file)
    with path.open("r+b") as file:
        file.truncate(int(left * path.stat().st_size))
    assert "\n" not in complaint(path)


FILLING = """
import resource, sys
from pathlib import Path
from agenther.llm.base import Response
from agenther.llm.cache import Cache
from tests.llm.serving import make_request
cache = Cache(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
n = 0
try:
    while n < 1000:
        cache.keep(make_request(str(n)), Response(text="x" * 2000))
        n += 1
except Exception as error:
    print(n, type(error).__name__, error.message, sep="|")
"""


def test_a_full_disk_is_an_error_of_one_line_and_loses_nothing_that_was_kept(path: Path) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", FILLING, path], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    n, kind, message = done.stdout.strip().split("|")
    assert kind == WriteError.__name__
    assert "answers.sqlite" in message
    with Cache(path) as cache:
        assert all(cache.has(make_request(str(number)).key) for number in range(int(n)))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_is_an_error(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o500)
    with pytest.raises(WriteError):
        Cache(path)


def test_a_place_that_cannot_hold_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "file" / "answers.sqlite", tmp_path / "folder"):
        with pytest.raises(WriteError):
            Cache(place)
