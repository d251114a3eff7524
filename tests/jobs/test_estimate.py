"""What is estimated against what a job really asks of a mock server."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agenther.config import Config
from agenther.errors import ConfigError
from agenther.jobs.asking import Asking
from agenther.jobs.estimate import Estimate, Plan, count_runs, estimate
from agenther.jobs.forecast import TYPICAL_TOKENS
from agenther.jobs.foresight import Foresight
from agenther.jobs.job import Job, execute, read
from agenther.llm.base import AskedBy
from agenther.llm.cache import ANSWERS, Cache
from agenther.llm.ledger import Account
from agenther.llm.models import Model, Price
from agenther.record import JsonObject
from agenther.testing.serving import mock_server
from agenther.trajectory import Trajectory

SAMPLES = Path(__file__).parents[2] / "examples" / "runs"
PRICE = Price(input=1.0, output=4.0)


def models(endpoint: str = "http://127.0.0.1:9/v1", **facts: object) -> dict[str, Model]:
    known: dict[str, object] = {"endpoint": endpoint, "key_env": None, "context_tokens": 64_000, "price": PRICE} | facts
    return {name: Model.model_validate({"name": name, "served_as": name} | known) for name in ("writer", "one", "two")}


def settings(**given: object) -> Config:
    base: dict[str, object] = {"extract": "joint", "propose": "llm", "model": "writer", "judges": ("one", "two")}
    return Config.model_validate(base | given)


def chat(number: int, *, success: bool | None = False, acts: bool = True) -> dict[str, object]:
    """Return a run of a harbour's clerk, who looked up a berth and was asked to free it."""
    call = {"id": "c1", "type": "function", "function": {"name": "berths", "arguments": f'{{"quay": "Q{number}"}}'}}
    acted = [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": f"berth {number}: the Heron, since Monday"},
        {"role": "assistant", "content": "I could not free it."},
    ]
    goal = {"role": "user", "content": f"Free the berth at quay Q{number} for the pilot boat"}
    return {"id": f"run-{number}", "success": success, "messages": [goal, *(acted if acts else [])]}


def write(path: Path, *runs: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(run) + "\n" for run in runs), encoding="utf-8")
    return path


def make(inputs: Path, config: Config, out: Path | None = None) -> Estimate:
    return estimate(Plan((str(inputs),), config, models(), out))


def accounts(made: JsonObject) -> dict[tuple[str, str], JsonObject]:
    listed = made["accounts"]
    assert isinstance(listed, list)
    return {(str(one["asked_by"]), str(one["model"])): one for one in listed if isinstance(one, dict)}


def requests(made: JsonObject) -> dict[tuple[str, str], object]:
    return {who: one["requests"] for who, one in accounts(made).items()}


def test_what_is_dropped_before_any_model_is_asked_costs_nothing(tmp_path: Path) -> None:
    runs = [chat(1), chat(2), chat(2), chat(3, success=True), chat(4, success=None), chat(5, acts=False)]
    made = make(write(tmp_path / "r.jsonl", *runs), settings(attempts=3, goals_per_call=2))
    assert made.counts["read"] == 6
    assert (made.counts["ask"], made.counts["equal"], made.counts["dropped"]) == (2, 1, 3)
    assert made.dropped == {"detect.not_failed": 1, "detect.outcome_unknown": 1, "detect.no_action": 1}
    assert requests(made.likely.to_json()) == {("propose", "writer"): 2, ("judge", "one"): 2, ("judge", "two"): 2}
    answers = {who[0]: one["completion_tokens"] for who, one in accounts(made.likely.to_json()).items()}
    assert answers == {"propose": 2 * TYPICAL_TOKENS[AskedBy.PROPOSE], "judge": 2 * TYPICAL_TOKENS[AskedBy.JUDGE]}
    most = {("propose", "writer"): 3 * 3 * 2, ("judge", "one"): 3 * 3 * 2 * 2, ("judge", "two"): 3 * 3 * 2 * 2}
    assert requests(made.at_most.to_json()) == most
    assert accounts(made.at_most.to_json())["propose", "writer"]["completion_tokens"] == 18 * 2_000


def test_a_run_goes_on_past_a_detector_and_an_extractor(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", chat(1, success=None), chat(2, success=True))
    made = make(path, settings(detect="llm", extract="llm", judges=("one",)))
    each = {("detect", "writer"): 1, ("extract", "writer"): 1, ("propose", "writer"): 1, ("judge", "one"): 1}
    assert requests(made.likely.to_json()) == each
    most = {("detect", "writer"): 2, ("extract", "writer"): 2, ("propose", "writer"): 6, ("judge", "one"): 18}
    assert requests(made.at_most.to_json()) == most


def test_a_quorum_asks_no_more_judges_than_it_needs(tmp_path: Path) -> None:
    made = make(write(tmp_path / "r.jsonl", chat(1)), settings(quorum=1))
    assert requests(made.likely.to_json()) == {("propose", "writer"): 1, ("judge", "one"): 1}
    assert requests(made.at_most.to_json())["judge", "two"] == 18


def test_goals_of_rules_are_all_known_to_the_judges() -> None:
    config = Config(judges=("one", "two"))
    made = make(SAMPLES, config)
    goals = make(SAMPLES, Config(judges=("one",))).likely.total.requests
    assert goals > made.counts["ask"] > 3
    assert requests(made.likely.to_json()) == {("judge", "one"): goals, ("judge", "two"): goals}
    assert made.at_most.total.requests == 4 * goals


def test_rules_alone_cost_nothing_and_are_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="rules alone"):
        make(write(tmp_path / "r.jsonl", chat(1)), Config())


