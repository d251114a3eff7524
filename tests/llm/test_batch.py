from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.llm.serving import completion, make_model, make_request

from agenther.errors import ConfigError, Pending, UserError, WriteError
from agenther.llm import batch
from agenther.llm.base import AskedBy, Request
from agenther.llm.batch import BatchClient, Imported, export_requests, import_answers
from agenther.llm.body import request_body
from agenther.llm.cache import Cache, Cached
from agenther.llm.models import Model
from agenther.llm.structured import answer_form, ask
from agenther.record import Record
from agenther.testing.scripted import ScriptedClient

MODELS = {
    name: make_model("http://127.0.0.1:1/v1", name=name, served_as=f"served {name}")
    for name in ("small", "org/large", "org_large")
}


class Word(Record):
    canary: str
    word: str


@pytest.fixture
def cache(tmp_path: Path) -> Iterable[Cache]:
    with Cache(tmp_path / "out" / "answers.sqlite") as cache:
        yield cache


def noted(cache: Cache, *texts: str, model: str = "small") -> list[Request]:
    requests = [make_request(text, model=model) for text in texts]
    for request in requests:
        cache.note(request)
    return requests


def result(request: Request, text: str = "yes", **more: Any) -> dict[str, Any]:
    response = {"status_code": 200, "request_id": "r-1", "body": completion(text)}
    return {"id": "batch_req_1", "custom_id": request.key, "response": response, "error": None} | more


def failed(request: Request, status: int = 400) -> dict[str, Any]:
    body = {"error": {"message": "too many tokens", "code": "bad"}}
    return result(request, response={"status_code": status, "request_id": "r-1", "body": body})


def imported(cache: Cache, path: Path, *lines: Any) -> Imported:
    path.write_bytes(b"".join(x if isinstance(x, bytes) else json.dumps(x).encode() + b"\n" for x in lines))
    return import_answers(cache, path)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_request_is_noted_once_and_its_run_waits(cache: Cache) -> None:
    client = Cached(BatchClient(cache), cache)

    async def run() -> None:
        for _ in range(2):
            with pytest.raises(Pending):
                await client.complete(make_request("a"))
        await client.close()

    asyncio.run(run())
    assert cache.waiting(sent=False) == [("small", make_request("a").key)]


def test_a_line_holds_the_body_that_would_be_posted(cache: Cache, tmp_path: Path) -> None:
    request = make_request("a").model_copy(update={"form": answer_form("propose", Word)})
    cache.note(request)
    (file,) = export_requests(cache, MODELS, tmp_path / "batch")
    assert (file.path.name, file.model, file.requests) == ("round-1.small.jsonl", "small", 1)
    (line,) = lines_of(file.path)
    assert line == {
        "custom_id": request.key,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": request_body(request, MODELS["small"]),
    }
    assert line["body"]["model"] == "served small"
    assert list(line["body"]["response_format"]["json_schema"]["schema"]["properties"]) == ["canary", "word"]


def test_each_model_has_a_file_of_its_own(cache: Cache, tmp_path: Path) -> None:
    for model in MODELS:
        noted(cache, "a", "b", model=model)
    files = export_requests(cache, MODELS, tmp_path)
    assert [file.path.name for file in files] == [
        "round-1.org_large.jsonl",
        "round-1.org_large-2.jsonl",
        "round-1.small.jsonl",
    ]
    for file in files:
        assert {line["body"]["model"] for line in lines_of(file.path)} == {MODELS[file.model].served_as}
        assert file.requests == len(lines_of(file.path)) == 2


def test_what_went_out_goes_out_again_only_when_asked_to(cache: Cache, tmp_path: Path) -> None:
    first = noted(cache, "a", "b")
    export_requests(cache, MODELS, tmp_path)
    assert export_requests(cache, MODELS, tmp_path) == ()
    second = noted(cache, "a", "c")[1:]
    (file,) = export_requests(cache, MODELS, tmp_path)
    assert file.path.name == "round-2.small.jsonl"
    assert [line["custom_id"] for line in lines_of(file.path)] == [request.key for request in second]
    (file,) = export_requests(cache, MODELS, tmp_path, again=True)
    assert {line["custom_id"] for line in lines_of(file.path)} == {request.key for request in first + second}


