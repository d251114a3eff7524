"""Redaction: no invented secret stays, few look-alikes go, places move with their text."""

from __future__ import annotations

import json
import re
import time
import tomllib
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stages.redact_corpus import LOOK_ALIKES, SECRETS

from agenther.stages.redact import redact
from agenther.stages.secret_search import find_secrets
from agenther.testing.strategies import trajectories
from agenther.trajectory import Observation, Source, Span, Step, ToolCall, Trajectory

OVER_REDACTED = 1
"""Look-alikes that are replaced all the same: `total 5105105105105100` is, by prefix and check digit, a card number."""


def run_of(text: str, **changes: object) -> Trajectory:
    steps = (Step(step_id=1, source="user", message=text),)
    fields: dict[str, object] = {
        "id": "t/1",
        "source": Source(path="x", format="f", index=0),
        "goal": text,
        "steps": steps,
    }
    return Trajectory(**(fields | changes))  # type: ignore[arg-type]


def replaced(text: str) -> str:
    return redact(run_of(text)).steps[0].message


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(SECRETS) >= 80
    assert len(LOOK_ALIKES) >= 120
    assert len({secret for _, secret, _ in SECRETS}) == len(SECRETS)


@pytest.mark.parametrize(("before", "secret", "after"), SECRETS)
def test_no_secret_stays(before: str, secret: str, after: str) -> None:
    text = replaced(before + secret + after)
    assert text.startswith(before[:6])
    assert text.endswith(after)
    left = text.removeprefix(before).removesuffix(after)
    assert left.startswith("<"), text
    assert left.endswith("_1>"), text


@pytest.mark.parametrize(("before", "secret", "after"), SECRETS)
def test_no_secret_stays_in_tool_arguments_and_they_stay_json(before: str, secret: str, after: str) -> None:
    for arguments in (
        json.dumps({"input": before + secret + after}),
        json.dumps({"body": json.dumps([before + secret + after])}),
    ):
        call = ToolCall(function_name="send", arguments=arguments)
        run = run_of("go", steps=(Step(step_id=1, source="agent", tool_calls=(call,)),))
        out = redact(run).steps[0].tool_calls[0]
        json.loads(out.arguments)
        for escaped in (secret, json.dumps(secret)[1:-1], json.dumps(json.dumps(secret)[1:-1])[1:-1]):
            assert escaped not in out.arguments


def test_over_redaction_is_counted() -> None:
    touched = [text for text in LOOK_ALIKES if find_secrets(text)]
    assert len(touched) == OVER_REDACTED, touched


def test_the_same_value_is_the_same_placeholder_in_every_field() -> None:
    mail = "ana@example.org"
    call = ToolCall(tool_call_id="c", function_name="find_user", arguments=json.dumps({"email": mail}))
    steps = (
        Step(step_id=1, source="user", message=f"I am {mail}, my friend is bo@example.org"),
        Step(
            step_id=2,
            source="agent",
            reasoning=f"look up {mail}",
            tool_calls=(call,),
            observations=(Observation(content=json.dumps({"user": mail.upper()}), source_call_id="c"),),
        ),
    )
    run = run_of(
        f"help {mail}",
        steps=steps,
        labels={"gold": [mail]},
        tools=({"type": "function", "function": {"name": "f", "description": f"ask {mail}"}},),
    )
    out = redact(run)
    assert out.goal == "help <EMAIL_1>"
    assert out.steps[0].message == "I am <EMAIL_1>, my friend is <EMAIL_2>"
    assert out.steps[1].reasoning == "look up <EMAIL_1>"
    assert out.steps[1].tool_calls[0].values == {"email": "<EMAIL_1>"}
    assert json.loads(out.steps[1].observations[0].content) == {"user": "<EMAIL_1>"}
    assert out.labels == {"gold": ["<EMAIL_1>"]}
    assert "<EMAIL_1>" in json.dumps(out.tools)


def test_a_password_is_found_again_where_nothing_names_it() -> None:
    steps = (
        Step(step_id=1, source="user", message="password: kite-88-moon"),
        Step(step_id=2, source="agent", message="typing kite-88-moon now"),
    )
    assert redact(run_of("log in", steps=steps)).steps[1].message == "typing <PASSWORD_1> now"


