"""A process that asks through the cache is killed at any moment: no answer that anybody got is lost or asked for again."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import web
from tests.llm.serving import completion, make_request, serve

from agenther.llm.cache import ANSWERS, Cache

N = 240
IN_FLIGHT = 16
ASKING = """
import asyncio, os, sys
from pathlib import Path
from agenther.llm.cache import Cache, Cached
from agenther.llm.transport import HttpTransport
from tests.llm.serving import make_model, make_request

async def main(path, endpoint, acknowledged, n, in_flight):
    out = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    gate = asyncio.Semaphore(in_flight)
    with Cache(Path(path)) as cache:
        client = Cached(HttpTransport({"small": make_model(endpoint)}), cache)

        async def ask(number):
            async with gate:
                answer = await client.complete(make_request(f"question {number}"))
                os.write(out, f"{number} {answer.text}\\n".encode())

        await asyncio.gather(*(ask(number) for number in range(n)))
        await client.close()

asyncio.run(main(*sys.argv[1:4], *map(int, sys.argv[4:])))
"""


class Counting:
    """A server that remembers in which life of the process each question came; no two of its answers are equal."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.life = 0
        self.came: list[tuple[int, int]] = []

    async def answer(self, request: web.Request) -> web.Response:
        question = (await request.json())["messages"][0]["content"]
        self.came.append((self.life, int(question.split()[1])))
        number = len(self.came)
        await asyncio.sleep(self.dice.uniform(0, 0.02))
        return web.json_response(completion(f"answer-{number}"))


async def live(server: Counting, endpoint: str, folder: Path, *, until: int | None) -> set[tuple[int, str]]:
    """Let one process ask, kill it once the server was asked so often, and return what the process got."""
    acknowledged = folder / f"acknowledged-{server.life}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ASKING, str(folder / ANSWERS), endpoint, str(acknowledged), str(N), str(IN_FLIGHT)),
        cwd=Path(__file__).parents[2],
    )
    if until is None:
        assert await asyncio.wait_for(process.wait(), 120) == 0
    else:
        while len(server.came) < until and process.returncode is None:
            await asyncio.sleep(0.0005)
        await asyncio.sleep(server.dice.uniform(0, 0.03))
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
    lines = acknowledged.read_text().splitlines() if acknowledged.exists() else []
    return {(int(line.split()[0]), line.split()[1]) for line in lines}


async def kill_and_resume(folder: Path, seed: int, kills: int) -> None:
    server = Counting(seed)
    got: list[set[tuple[int, str]]] = []
    async with serve(server.answer) as endpoint:
        for _ in range(kills):
            got.append(
                await live(server, endpoint, folder, until=len(server.came) + server.dice.randint(1, N // kills))
            )
            server.life += 1
        got.append(await live(server, endpoint, folder, until=None))
    assert len(got[-1]) == N
    assert set().union(*got) == got[-1], "an answer that was got once is got ever after"
    for life, earlier in enumerate(got):
        again = {question for when, question in server.came if when > life} & {question for question, _ in earlier}
        assert not again, f"asked again after an answer was got: {again}"
    within = Counter(server.came)
    assert set(within.values()) == {1}, "no process asks the same twice"
    assert len(server.came) <= N + kills * IN_FLIGHT, "only what was on its way is asked again"
    with Cache(folder / ANSWERS) as cache:
        assert sum(spent.requests for spent in cache.spent()) == N
        assert all(cache.has(make_request(f"question {number}").key) for number in range(N))


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment_and_started_again(tmp_path: Path, seed: int) -> None:
    asyncio.run(kill_and_resume(tmp_path, seed, kills=4))