def test_what_no_run_needs_any_more_does_not_go_out(cache: Cache, tmp_path: Path) -> None:
    noted(cache, "asked with older settings")
    BatchClient(cache)
    assert export_requests(cache, MODELS, tmp_path) == ()


def test_large_rounds_are_parted(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MOST_REQUESTS", 4)
    noted(cache, *(str(n) for n in range(10)))
    files = export_requests(cache, MODELS, tmp_path / "by-number")
    assert [(f.path.name, f.requests) for f in files] == [
        ("round-1.small.jsonl", 4),
        ("round-1.small.2.jsonl", 4),
        ("round-1.small.3.jsonl", 2),
    ]
    monkeypatch.setattr(batch, "MOST_BYTES", 1000)
    files = export_requests(cache, MODELS, tmp_path / "by-size", again=True)
    assert all(f.path.stat().st_size <= 1000 for f in files)
    assert len({line["custom_id"] for f in files for line in lines_of(f.path)}) == 10


def test_a_model_that_nobody_knows_is_named(cache: Cache, tmp_path: Path) -> None:
    noted(cache, "a", model="unheard-of")
    with pytest.raises(ConfigError, match="unheard-of"):
        export_requests(cache, MODELS, tmp_path)
    assert cache.waiting(sent=False) != []


def test_requests_stay_when_the_folder_cannot_be_written(cache: Cache, tmp_path: Path) -> None:
    noted(cache, "a")
    (tmp_path / "file").touch()
    with pytest.raises(WriteError):
        export_requests(cache, MODELS, tmp_path / "file")
    assert len(export_requests(cache, MODELS, tmp_path)) == 1


def test_answers_are_taken_in_any_order_with_what_they_took(cache: Cache, tmp_path: Path) -> None:
    requests = noted(cache, "a", "b", "c")
    counts = imported(cache, tmp_path / "r.jsonl", *(result(r, r.messages[0].content * 2) for r in reversed(requests)))
    assert (counts.kept, counts.to_json()["faults"]) == (3, {})
    answers = [cache.get(request.key) for request in requests]
    assert [answer and answer.text for answer in answers] == ["aa", "bb", "cc"]
    assert (cache.spent()[0].requests, cache.spent()[0].usage.prompt_tokens) == (3, 30)
    assert cache.waiting(sent=False) == cache.waiting(sent=True) == []


def test_what_is_no_answer_is_counted_and_harms_no_other(cache: Cache, tmp_path: Path) -> None:
    a, b, c, d, e, f = noted(cache, *"abcdef")
    export_requests(cache, MODELS, tmp_path)
    stranger = make_request("never asked")
    counts = imported(
        cache,
        tmp_path / "r.jsonl",
        b"\n{broken\n\xff\xfe\n[1, 2]\n42\n",
        {"custom_id": 7},
        result(a),
        result(a, "no"),
        failed(b),
        result(c, response=None, error={"code": "batch_expired", "message": "the batch ran out of time"}),
        result(d, response={"status_code": 200, "body": {"choices": []}}),
        result(e, response=None),
        result(stranger),
        b'{"custom_id": "cut in the mid',
    )
    assert (counts.kept, counts.failed, counts.repeated, counts.unknown, counts.broken) == (1, 4, 1, 1, 6)
    assert counts.faults["the batch ran out of time"] == counts.faults["400 too many tokens"] == 1
    kept = cache.get(a.key)
    assert kept is not None
    assert kept.text == "yes"
    assert {key for _, key in cache.waiting(sent=False)} == {b.key, c.key, d.key, e.key}
    assert cache.waiting(sent=True) == [("small", f.key)]
    assert cache.spent()[0].requests == 1


def test_an_error_and_an_answer_to_one_request_leave_the_answer(cache: Cache, tmp_path: Path) -> None:
    a, b = noted(cache, "a", "b")
    counts = imported(cache, tmp_path / "r.jsonl", failed(a), result(a), result(b), failed(b))
    assert (counts.kept, counts.failed, counts.repeated) == (2, 1, 1)
    assert cache.waiting(sent=False) == cache.waiting(sent=True) == []


def test_the_same_file_twice_pays_once(cache: Cache, tmp_path: Path) -> None:
    (a,) = noted(cache, "a")
    imported(cache, tmp_path / "r.jsonl", result(a))
    assert import_answers(cache, tmp_path / "r.jsonl").repeated == 1
    assert cache.spent()[0].requests == 1


def test_an_answer_that_its_server_broke_off_goes_out_again(cache: Cache, tmp_path: Path) -> None:
    (a,) = noted(cache, "a")
    body = completion("half")
    body["choices"][0]["finish_reason"] = "abort"  # pyright: ignore
    counts = imported(cache, tmp_path / "r.jsonl", result(a, response={"status_code": 200, "body": body}))
    assert (counts.failed, cache.waiting(sent=False)) == (1, [("small", a.key)])


def test_faults_of_many_kinds_are_not_all_listed(cache: Cache, tmp_path: Path) -> None:
    requests = noted(cache, *(str(n) for n in range(100)))
    lines = (result(r, response=None, error=f"fault {n}") for n, r in enumerate(requests))
    counts = imported(cache, tmp_path / "r.jsonl", *lines)
    assert counts.failed == sum(counts.faults.values()) == 100
    assert len(counts.faults) <= batch.MOST_FAULTS + 1


def test_a_file_that_is_none_is_an_error_of_one_line(cache: Cache, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.jsonl", tmp_path):
        with pytest.raises(UserError):
            import_answers(cache, path)


ANY_LINE = st.one_of(
    st.binary(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["custom_id", "response", "body", "error", "choices", "message", "status_code"]), inner
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(ANY_LINE, max_size=8))
def test_any_bytes_cost_nobody_an_answer(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("any")
    with Cache(folder / "answers.sqlite") as cache:
        (a,) = noted(cache, "a")
        imported(cache, folder / "r.jsonl", *(line + b"\n" for line in lines), result(a))
        assert cache.has(a.key)


def answer_all(models: dict[str, Model], files: Iterable[Path], folder: Path, dice: random.Random) -> list[Path]:
    """Play the batch service: answer the requests of files in any order, some with errors."""
    lines = [line for file in files for line in lines_of(file)]
    dice.shuffle(lines)
    output = []
    for line in lines:
        text = line["body"]["messages"][0]["content"]
        is_repair = len(line["body"]["messages"]) > 1
        answer = json.dumps({"canary": "", "word": text}) if is_repair or text != "hard" else "no JSON"
        body = {"status_code": 200, "body": completion(answer)} if dice.random() < 0.6 else None
        error = None if body else {"message": "try later"}
        output.append(json.dumps({"custom_id": line["custom_id"], "response": body, "error": error}))
    half = len(output) // 2
    paths = [folder / "output.jsonl", folder / "errors.jsonl"]
    for path, part in zip(paths, (output[:half], output[half:]), strict=True):
        path.write_text("\n".join(part))
    return paths


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_job_by_files_ends_as_one_by_wire(tmp_path: Path, seed: int) -> None:
    questions = ["a", "hard", "b", "a", "c"]
    dice = random.Random(seed)

    async def run() -> list[str]:
        with Cache(tmp_path / "answers.sqlite") as cache:
            client = Cached(BatchClient(cache), cache)
            asking = (ask(client, make_request(text, stage=AskedBy.JUDGE), Word) for text in questions)
            found = await asyncio.gather(*asking, return_exceptions=True)
            if all(isinstance(word, Word) for word in found):
                return [word.word for word in found if isinstance(word, Word)]
            assert all(isinstance(word, Word | Pending) for word in found)
            files = export_requests(cache, MODELS, tmp_path / "batch")
            for path in answer_all(MODELS, [file.path for file in files], tmp_path, dice):
                import_answers(cache, path)
            return []

    for _ in range(40):
        if found := asyncio.run(run()):
            break
    assert found == questions
    with Cache(tmp_path / "answers.sqlite") as cache:
        assert cache.spent()[0].requests == 5, "four questions and one repair turn"

        async def by_wire() -> Word:
            client = Cached(ScriptedClient([]), cache)
            return await ask(client, make_request("hard", stage=AskedBy.JUDGE), Word)

        assert asyncio.run(by_wire()).word == "hard", "answers by files serve a job by wire"
