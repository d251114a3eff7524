"""`agenther estimate` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result
from tests.jobs.test_estimate import chat, write

from agenther.cli import group
from agenther.errors import UserError

MODELS = ("--mode", "llm", "--model", "gpt-4o-mini", "--judge", "gpt-4.1-mini")


def agenther(*arguments: object, status: int = 0) -> Result:
    done = CliRunner().invoke(group, ["estimate", *map(str, arguments)])
    assert done.exit_code == status, done.output
    return done


def test_it_prints_both_scenarios_and_what_bounds_them(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", chat(1), chat(2), chat(3, success=True))
    said = agenther(path, *MODELS).stdout
    assert "2 ask models, 1 are dropped before any is asked" in said
    assert "not_failed" in said
    assert "likely: one round" in said
    assert "propose 300, judge 100" in said
    assert "at most: every round" in said
    assert "longest prompt to gpt-4o-mini" in said
    assert "of a context of 128000" in said
    assert "--max-cost-usd" in said
    assert "?" not in said
    assert not (tmp_path / "out").exists()


def test_a_price_that_is_not_known_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", chat(1))
    given = (path, *MODELS, "--judge", "[b]own[/]@http://127.0.0.1:9/v1")
    said = agenther(*given).stdout
    assert "price not known: [b]own[/]" in said
    assert "+ ?" in said
    assert "--max-requests" in said
    assert "prompts are held to 24000" in said
    found = json.loads(agenther(*given, "--json").stdout)
    assert found["likely"]["cost_usd"] is None
    assert found["likely"]["unpriced"] == ["[b]own[/]"]
    costs = {one["model"]: one["cost_usd"] for one in found["likely"]["accounts"]}
    assert costs["[b]own[/]"] is None
    assert costs["gpt-4o-mini"] > 0
    assert found["assumed_answer_tokens"]["judge"] == 100


def test_pieces_that_cannot_be_read_are_told_by_the_exit_status(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", chat(1))
    path.write_text(path.read_text() + "{\n")
    found = json.loads(agenther(path, *MODELS, "--json", status=3).stdout)
    assert (found["runs"]["read"], found["runs"]["unreadable"]) == (1, 1)


def test_labels_and_limits_count_as_in_a_job(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", chat(1, success=None), chat(2, success=None), chat(3))
    (tmp_path / "l.csv").write_text("id,success\nrun-1,false\nrun-9,true\n")
    assert json.loads(agenther(path, *MODELS, "--json").stdout)["runs"]["ask"] == 1
    done = agenther(path, *MODELS, "--labels", tmp_path / "l.csv", "--json")
    assert json.loads(done.stdout)["runs"]["ask"] == 2
    assert "run-9" in done.stderr
    assert json.loads(agenther(path, *MODELS, "--limit", 2, "--json").stdout)["runs"]["read"] == 2


def test_rule_mode_has_nothing_to_estimate(tmp_path: Path) -> None:
    done = CliRunner().invoke(group, ["estimate", str(write(tmp_path / "r.jsonl", chat(1)))])
    assert isinstance(done.exception, UserError)
    assert "cost nothing" in str(done.exception)
