import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agenther.conclusions import Claim, Detection, FailureType, Outcome, Reason, Refusal, Result, Stage
from agenther.record import canonical_json, record_json
from agenther.testing import make_trajectory, user
from agenther.trajectory import Source, Span, ToolCall, Trajectory


def test_a_changed_copy_forgets_what_was_computed_from_the_original():
    call = ToolCall(function_name="look", arguments='{"at": 1}')
    assert call.values == {"at": 1}
    assert call.model_copy(update={"arguments": '{"at": 2}'}).values == {"at": 2}


def test_the_key_tells_content_from_place():
    run = make_trajectory(user("Find the ferry times"))
    elsewhere = run.model_copy(update={"id": "x", "source": Source(path="other", format="openai", index=4)})
    assert run.key == elsewhere.key
    assert run.key != run.model_copy(update={"goal": "Find the train times"}).key


def test_what_was_computed_from_a_record_does_not_change_its_key():
    run = make_trajectory(user("Find the ferry times"))
    again = run.model_copy()
    assert again.agent_steps == ()
    assert again.key == run.key


def test_a_json_object_is_held_as_it_will_be_read_back():
    labels = {"seen": ("a", 1), "more": {"x": [None, 2.5, True]}}
    run = make_trajectory(user("Find the ferry times"))
    held = Trajectory.model_validate(vars(run) | {"labels": labels})
    labels.clear()
    assert held.labels == {"seen": ["a", 1], "more": {"x": [None, 2.5, True]}}
    assert Trajectory.model_validate_json(held.model_dump_json()) == held


@pytest.mark.parametrize("value", [{1, 2}, 2**64, {1: "a"}, "\ud800", json.loads("[" * 100 + "]" * 100)])
def test_what_could_not_be_read_back_is_refused(value: object):
    with pytest.raises(ValidationError, match="JSON nested more than"):
        Trajectory.model_validate(vars(make_trajectory()) | {"labels": {"x": value}})


@pytest.mark.parametrize("depth", [98, 99, 100])
def test_tools_are_taken_as_deep_as_labels(depth: int):
    deep = {"x": json.loads("[" * depth + "]" * depth)}
    flat = {"x": [[]] * 100}
    for fields in ({"labels": deep}, {"tools": (flat, deep)}):
        try:
            held = Trajectory.model_validate(vars(make_trajectory()) | fields)
        except ValidationError:
            assert depth == 100
        else:
            assert depth < 100
            assert Trajectory.model_validate_json(held.model_dump_json()) == held


def test_what_is_neither_json_nor_a_record_has_no_canonical_form():
    with pytest.raises(TypeError):
        canonical_json({"seen": {1, 2}})


NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats()
VALUES = st.recursive(st.none() | st.booleans() | NUMBERS | st.text(), lambda inner: st.lists(inner, max_size=3))


@given(st.dictionaries(st.text(), VALUES, max_size=4), st.floats(0, 1), st.text())
def test_a_record_is_written_as_pydantic_writes_it(data: dict[str, object], weight: float, text: str):
    span = Span(step=1, field="message", start=0, end=4)
    detection = Detection(
        outcome=Outcome.FAILED, failure_type=FailureType.OFF_TOPIC, weight=weight, evidence=(span,), by=text
    )
    claim = Claim.model_validate({"text": text, "kind": "fact", "evidence": (span,), "data": data})
    assert detection.key
    result = Result(
        detection=detection, claims=(claim,), drop=Refusal(stage=Stage.EXTRACT, reason=Reason.TRIVIAL, detail=text)
    )
    assert record_json(result) == result.model_dump_json()


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ('{"n": 1234567890123456789}', {"n": 1234567890123456789}),
        ('{"n": 123456789012345678901}', {}),
        ('{"n": -0, "x": 1E3, "n": 2}', {"n": 2, "x": 1000.0}),
        ('{"n": NaN}', {}),
        ('{"s": "\\ud800"}', {"s": "\ufffd"}),
        ('{"s": "\\ud83d\\ude00"}', {"s": "\U0001f600"}),
        ("[1]", {}),
        ("{", {}),
    ],
)
def test_arguments_are_parsed_exactly(arguments: str, values: dict[str, object]):
    assert ToolCall(function_name="look", arguments=arguments).values == values


class Stopped:
    """Stands for a record at which Ctrl-C is noticed."""

    @property
    def __pydantic_fields__(self) -> dict[str, object]:
        raise KeyboardInterrupt


@pytest.mark.parametrize("write", [canonical_json, record_json])
def test_ctrl_c_while_a_record_is_written_down_is_no_error_of_it(write: Callable[[object], object]) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(Stopped())