def test_numbers_in_json_become_texts() -> None:
    call = ToolCall(function_name="pay", arguments='{"card": 4111111111111111, "phone": 4155550188, "n": 2}')
    run = run_of(
        "pay", steps=(Step(step_id=1, source="agent", tool_calls=(call,)),), labels={"cards": [4111111111111111]}
    )
    out = redact(run)
    assert out.steps[0].tool_calls[0].values == {"card": "<CARD_1>", "phone": "<PHONE_1>", "n": 2}
    assert out.labels == {"cards": ["<CARD_1>"]}


@pytest.mark.parametrize(
    "number", ["3782 822463 10005", "378282246310005", "219-09-9998", "٢١٩-٠٩-٩٩٩٨", "(212)555-0187", "212-55-0187"]
)
def test_the_shortest_numbers_of_their_kinds_are_found_between_other_signs(number: str) -> None:
    assert replaced(f"        {number} (2031-05-27)") != f"        {number} (2031-05-27)"
    assert replaced(f"café {number}") != f"café {number}"


def test_places_move_with_their_text() -> None:
    goal = "mail bo@example.org twice"
    message = f"Context ana@example.org.\nTask: {goal}\n"
    at = message.index(goal)
    agent = "I think of ana@example.org first. send[bo@example.org] done"
    call_at = (agent.index("send"), agent.index("]") + 1)
    steps = (
        Step(step_id=1, source="user", message=message),
        Step(
            step_id=2,
            source="agent",
            message=agent,
            thought_at=((0, agent.index(" send")),),
            tool_calls=(ToolCall(function_name="send", arguments='{"to": "bo@example.org"}', at=call_at),),
        ),
    )
    span = Span(step=1, field="message", start=at, end=at + len(goal))
    out = redact(run_of(goal, steps=steps, goal_at=(span,)))
    assert out.text_at(out.goal_at[0]) == out.goal == "mail <EMAIL_1> twice"
    start, end = out.steps[1].thought_at[0]
    assert out.steps[1].message[start:end] == "I think of <EMAIL_2> first."
    at_call = out.steps[1].tool_calls[0].at
    assert at_call is not None
    assert out.steps[1].message[slice(*at_call)] == "send[<EMAIL_1>]"


def test_a_clean_run_is_the_same_object_and_redacting_twice_changes_nothing() -> None:
    clean = run_of("count the suppliers in the north")
    assert redact(clean) is clean
    once = redact(run_of("mail bo@example.org, password: kite-88-moon"))
    assert redact(once) is once


def test_a_placeholder_that_was_there_before_is_not_used_again() -> None:
    assert replaced("<EMAIL_1> and bo@example.org") == "<EMAIL_1> and <EMAIL_2>"


TEXT = st.one_of(st.text(max_size=12), st.sampled_from(["password", "PWD", "api_key", "pin", "phone", "token"]))
PIECE = st.one_of(TEXT, st.sampled_from([b + s + a for b, s, a in SECRETS]))


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        TEXT,
        st.one_of(
            st.lists(PIECE, max_size=3),
            PIECE,
            st.integers(-(2**53), 2**53),
            st.floats(allow_nan=False, allow_infinity=False),
            st.booleans(),
            st.none(),
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_arguments_stay_json(value: dict[str, object], ascii_only: bool) -> None:
    call = ToolCall(function_name="f", arguments=json.dumps(value, ensure_ascii=ascii_only))
    run = run_of(
        "go",
        steps=(Step(step_id=1, source="agent", tool_calls=(call,)),),
        labels={"again": json.loads(json.dumps(value))},
    )
    out = redact(run)
    json.loads(out.steps[0].tool_calls[0].arguments)


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECE, min_size=1, max_size=5))
def test_the_goal_is_found_where_it_stood(pieces: list[str]) -> None:
    message = " \n ".join(pieces)
    goal = pieces[-1]
    span = Span(step=1, field="message", start=len(message) - len(goal), end=len(message))
    out = redact(run_of(message, goal_at=(span,)))
    moved = out.goal_at[0]
    assert 0 <= moved.start <= moved.end == len(out.steps[0].message)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECE, min_size=2, max_size=6), st.integers(0, 40))
