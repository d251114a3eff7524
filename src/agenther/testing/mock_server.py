"""A model server that answers as a good model would, and fails as often as it is told to. Loopback only.

`python -m agenther.testing.mock_server --port 8000`. Speaks OpenAI's protocol at `/v1/chat/completions` and `/v1/models`, and
tells at `/stats` what it was asked. Nothing is drawn at random: a hash of the seed, the body and, for failures, of how often
the body came decides. What it answers belongs to `mock_answers`, what it counts to `mock_usage`.
"""

from __future__ import annotations

import asyncio
import math
import signal
import time
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import click
import orjson

from agenther.errors import MissingExtra
from agenther.record import Json, JsonObject
from agenther.testing.mock_answers import Asked, Manner, answer_to, completion, draw, read_request
from agenther.testing.mock_usage import Counts, PrefixCache, blocks_of, count_prompt, count_tokens

if TYPE_CHECKING:
    from aiohttp import web

HOST = "127.0.0.1"
MODELS = ("mock-proposer", "mock-judge")
"""Names listed at /v1/models; any other name is answered too."""
LARGEST_BODY = 64 * 2**20
SHARE = click.FloatRange(0, 1)


@dataclass(frozen=True)
class Weather:
    """How the server fares."""

    latency_s: float = 0.0
    """Seconds from a request to its answer."""
    p429: float = 0.0
    """Share of tries that are told at once to come later."""
    p500: float = 0.0
    """Share of tries that end in an error of the server, after the latency."""
    rps: float | None = None
    """Most requests a second, saved up for at most one second; those beyond are told when to come again. None: no limit."""
    seed: int = 0


@dataclass
class MockServer:
    """What the server knows."""

    weather: Weather = field(default_factory=Weather)
    manner: Manner = field(default_factory=Manner)
    counts: Counts = field(default_factory=Counts)
    _cache: PrefixCache = field(default_factory=PrefixCache)
    _allowed: float = 1.0
    _allowed_at: float = field(default_factory=time.monotonic)

    def app(self) -> web.Application:
        """Return the application that serves all paths."""
        web = _web()
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/stats", self._stats)
        return app

    async def _complete(self, request: web.Request) -> web.Response:
        raw = await request.read()
        try:
            asked = read_request(orjson.loads(raw))
        except ValueError as error:
            self.counts.statuses[400] += 1
            return _failure(400, f"no request for a chat completion: {error}")
        digest = blake2b(raw, digest_size=16).digest()
        attempt = self.counts.arrived(digest, asked.form)
        try:
            return await self._answer(request, asked, digest, attempt)
        finally:
            self.counts.left(digest)

    async def _answer(self, request: web.Request, asked: Asked, digest: bytes, attempt: int) -> web.Response:
        weather = self.weather
        wait_s = self._wait_s()
        if wait_s > 0:
            self.counts.statuses[429] += 1
            return _failure(429, "too many requests a second", wait_s)
        if draw(weather.seed, "429", digest, attempt) < weather.p429:
            self.counts.statuses[429] += 1
            return _failure(429, "overloaded")
        if weather.latency_s:
            await asyncio.sleep(weather.latency_s)
        if request.transport is None or request.transport.is_closing():
            self.counts.abandoned += 1
            return _failure(499, "nobody waits for the answer")
        if draw(weather.seed, "500", digest, attempt) < weather.p500:
            self.counts.statuses[500] += 1
            return _failure(500, "a fault of the server, as it was told")
        return _json(self._completion(asked, digest))

    def _completion(self, asked: Asked, digest: bytes) -> JsonObject:
        answer = answer_to(asked, self.manner)
        prompt, made = count_prompt(asked.prompts), count_tokens(answer.text)
        cached = self._cache.take(blocks_of(asked.model, asked.prompts))
        self.counts.answered(digest, asked.form, prompt, cached, made)
        self.counts.struck.update(answer.struck)
        return completion(asked, answer, cached)

    def _wait_s(self) -> float:
        """Take one request from what the limit allows; return after how many seconds there will be one to take."""
        if self.weather.rps is None:
            return 0.0
        now = time.monotonic()
        saved = self._allowed + (now - self._allowed_at) * self.weather.rps
        self._allowed, self._allowed_at = min(saved, max(self.weather.rps, 1.0)), now
        if self._allowed >= 1:
            self._allowed -= 1
            return 0.0
        return (1 - self._allowed) / self.weather.rps

    async def _models(self, _: web.Request) -> web.Response:
        listed: list[Json] = [{"id": name, "object": "model", "created": 0, "owned_by": "agenther"} for name in MODELS]
        return _json({"object": "list", "data": listed})

    async def _stats(self, _: web.Request) -> web.Response:
        return _json(self.counts.to_json())


def _json(body: JsonObject) -> web.Response:
    return _web().Response(body=orjson.dumps(body), content_type="application/json")


def _failure(status: int, message: str, retry_after_s: float | None = None) -> web.Response:
    body = orjson.dumps({"error": {"message": message, "type": "mock", "code": str(status)}})
    headers: dict[str, str] = {}
    if retry_after_s is not None:
        headers = {"retry-after": str(math.ceil(retry_after_s)), "retry-after-ms": str(math.ceil(retry_after_s * 1000))}
    return _web().Response(status=status, body=body, headers=headers, content_type="application/json")


def _web():
    try:
        from aiohttp import web
    except ImportError as error:
        raise MissingExtra("the mock server needs aiohttp", "pip install 'agenther[llm]'") from error
    return web


async def serve(server: MockServer, port: int) -> None:
    """Serve on the loopback interface until SIGTERM or SIGINT; print the address first.

    Args:
        server: what to serve.
        port: 0 for any that is free.
    """
    web = _web()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, HOST, port, backlog=2048).start()
    click.echo(f"http://{HOST}:{runner.addresses[0][1]}/v1")
    await stop.wait()
    await runner.cleanup()


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 takes any that is free.")
@click.option("--latency", "latency_s", type=click.FloatRange(0), default=0.0, help="Seconds that an answer takes.")
@click.option("--p429", type=SHARE, default=0.0, help="Share of tries told to come later.")
@click.option("--p500", type=SHARE, default=0.0, help="Share of tries that end in a server error.")
@click.option("--pbad", type=SHARE, default=0.0, help="Share of answers that break their form.")
@click.option("--p-low", type=SHARE, default=0.0, help="Share of proposals and verdicts of low confidence.")
@click.option("--judge-no", type=SHARE, default=0.0, help="Share of verdicts that refuse.")
@click.option("--rps", type=click.FloatRange(0, min_open=True), help="Most requests a second.")
@click.option("--seed", type=int, default=0, help="Decides which requests are struck.")
def main(
    port: int,
    latency_s: float,
    p429: float,
    p500: float,
    pbad: float,
    p_low: float,
    judge_no: float,
    rps: float | None,
    seed: int,
) -> None:
    """Serve answers that are built from the runs they are asked about. Prints its address; GET /stats tells what it was asked."""
    weather = Weather(latency_s, p429, p500, rps, seed)
    try:
        asyncio.run(serve(MockServer(weather, Manner(pbad, p_low, judge_no, seed)), port))
    except MissingExtra as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
