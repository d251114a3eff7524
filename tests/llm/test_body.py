from __future__ import annotations

from typing import Any

import pytest
from tests.llm.serving import make_model, make_request

from agenther.errors import ParseError
from agenther.llm.base import AnswerForm, AskedBy, Message, Request, Usage
from agenther.llm.body import SHOWN, error_code, error_text, read_completion, request_body
from agenther.llm.models import Model

MODEL = Model(name="small", served_as="org/small-1", endpoint="http://localhost/v1")
FORM = AnswerForm(name="judge", json_schema={"type": "object", "properties": {}})
REQUEST = Request(
    model="small",
    messages=(Message(role="system", content="Judge."), Message(role="user", content="half \ud83d of a pair")),
    temperature=0.3,
    max_tokens=50,
    form=FORM,
    asked_by=AskedBy.JUDGE,
)


def test_a_body_names_the_model_as_its_server_does_and_binds_the_answer() -> None:
    assert request_body(REQUEST, MODEL) == {
        "model": "org/small-1",
        "messages": [{"role": "system", "content": "Judge."}, {"role": "user", "content": "half \ufffd of a pair"}],
        "temperature": 0.3,
        "max_tokens": 50,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "judge", "schema": FORM.json_schema, "strict": True},
        },
    }


def test_no_form_where_the_server_binds_none_or_none_is_asked() -> None:
    assert "response_format" not in request_body(REQUEST, MODEL.model_copy(update={"json_schema": False}))
    assert "response_format" not in request_body(REQUEST.model_copy(update={"form": None}), MODEL)


def body(message: Any, **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": message, "finish_reason": "stop"} | more.pop("choice", {})]} | more


def test_an_answer_with_its_usage() -> None:
    usage = {"prompt_tokens": 90, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 64}}
    answer = read_completion(body({"content": "yes"}, usage=usage, model="small-1", choice={"finish_reason": "length"}))
    assert (answer.text, answer.finish, answer.model) == ("yes", "length", "small-1")
    assert answer.usage == Usage(prompt_tokens=90, cached_tokens=64, completion_tokens=7)


@pytest.mark.parametrize(
    "usage",
    [
        *(None, "many", {}),
        {"prompt_tokens": None, "completion_tokens": -1, "prompt_tokens_details": None},
        {"prompt_tokens": 2**64 - 1, "completion_tokens": 2**63, "prompt_tokens_details": {"cached_tokens": 2**63}},
    ],
)
def test_counts_that_are_none_are_zero(usage: Any) -> None:
    assert read_completion(body({"content": "yes"}, usage=usage)).usage == Usage()


def test_no_more_tokens_were_cached_than_there_are() -> None:
    usage = {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}
    assert read_completion(body({"content": "yes"}, usage=usage)).usage.cached_tokens == 5


def test_contents_in_parts_or_none_and_refusals() -> None:
    assert read_completion(body({"content": [{"type": "text", "text": "a"}, {"text": "b"}, 3]})).text == "ab"
    assert read_completion(body({"content": None}, choice={"finish_reason": None})).finish == "stop"
    refused = read_completion(body({"content": None, "refusal": "I cannot."}))
    assert (refused.text, refused.finish) == ("I cannot.", "content_filter")


def test_what_is_nested_too_deeply_to_be_shown_is_no_completion() -> None:
    found: Any = []
    for _ in range(1500):
        found = [found]
    with pytest.raises(ParseError, match="nested too deeply"):
        read_completion(found)


@pytest.mark.parametrize("found", [None, 3, "busy", [], {}, {"choices": []}, {"choices": [{"message": "yes"}]}])
def test_what_is_no_completion(found: Any) -> None:
    with pytest.raises(ParseError, match="expected a chat completion, found"):
        read_completion(found)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"error": {"message": "no\n such model"}}, "no such model"),
        ({"error": "no such model"}, "no such model"),
        ({"detail": "no such model"}, "no such model"),
        ({"object": "error", "message": "no such model"}, "no such model"),
        ("<html>busy</html>", "<html>busy</html>"),
        (None, "nothing"),
        ("", "nothing"),
        ({"detail": [{"loc": 1}]}, "{'detail': [{'loc': 1}]}"),
    ],
)
def test_what_an_error_says(found: Any, said: str) -> None:
    assert error_text(found) == said


def test_errors_are_shortened_and_their_codes_read() -> None:
    found = {"error": {"message": "x" * 1000, "code": "a", "type": "b", "param": None}}
    assert len(error_text(found)) == SHOWN + 1
    assert error_code(found) == "a b"
    assert error_code("busy") == ""


@pytest.mark.parametrize(
    ("said", "means"), [("eos", "stop"), ("end_turn", "stop"), ("length", "length"), (None, "stop")]
)
def test_ends_that_the_model_chose_are_named_as_openai_names_them(said: Any, means: str) -> None:
    body = {"choices": [{"message": {"content": "yes"}, "finish_reason": said}]}
    assert read_completion(body).finish == means


def test_models_that_think_get_their_own_field_for_the_length_and_no_temperature() -> None:
    model = make_model("http://a/v1", length_field="max_completion_tokens", temperature=False)
    body = request_body(make_request(), model)
    assert "max_completion_tokens" in body
    assert {"max_tokens", "temperature"}.isdisjoint(body)
