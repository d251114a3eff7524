"""Limits against servers of every temper: in virtual time where minutes must pass, and against a real one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest
from aiohttp import web
from tests.llm.serving import completion, make_model, make_request, serve
from tests.llm.virtual_time import Distant, now, run

from agenther.errors import ProviderError, ProviderRefused
from agenther.llm.base import Request, Response
from agenther.llm.failures import Busy, Failure, TimedOut, Unreachable
from agenther.llm.limits import TRIES, Limited, limit_by_endpoint
from agenther.llm.models import Model
from agenther.llm.transport import HttpTransport
from agenther.testing.scripted import ScriptedClient

Outcome = str | Response | Exception


class Rate:
    """A server that takes `rate` requests a second, and `burst` at once."""

    def __init__(self, rate: float, burst: float, retry_after_s: float | None = None) -> None:
        self.rate, self.burst, self.retry_after_s = rate, burst, retry_after_s
        self.tokens, self.at, self.refused = burst, 0.0, 0

    def __call__(self, request: Request) -> Outcome:
        self.tokens = min(self.burst, self.tokens + (now() - self.at) * self.rate)
        self.at = now()
        if self.tokens >= 1:
            self.tokens -= 1
            return "yes"
        self.refused += 1
        return Busy("429", self.retry_after_s)


class Outage:
    """A server that fails from one time to another."""

    def __init__(self, begins_s: float, ends_s: float, failure: Failure) -> None:
        self.begins_s, self.ends_s, self.failure = begins_s, ends_s, failure
        self.failed = 0

    def __call__(self, request: Request) -> Outcome:
        if self.begins_s <= now() < self.ends_s:
            self.failed += 1
            return self.failure
        return "yes"


def ask_all(
    server: Callable[[Request], Outcome], n: int, concurrency: int = 64, latency_s: float = 0.3, patience_s: float = 600
) -> tuple[list[Response | BaseException], float, Distant]:
    """Ask `n` requests at once, and return what came of them, the seconds that it took, and the way to the server."""

    async def main() -> tuple[list[Response | BaseException], float, Distant]:
        way = Distant(ScriptedClient(server), latency_s)
        limited = Limited(way, concurrency, patience_s, random.Random(1))
        asked = (limited.complete(make_request(str(number))) for number in range(n))
        return await asyncio.gather(*asked, return_exceptions=True), now(), way

    return run(main())


def answered(outcomes: list[Response | BaseException]) -> int:
    return sum(isinstance(outcome, Response) for outcome in outcomes)


@pytest.mark.parametrize("concurrency", [1, 7, 64, 512])
def test_as_many_as_allowed_fly_and_no_more(concurrency: int) -> None:
    outcomes, seconds, way = ask_all(lambda _: "yes", 40 * concurrency, concurrency)
    assert answered(outcomes) == 40 * concurrency
    assert way.peak == concurrency
    assert 40 * 0.3 / seconds > 0.85


@pytest.mark.parametrize("retry_after_s", [None, 1.0])
@pytest.mark.parametrize(("rate", "burst", "latency_s"), [(100, 100, 0.3), (100, 20, 0.3), (10, 10, 10), (0.5, 1, 3)])
def test_the_rate_of_a_server_is_found_and_used(
    rate: float, burst: float, latency_s: float, retry_after_s: float | None
) -> None:
    server = Rate(rate, burst, retry_after_s)
    n = int(rate * 60) + 300
    outcomes, seconds, _ = ask_all(server, n, 512, latency_s)
    assert answered(outcomes) == n
    assert n / seconds / rate > 0.75
    assert server.refused < n / 2


def test_a_server_that_asks_for_a_pause_gets_it() -> None:
    asked: list[float] = []

    def server(_: Request) -> Outcome:
        asked.append(now())
        return Busy("429", 20) if len(asked) == 1 else "yes"

    outcomes, seconds, _ = ask_all(server, 1)
    assert answered(outcomes) == 1
    assert 20 <= asked[1] <= 21
    assert seconds < 22


def test_a_quota_by_the_minute_is_waited_for_by_one() -> None:
    taken: dict[int, int] = {}
    refused = 0

    def server(_: Request) -> Outcome:
        nonlocal refused
        minute = int(now() // 60)
        taken[minute] = taken.get(minute, 0) + 1
        refused += taken[minute] > 600
        return Busy("429") if taken[minute] > 600 else "yes"

    outcomes, seconds, _ = ask_all(server, 1500)
    assert answered(outcomes) == 1500
    assert seconds < 125
    assert refused < 150


@pytest.mark.parametrize("failure", [Unreachable("nobody listens"), Failure("502")])
@pytest.mark.parametrize("concurrency", [2, 64])
def test_a_minute_without_a_server_costs_a_minute(failure: Failure, concurrency: int) -> None:
    server = Outage(5, 65, failure)
    n = 80 * concurrency
    outcomes, seconds, _ = ask_all(server, n, concurrency)
    assert answered(outcomes) == n
    assert seconds < 80 * 0.3 + 60 + 8
    assert server.failed < 3 * concurrency + 40


def test_a_server_that_is_gone_is_given_up_after_some_patience() -> None:
    server = Outage(0, 1e9, Unreachable("nobody listens"))
    outcomes, seconds, _ = ask_all(server, 200, patience_s=100)
    assert all(isinstance(outcome, ProviderError) for outcome in outcomes)
    assert "nobody listens" in str(outcomes[-1])
    assert 100 <= seconds < 115
    assert server.failed < 300


def test_one_that_was_given_up_is_tried_again_later() -> None:
    async def main() -> None:
        server = Outage(0, 50, Unreachable("nobody listens"))
        limited = Limited(ScriptedClient(server), 4, 20, random.Random(1))
        first = await asyncio.gather(
            *(limited.complete(make_request(str(n))) for n in range(9)), return_exceptions=True
        )
        assert not answered(first)
        await asyncio.sleep(50)
        assert (await limited.complete(make_request())).text == "yes"

    run(main())


def test_one_request_that_always_fails_harms_no_other() -> None:
    def server(request: Request) -> Outcome:
        return Failure("500") if request.messages[0].content == "3" else "yes"

    for concurrency in (1, 8):
        outcomes, seconds, _ = ask_all(server, 30, concurrency)
        assert answered(outcomes) == 29
        assert str(outcomes[3]) == f"500 (after {TRIES} tries)"
        assert seconds < 150


def test_a_request_that_never_comes_back_is_given_up_sooner() -> None:
    outcomes, _, _ = ask_all(lambda r: TimedOut("late") if r.messages[0].content == "3" else "yes", 30, 8)
    assert answered(outcomes) == 29
    assert str(outcomes[3]) == "late (after 3 tries)"


def test_a_request_larger_than_its_limit_is_not_tried_for_ever() -> None:
    outcomes, seconds, _ = ask_all(
        lambda r: Busy("too large", 1) if r.messages[0].content == "3" else "yes", 3000, 1, 0.5
    )
    assert answered(outcomes) == 2999
    assert isinstance(outcomes[3], ProviderError)
    assert seconds < 3000 * 0.5 + 650


def test_a_server_that_wants_to_be_left_alone_for_long_is() -> None:
    outcomes, seconds, _ = ask_all(lambda _: Busy("quota of the day", 9000), 1)
    assert "wants to be left alone for 9000 s" in str(outcomes[0])
    assert seconds < 1


def test_what_another_try_cannot_change_is_not_tried_again() -> None:
    for error in (ProviderRefused("wrong key"), ProviderError("longer than the context")):
        client = ScriptedClient([error])
        with pytest.raises(type(error)):
            run(Limited(client, 4).complete(make_request()))
        assert len(client.requests) == 1


def test_random_failures_lose_nothing() -> None:
    draw = random.Random(3)
    kinds = [Busy("429", 0.2), Failure("500"), Unreachable("broken"), Failure("garbage")]
    outcomes, _, _ = ask_all(lambda _: draw.choice(kinds) if draw.random() < 0.3 else "yes", 2000)
    assert answered(outcomes) == 2000


def test_a_request_that_is_called_off_gives_its_place_back() -> None:
    async def main() -> None:
        limited = Limited(Distant(ScriptedClient(lambda _: "yes"), 1), 1)
        first, second = (asyncio.create_task(limited.complete(make_request(text))) for text in "ab")
        await asyncio.sleep(0.5)
        first.cancel()
        assert (await second).text == "yes"
        assert now() == pytest.approx(1.5)

    run(main())


def test_each_endpoint_has_limits_of_its_own() -> None:
    async def main() -> None:
        way = Distant(ScriptedClient(lambda r: Busy("429", 500) if r.model == "full" else "yes"), 0.3)
        models: dict[str, Model] = {
            name: make_model(f"http://{host}/v1", name=name)
            for name, host in [("full", "a"), ("also", "a"), ("free", "b")]
        }
        client = limit_by_endpoint(way, models, concurrency=1, seed=1)
        waiting = [asyncio.create_task(client.complete(make_request(model=name))) for name in ("full", "also")]
        assert (await client.complete(make_request(model="free"))).text == "yes"
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await client.close()

    run(main())


def test_a_real_server_that_refuses_and_falters_answers_all_in_the_end() -> None:
    draw = random.Random(5)

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        match draw.randrange(12):
            case 0:
                return web.json_response({}, status=429, headers={"Retry-After": "0"})
            case 1:
                return web.json_response({}, status=500)
            case 2:
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            case _:
                return web.json_response(completion())

    async def main() -> list[Response]:
        async with serve(answer) as endpoint:
            models = {"small": make_model(endpoint)}
            client = limit_by_endpoint(HttpTransport(models), models, 50, seed=1)
            answers = await asyncio.gather(*(client.complete(make_request(str(n))) for n in range(200)))
            await client.close()
            return answers

    assert len(asyncio.run(main())) == 200
