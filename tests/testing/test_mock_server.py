"""The mock server over real HTTP: what it answers, how it fails, what it counts."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from agenther.errors import ParseError
from agenther.llm.structured import parse_answer
from agenther.stages.fence import Fencer
from agenther.stages.verify.model import JudgeAnswer
from agenther.testing.serving import Served, mock_server

RUN = """[task] Which ships lie in Skarvik?
[step 1] user
message: Which ships lie in Skarvik?
[step 2] agent
call find_ships: {"harbour": "Torvik"}
observation: Three ferries and a barque
[step 3] agent
message: Three ferries and a barque."""


def body(form: str | None = "judge", text: str = RUN, model: str = "mock-judge", most: int = 500) -> dict[str, Any]:
    fenced = Fencer(b"secret").enclose("RUN", text)
    messages = [{"role": "system", "content": "You examine runs."}]
    messages.append({"role": "user", "content": f"{fenced.text}\n\nJudge it. canary: {fenced.canary}"})
    asked: dict[str, Any] = {"model": model, "messages": messages, "temperature": 0, "max_tokens": most}
    if form is not None:
        asked["response_format"] = {"type": "json_schema", "json_schema": {"name": form, "schema": {}, "strict": True}}
    return asked


def send(served: Served, asked: object, method: str = "POST", path: str = "/chat/completions") -> tuple[int, Any, Any]:
    with closing(HTTPConnection(urlsplit(served.endpoint).netloc, timeout=20)) as connection:
        connection.request(method, "/v1" + path, json.dumps(asked), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers


def said(served: Served, asked: object) -> dict[str, Any]:
    status, answer, _ = send(served, asked)
    assert status == 200, answer
    return json.loads(answer["choices"][0]["message"]["content"])


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with mock_server() as running:
        yield running


def test_a_verdict_consents_and_brings_the_canary_back(served: Served) -> None:
    asked = body()
    assert said(served, asked)["canary"] in asked["messages"][1]["content"].rpartition("canary: ")[2]
    assert said(served, asked)["valid"] is True
    assert 0.8 <= said(served, asked)["confidence"] <= 1


def test_a_goal_quotes_the_run_it_is_shown(served: Served) -> None:
    (goal,) = said(served, body("propose"))["goals"]
    assert goal["answers"] == ["Three ferries and a barque"]
    assert {(part["step"], part["quote"]) for part in goal["parts"]} >= {
        (2, "Three ferries and a barque"),
        (2, "Torvik"),
    }
    assert all(part["quote"] in RUN for part in goal["parts"])
    assert "Torvik" in goal["goal"]
    assert said(served, body("propose", "[task] Which ships?\n[step 1] user\nmessage: Which ships?"))["goals"] == []


def test_a_run_is_called_failed_and_what_it_shows_is_claimed(served: Served) -> None:
    quoted = {"step": 2, "quote": "Three ferries and a barque"}
    failed = said(served, body("detect"))
    assert (failed["outcome"], failed["shown"], failed["critical"]) == ("failed", quoted, quoted)
    assert 0.5 <= failed["weight"] <= 1
    (claim,) = said(served, body("extract"))["claims"]
    assert claim["evidence"] == [quoted]
    nothing = "[task] Which ships?\n[step 1] user\nmessage: Which ships?"
    assert said(served, body("detect", nothing))["outcome"] == "unknown"
    assert said(served, body("extract", nothing))["claims"] == []


def test_the_form_is_guessed_from_the_prompt_where_the_request_names_none(served: Served) -> None:
    asked = body(None)
    asked["messages"][1]["content"] += "\n- unmet: what is not shown"
    assert said(served, asked)["unmet"] == []


def test_the_same_body_gets_the_same_answer(served: Served) -> None:
    answers = [send(served, body("propose"))[1] for _ in range(2)]
    assert answers[0]["choices"] == answers[1]["choices"]


def test_what_is_no_request_is_refused(served: Served) -> None:
    for wrong in ([], {}, {"messages": []}, {"messages": [{"role": "user"}]}, {"messages": "hello"}):
        status, answer, _ = send(served, wrong)
        assert (status, "chat completion" in answer["error"]["message"]) == (400, True)


def test_models_are_listed(served: Served) -> None:
    status, answer, _ = send(served, {}, "GET", "/models")
    assert status == 200
    assert answer["data"][0]["id"] == "mock-proposer"


def test_an_answer_longer_than_allowed_is_cut(served: Served) -> None:
    _, answer, _ = send(served, body("propose", most=5))
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 5


def test_tokens_are_counted_and_known_beginnings_are_cached() -> None:
    with mock_server() as served:
        used = [send(served, body(form, RUN + " and a boat" * 200))[1]["usage"] for form in ("propose", "judge")]
        other = send(served, body("judge", RUN + " and a boat" * 200, "another"))[1]["usage"]
        stats = served.stats()
    cached = [one["prompt_tokens_details"]["cached_tokens"] for one in (*used, other)]
    assert cached[0] == cached[2] == 0
    assert cached[1] == 512 < used[1]["prompt_tokens"]
    assert stats["prompt_tokens"] == sum(one["prompt_tokens"] for one in (*used, other))
    assert stats["cached_tokens"] == cached[1]
    assert stats["forms"]["judge"]["requests"] == 2  # pyright: ignore


def test_failures_pass_and_are_the_same_for_the_same_seed() -> None:
    def statuses(seed: int) -> list[int]:
        with mock_server(p429=0.3, p500=0.3, seed=seed) as served:
            return [send(served, body(text=f"{RUN} {i % 4}"))[0] for i in range(120)]

    first = statuses(1)
    assert set(first) == {200, 429, 500}
    assert all(200 in first[i::4] for i in range(4)), "a body that fails is answered when it comes again"
    assert first == statuses(1) != statuses(2)


def test_bad_answers_break_their_form() -> None:
    with mock_server(pbad=1) as served:
        for number in range(20):
            _, answer, _ = send(served, body(text=f"{RUN} {number}"))
            with pytest.raises(ParseError):
                parse_answer(answer["choices"][0]["message"]["content"], JudgeAnswer)
        assert served.stats()["bad"] == 20


def test_verdicts_refuse_and_doubt_as_told() -> None:
    with mock_server(judge_no=1) as served:
        refusal = said(served, body())
        assert (refusal["valid"], bool(refusal["unmet"])) == (False, True)
        assert served.stats()["refused"] == 1
    with mock_server(p_low=1) as served:
        assert said(served, body())["confidence"] == 0.2
        assert said(served, body("propose"))["goals"][0]["confidence"] == 0.2


def test_more_than_so_many_a_second_are_told_when_to_come_again() -> None:
    with mock_server(rps=20) as served:
        start = time.monotonic()
        answers = [send(served, body(text=f"{RUN} {i}")) for i in range(60)]
        elapsed_s = time.monotonic() - start
    taken = sum(status == 200 for status, _, _ in answers)
    assert 1 <= taken <= 21 + 20 * elapsed_s
    waits = [int(headers["retry-after-ms"]) for status, _, headers in answers if status == 429]
    assert waits
    assert all(0 < wait <= 50 for wait in waits)


def test_many_are_in_flight_at_once_and_bodies_that_come_twice_are_counted() -> None:
    with mock_server(latency=0.5) as served, ThreadPoolExecutor(40) as pool:
        start = time.monotonic()
        assert {
            status for status, _, _ in pool.map(lambda i: send(served, body(text=f"{RUN} {i % 39}")), range(40))
        } == {200}
        assert 0.5 <= time.monotonic() - start < 10
        send(served, body(text=f"{RUN} 1"))
        stats = served.stats()
    assert stats["same_body_again"] == {"after_answer": 1, "in_flight": 1, "after_failure": 0}
    assert stats["peak_in_flight"] == 40
    assert (stats["requests"], stats["different_bodies"]) == (41, 39)


def test_an_answer_that_nobody_waits_for_is_not_counted_as_given() -> None:
    with mock_server(latency=0.3) as served:
        with closing(HTTPConnection(urlsplit(served.endpoint).netloc)) as connection:
            connection.request("POST", "/v1/chat/completions", json.dumps(body()))
            time.sleep(0.1)
        time.sleep(0.6)
        stats = served.stats()
    assert (stats["requests"], stats["answered"], stats["abandoned"]) == (1, 0, 1)


def test_it_ends_cleanly_when_told_to() -> None:
    with mock_server() as served:
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(10) == 0


def test_a_server_that_cannot_start_is_reported() -> None:
    with pytest.raises(RuntimeError, match="ended before it served"), mock_server(p429=2):
        pass