def test_fields_are_searched_as_one_and_replaced_one_by_one(pieces: list[str], cut: int) -> None:
    """A secret cut by the end of a field leaves the next field as it would be alone, but for values found in both."""
    steps = tuple(
        Step(step_id=i, source="user", message=piece[cut:] or piece) for i, piece in enumerate(pieces, start=1)
    )
    out = redact(run_of("go", steps=steps))
    assert len(out.steps) == len(steps)
    for before, after in zip(steps, out.steps, strict=True):
        if not find_secrets(before.message) and after.message != before.message:
            assert any(find.value in before.message for step in steps for find in find_secrets(step.message))


PATTERNS = tomllib.loads(files("agenther.stages").joinpath("redact_patterns.toml").read_text(encoding="utf-8"))[
    "pattern"
]


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECE, min_size=1, max_size=4), st.sampled_from(["", " ", "\n", "٠", "é"]))
def test_every_match_holds_what_it_is_not_looked_for_without(pieces: list[str], join: str) -> None:
    text = join.join(pieces)
    for pattern in PATTERNS:
        for match in re.finditer(pattern["regex"], text):
            assert pattern.get("holds", "") in match.group()
            if pattern["anchors"]:
                assert "0" * pattern.get("least", 0) in re.sub(r"[\d ().-]", "0", match.group())


@pytest.mark.parametrize("n_backslashes", [1, 2, 3, 4, 7])
def test_the_letter_of_an_escape_sequence_belongs_to_no_secret(n_backslashes: int) -> None:
    escape = "\\" * n_backslashes
    before = f"see {escape}"
    assert replaced(f"{before}nbo@example.org") == f"{before}n<EMAIL_1>"
    assert replaced(f"{before}u002Fbo@example.org") == f"{before}u002F<EMAIL_1>"


FIELD = st.sampled_from(["", "plain", "to bo@example.org", "password: kite-88-moon"])


@settings(max_examples=200, deadline=None)
@given(FIELD, st.lists(st.tuples(st.integers(1, 3), FIELD, FIELD, FIELD, FIELD, FIELD), max_size=4), st.booleans())
def test_secrets_are_found_in_whatever_fields_hold_texts(
    goal: str, rows: list[tuple[int, str, str, str, str, str]], has_tools: bool
) -> None:
    steps = tuple(
        Step(
            step_id=step_id,
            source="agent",
            name=name,
            reasoning=reasoning,
            message=message,
            tool_calls=(ToolCall(function_name="f", arguments=arguments),),
            observations=(Observation(content=content), Observation(content=message)),
        )
        for step_id, name, reasoning, message, arguments, content in rows
    )
    out = redact(run_of(goal, steps=steps, tools=({"description": goal},) if has_tools else ()))
    names = {"bo@example.org": "<EMAIL_1>", "kite-88-moon": "<PASSWORD_1>"}
    for before, after in zip(steps, out.steps, strict=True):
        assert [after.name, *(text for _, text in after.fields())] == [
            _with_names(text, names) for text in (before.name or "", *(text for _, text in before.fields()))
        ]
    assert out.goal == _with_names(goal, names)
    assert out.tools == (({"description": out.goal},) if has_tools else ())


def _with_names(text: str, names: dict[str, str]) -> str:
    for secret, name in names.items():
        text = text.replace(secret, name)
    return text


@pytest.mark.parametrize(
    "piece", ["\\", "password: ", "4111 ", "bob@example.com ", "-----BEGIN RSA PRIVATE" + " KEY-----"]
)
def test_hostile_text_costs_time_in_proportion(piece: str) -> None:
    start = time.process_time()
    find_secrets(piece * (100_000 // len(piece)))
    assert time.process_time() - start < 5


@settings(max_examples=60, deadline=None)
@given(trajectories())
def test_any_run_can_be_redacted(run: Trajectory) -> None:
    out = redact(run)
    assert [step.step_id for step in out.steps] == [step.step_id for step in run.steps]
