"""No answer of a detecting or extracting model, on no run, breaks a stage, overrules a label, or is believed unquoted."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stages.open_runs import model

from agenther import Config, read
from agenther.conclusions import Detection, FailureType, Outcome, Refusal
from agenther.errors import ReadError
from agenther.llm.models import load_models
from agenther.llm.transport import HttpTransport
from agenther.pipeline import relabel
from agenther.record import JsonObject
from agenther.stages.detect.model import ModelDetector
from agenther.stages.detect.rules import RuleDetector
from agenther.stages.extract.model import ModelExtractor
from agenther.stages.fence import Fencer
from agenther.stages.model_parts import model_parts
from agenther.testing.scripted import ScriptedClient
from agenther.testing.serving import mock_server
from agenther.testing.strategies import TEXT, trajectories
from agenther.trajectory import GoalHolder, Trajectory

CONFIG = Config(model="pilot", detect="llm", extract="llm", propose="llm")
SAMPLES = Path(__file__).parents[2] / "examples" / "runs"


@st.composite
def asked(draw: st.DrawFn) -> tuple[Trajectory, JsonObject, JsonObject]:
    """Return a run, and what a model says of it that quotes it well or badly."""
    success = draw(st.sampled_from([None, False, True]))
    run = draw(trajectories()).model_copy(update={"success": success, "goal_holder": GoalHolder.AGENT})
    words = [word for step in run.steps for _, text in step.fields() for word in text.split()] or ["nothing"]
    numbers = st.integers(0, len(run.steps) + 1)
    quote = st.fixed_dictionaries({"step": numbers, "quote": st.one_of(st.sampled_from(words), TEXT)})
    outcome = draw(st.sampled_from(Outcome))
    detected: JsonObject = {
        "reason": draw(TEXT),
        "outcome": outcome.value,
        "shown": draw(quote),
        "failure_type": draw(st.sampled_from(FailureType)).value,
        "recoverable": draw(st.booleans()),
        "weight": draw(st.floats(0, 1)),
        "critical": draw(st.none() | quote),
    }
    claim = st.fixed_dictionaries(
        {
            "text": TEXT,
            "kind": st.sampled_from(["effect", "fact", "answer"]),
            "evidence": st.lists(quote, max_size=3),
        }
    )
    return run, detected, {"claims": draw(st.lists(claim, max_size=3))}


@settings(max_examples=150, deadline=None)
@given(asked())
def test_any_detection_on_any_run(given: tuple[Trajectory, JsonObject, JsonObject]) -> None:
    run, answer, _ = given
    client = ScriptedClient(lambda _: answer)
    found = asyncio.run(ModelDetector(RuleDetector(), client, model("pilot"), Fencer(b"s"), CONFIG).detect(run))
    rules = RuleDetector().judge(run)
    if "model:pilot" not in found.by:
        assert found.model_copy(update={"explanation": ""}) == rules.model_copy(update={"explanation": ""})
        return
    assert found.outcome.value == answer["outcome"]
    assert found.evidence
    assert all(run.text_at(span).strip() for span in found.evidence)
    if run.success is not None:
        assert found.outcome is rules.outcome is Outcome.FAILED


@settings(max_examples=150, deadline=None)
@given(asked())
def test_any_claims_on_any_run(given: tuple[Trajectory, JsonObject, JsonObject]) -> None:
    run, _, answer = given
    extractor = ModelExtractor(ScriptedClient(lambda _: answer), model("pilot"), Fencer(b"s"), CONFIG)
    found = asyncio.run(extractor.extract(run, Detection(outcome=Outcome.FAILED, by="label:test")))
    if isinstance(found, Refusal):
        return
    assert found
    for claim in found:
        assert any(span.field.startswith("observations[") for span in claim.evidence)
        assert all(run.text_at(span).strip() for span in claim.evidence)


def test_every_stage_by_a_model_makes_labels_of_the_samples() -> None:
    runs = [run for run in read([SAMPLES]) if not isinstance(run, ReadError)]
    with mock_server() as served:
        models = load_models([f"{name}@{served.endpoint}" for name in ("mock-proposer", "mock-judge")])
        config = Config(
            detect="llm", extract="llm", propose="llm", attempts=2, model="mock-proposer", judges=("mock-judge",)
        )

        async def go() -> list[bool]:
            client = HttpTransport(models)
            parts = model_parts(config, models, client, b"secret")
            results = [await relabel(run, parts, config) for run in runs]
            await client.close()
            by_model = [one.detection is not None and "model:mock" in one.detection.by for one in results]
            kinds = {claim.kind for one in results for claim in one.claims}
            assert kinds == {"open.fact"}
            assert sum(by_model) > len(runs) / 2
            return [bool(one.examples) for one in results]

        kept = asyncio.run(go())
    assert sum(kept) > len(runs) / 2
