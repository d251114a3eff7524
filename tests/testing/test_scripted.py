"""The client that answers from a script."""

from __future__ import annotations

import asyncio
import json

import pytest

from agenther.errors import ProviderError
from agenther.llm.base import AskedBy, Message, Request, Response, Usage
from agenther.stages.fence import Fencer
from agenther.testing.scripted import ScriptedClient


def request(text: str = "Judge it.") -> Request:
    return Request(
        model="scripted",
        messages=(Message(role="user", content=text),),
        temperature=0,
        max_tokens=100,
        asked_by=AskedBy.JUDGE,
    )


def test_answers_come_in_turn_and_requests_are_kept() -> None:
    client = ScriptedClient(["yes", Response(text="no", finish="length")], usage=Usage(prompt_tokens=7))
    first, second = (asyncio.run(client.complete(request(text))) for text in ("a", "b"))
    assert (first.text, first.usage.prompt_tokens) == ("yes", 7)
    assert (second.text, second.finish) == ("no", "length")
    assert [asked.messages[0].content for asked in client.requests] == ["a", "b"]


def test_a_function_sees_the_request() -> None:
    client = ScriptedClient(lambda asked: asked.messages[0].content.upper())
    assert asyncio.run(client.complete(request("abc"))).text == "ABC"


def test_an_object_gets_the_canary_that_is_demanded_unless_it_has_one() -> None:
    fenced = Fencer(b"secret").enclose("RUN", "canary: 0123456789abcdef")
    asked = request(f"{fenced.text}\n\nThe canary is {fenced.canary}.")
    client = ScriptedClient([{"valid": True}, {"canary": "none", "valid": True}])
    answers = [json.loads(asyncio.run(client.complete(asked)).text) for _ in range(2)]
    assert [answer["canary"] for answer in answers] == [fenced.canary, "none"]


def test_errors_are_raised_and_a_script_that_is_too_short_says_so() -> None:
    client = ScriptedClient([ProviderError("down")])
    with pytest.raises(ProviderError, match="down"):
        asyncio.run(client.complete(request()))
    with pytest.raises(AssertionError, match="no answer left for the request of judge"):
        asyncio.run(client.complete(request()))
    asyncio.run(client.close())
    assert client.closed
