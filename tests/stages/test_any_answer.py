"""No answer of a proposing model, on no run, breaks a stage or passes without evidence."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from agenther.config import Config
from agenther.llm.models import load_models
from agenther.pipeline import relabel
from agenther.record import JsonObject
from agenther.stages.detect.rules import RuleDetector
from agenther.stages.fence import Fencer
from agenther.stages.protocols import Parts
from agenther.stages.relabel.model import ModelProposer
from agenther.stages.showing import fit_run, show_steps
from agenther.stages.verify.rules import COMMON, DomainChecks
from agenther.testing.scripted import ScriptedClient
from agenther.testing.strategies import TEXT, trajectories
from agenther.trajectory import GoalHolder, Trajectory

MODEL = load_models(["scribe@http://localhost:1/v1"])["scribe"]
CONFIG = Config(model="scribe", extract="joint", propose="llm", attempts=1)


@st.composite
def asked(draw: st.DrawFn) -> tuple[Trajectory, JsonObject]:
    """Return a run and an answer that cites it, well or badly."""
    run = draw(trajectories()).model_copy(update={"success": False, "goal_holder": GoalHolder.AGENT})
    texts = [text for step in run.steps for name, text in step.fields() if name.startswith(("obs", "tool"))]
    words = [word for text in texts for word in text.split()] or ["nothing"]
    numbers = st.integers(0, len(run.steps) + 1)
    some = st.one_of(st.sampled_from(words), TEXT)
    goal = draw(st.lists(some, min_size=1, max_size=8).map(lambda said: f"Which inns {' '.join(said)}?"))
    part = st.fixed_dictionaries({"text": st.sampled_from([goal, *goal.split()]), "step": numbers, "quote": some})
    answer = {
        "rationale": draw(TEXT),
        "goal": goal,
        "parts": draw(st.lists(part, max_size=4)),
        "last_step": draw(numbers),
        "answer_step": draw(st.none() | numbers),
        "answer_text": draw(st.none() | some),
        "answers": draw(st.lists(some, max_size=2)),
        "effect": draw(st.booleans()),
        "needless_steps": draw(st.lists(numbers, max_size=3)),
        "useful_steps": draw(st.lists(numbers, max_size=3)),
        "valid": True,
        "confidence": 1.0,
    }
    return run, answer


@settings(max_examples=150, deadline=None)
@given(asked())
def test_any_answer_on_any_run(given: tuple[Trajectory, JsonObject]) -> None:
    run, answer = given
    parts = Parts(
        detector=RuleDetector(),
        extractor=None,
        proposer=ModelProposer(ScriptedClient(lambda _: {"goals": [answer]}), MODEL, Fencer(b"s"), CONFIG),
        checks=COMMON,
        checks_of=DomainChecks(),
    )
    result = asyncio.run(relabel(run, parts, CONFIG))
    assert bool(result.examples) != (result.drop is not None)
    for example in result.examples:
        assert example.verdict.support == 1.0
        assert all(run.text_at(span).strip() for claim in example.claims for span in claim.evidence)


@settings(max_examples=60, deadline=None)
@given(trajectories(), st.integers(-10, 400))
def test_any_run_is_shown_or_not(run: Trajectory, most: int) -> None:
    whole = show_steps(run.steps)
    shown = fit_run(run, most)
    assert shown is None or len(shown) <= len(whole) + len(run.goal) + 40 * (len(run.steps) + 2)
    assert fit_run(run, 10_000_000) is not None
