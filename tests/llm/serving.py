"""Real local servers that answer by a function, for the tests of clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from agenther.llm.base import AskedBy, Message, Request
from agenther.llm.models import Model
from agenther.record import JsonObject

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serve(answer: Answer) -> AsyncIterator[str]:
    """Serve completions on a free port of this machine, and yield the endpoint."""
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def completion(text: str = "yes", prompt: int = 10, cached: int = 0, completed: int = 2) -> JsonObject:
    """Return a server's body with one answer."""
    return {
        "model": "served",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {
            "prompt_tokens": prompt,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens": completed,
        },
    }


def answering(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Return a function that answers the same to every request."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response(body, status=status, headers=headers)

    return answer


async def silence(_: web.Request) -> web.StreamResponse:
    """Take a request and say nothing for a long time."""
    await asyncio.sleep(60)
    raise web.HTTPInternalServerError


def make_request(
    text: str = "hello", model: str = "small", stage: AskedBy = AskedBy.PROPOSE, tokens: int = 50
) -> Request:
    """Return a request of one message."""
    return Request(
        model=model,
        messages=(Message(role="user", content=text),),
        temperature=0,
        max_tokens=tokens,
        asked_by=stage,
    )


def make_model(endpoint: str, **facts: object) -> Model:
    """Return a model that needs no key."""
    return Model.model_validate({"name": "small", "served_as": "small-1", "endpoint": endpoint} | facts)