def test_unknown_dollars_are_not_zero(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", chat(1))
    made = estimate(Plan((str(path),), settings(), models(price=None)))
    found = made.to_json()
    for scenario in ("likely", "at_most"):
        assert isinstance(figures := found[scenario], dict)
        assert figures["cost_usd"] is None
        assert [one["cost_usd"] for one in accounts(figures).values()] == [None, None, None]
    assert made.unpriced == ["one", "two", "writer"]


def test_runs_are_counted_as_a_job_takes_them(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", *map(chat, range(5)))
    plan = Plan((str(path),), settings(), models(), limit=3)
    ticks: list[int] = []
    made = estimate(plan, lambda: ticks.append(1))
    assert made.counts["read"] == count_runs(plan) == len(ticks) == 3


def run_job(inputs: Path, out: Path, config: Config, endpoint: str, max_requests: int | None = None) -> JsonObject:
    asking = Asking(models(endpoint), max_requests=max_requests)
    return execute(Job((str(inputs),), out, config, asking=asking)).ledger


def keys_of(out: Path, stage: str) -> set[str]:
    with closing(sqlite3.connect(out / ANSWERS)) as db:
        return {key for (key,) in db.execute("SELECT key FROM answers WHERE asked_by = ?", (stage,))}


@pytest.mark.parametrize("stage", ["propose", "detect"])
def test_the_first_requests_are_those_that_a_job_sends(tmp_path: Path, stage: str) -> None:
    config = settings(attempts=1, judges=("one",), detect="llm" if stage == "detect" else "rules")
    with Cache(tmp_path / "out" / ANSWERS) as cache:
        foresight = Foresight(config, models(), cache)
        runs = [run for run in read(SAMPLES) if isinstance(run, Trajectory)]
        seen = [asyncio.run(foresight.look(run)) for run in runs]
    first = {one.unanswered[0].key for one in seen if one.unanswered and one.unanswered[0].asked_by == stage}
    with mock_server() as served:
        run_job(SAMPLES, tmp_path / "out", config, served.endpoint)
    assert len(first) > 5
    assert first == keys_of(tmp_path / "out", stage)


def difference(after: Account, before: Account) -> Account:
    return Account(**{name: value - vars(before)[name] for name, value in vars(after).items()})


STRUCK = (
    *((seed, settings(), {"p_low": 0.6, "judge_no": 0.6}) for seed in range(3)),
    (3, settings(detect="llm", extract="llm", judges=("one",)), {"p_low": 0.3, "pbad": 0.5, "judge_no": 0.3}),
    (4, settings(quorum=1, goals_per_call=1), {"pbad": 0.9}),
    (5, settings(extract="rules", prompt_tokens=4_000), {"judge_no": 1.0}),
    (6, Config(judges=("one", "two")), {"judge_no": 0.3, "pbad": 0.3}),
)


@pytest.mark.parametrize(("seed", "config", "faults"), STRUCK, ids=[str(case[0]) for case in STRUCK])
def test_at_most_is_more_than_a_job_uses(tmp_path: Path, seed: int, config: Config, faults: dict[str, float]) -> None:
    most = accounts(make(SAMPLES, config).at_most.to_json())
    with mock_server(seed=seed, **faults) as served:
        used = accounts(run_job(SAMPLES, tmp_path / "out", config, served.endpoint))
    assert used
    for who, account in used.items():
        for name in ("requests", "prompt_tokens", "completion_tokens", "cost_usd"):
            assert account[name] <= most[who][name], (who, name)  # pyright: ignore[reportOperatorIssue]


def test_what_a_folder_has_paid_for_is_free(tmp_path: Path) -> None:
    out, config = tmp_path / "out", settings()
    whole = make(SAMPLES, config, out)
    with mock_server(judge_no=0.4, seed=3) as served:
        run_job(SAMPLES, out, config, served.endpoint, max_requests=30)
        begun = make(SAMPLES, config, out)
        first = make(SAMPLES, config).likely.total.requests
        assert begun.paid.total.requests == 30
        assert 0 < begun.likely.total.requests < first
        assert 0 < begun.at_most.total.requests <= whole.at_most.total.requests - 30
        run_job(SAMPLES, out, config, served.endpoint)
    done = make(SAMPLES, config, out)
    assert difference(done.paid.total, begun.paid.total).requests <= begun.at_most.total.requests
    assert done.likely.total == done.at_most.total == Account()
    assert done.counts["answered"] == whole.counts["ask"]
    assert done.counts["dropped"] == whole.counts["dropped"]


def test_nothing_is_written(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", chat(1))
    make(path, settings(), tmp_path / "none")
    assert sorted(tmp_path.iterdir()) == [path]
