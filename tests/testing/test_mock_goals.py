"""The mock's goals on the sample runs: proposed, bound, rewritten, checked and judged as a model's would be."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from agenther import Config, read
from agenther.conclusions import Reason, Result
from agenther.errors import ReadError
from agenther.llm.models import load_models
from agenther.llm.transport import HttpTransport
from agenther.pipeline import relabel
from agenther.stages.detect.rules import RuleDetector
from agenther.stages.fence import Fencer
from agenther.stages.protocols import Parts
from agenther.stages.relabel.model import ModelProposer
from agenther.stages.verify.model import ModelJudge
from agenther.stages.verify.rules import COMMON, DomainChecks
from agenther.testing.serving import Served, mock_server
from agenther.trajectory import Trajectory

SAMPLES = Path(__file__).parents[2] / "examples" / "runs"
CONFIG = Config(extract="joint", propose="llm", model="mock-proposer", judges=("mock-judge",))


@pytest.fixture(scope="module")
def runs() -> list[Trajectory]:
    return [run for run in read([SAMPLES]) if not isinstance(run, ReadError)]


def relabel_all(runs: list[Trajectory], served: Served) -> dict[str, Result]:
    models = load_models([f"{name}@{served.endpoint}" for name in ("mock-proposer", "mock-judge")])
    fencer = Fencer(b"secret")

    async def go() -> dict[str, Result]:
        client = HttpTransport(models)
        proposer, judge = models["mock-proposer"], models["mock-judge"]
        parts = Parts(
            detector=RuleDetector(),
            extractor=None,
            proposer=ModelProposer(client, proposer, fencer, CONFIG),
            checks=COMMON,
            checks_of=DomainChecks(),
            judges=(ModelJudge(client, judge, fencer, CONFIG),),
        )
        results = {run.id: await relabel(run, parts, CONFIG) for run in runs}
        await client.close()
        return results

    return asyncio.run(go())


def test_no_check_refuses_a_goal_and_most_runs_have_one(runs: list[Trajectory]) -> None:
    with mock_server() as served:
        results = relabel_all(runs, served)
        stats = served.stats()
    kept = sum(bool(result.examples) for result in results.values())
    refused = {run: [a.refusal for a in r.attempts if a.refusal] for run, r in results.items() if r.attempts}
    nothing = [run for run, of in refused.items() if [one.reason for one in of] == [Reason.NOTHING_ACHIEVED]]
    assert kept >= 18
    assert len(nothing) <= 8
    assert {one.reason for of in refused.values() for one in of} <= {Reason.NOTHING_ACHIEVED, Reason.GOAL_NOT_LOCATED}
    forms = stats["forms"]
    assert isinstance(forms, dict)
    assert Counter({name: form["requests"] for name, form in forms.items()}) == {  # pyright: ignore
        "propose": kept + len(nothing),
        "judge": kept,
    }


def test_a_judge_that_always_refuses_accepts_nothing_and_rounds_differ(runs: list[Trajectory]) -> None:
    with mock_server(judge_no=1) as served:
        results = relabel_all(runs, served)
    assert not any(result.examples for result in results.values())
    refused = [result for result in results.values() if result.drop and result.drop.reason is Reason.JUDGE_REFUSED]
    assert refused
    assert all(len(result.attempts) == CONFIG.attempts for result in refused)
    assert any(len({attempt.goal for attempt in result.attempts}) > 1 for result in refused)
