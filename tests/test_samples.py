"""The sample runs of `make demo`: what is expected of each, and that nothing secret of them gets through."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import datasets
import pytest

from agenther import Config, Job, execute, run
from agenther.errors import ReadError
from agenther.writers import WRITERS

SAMPLES = Path(__file__).parents[1] / "examples" / "runs"
SECRETS = (b"AKIAIOSFODNN7EXAMPLE", b"runa.holm@example.com")

KEPT = {
    "bakery-sql/0": ['How many customers are there whose town is "Torvik"?'],
    "bakery-sql/1": [
        'What are the name and price of each product whose category is "bread" and whose price is above 5?'
    ],
    "payroll-sql-react/0": ["For each department, how many employees are there?"],
    "lighthouses-1": ['How many lighthouses are there whose coast is "north"?'],
    "server-bash/0": ["List the .log files under /srv/app modified in the last 2 days"],
    "server-bash/1": ["Count the .txt files under /data/notes"],
    "shop-shell-1": ['List the files under /srv/shop/config that contain "timeout"'],
    "big-files-1": ["List the files under /var/lib/build larger than 500 mebibytes"],
    "household-mint/0": ["put a bowl on the shelf"],
    "household-mint/1": ["put a candle in the drawer"],
    "warm-egg-1": ["find an egg and heat it in the microwave", "put a hot egg on the countertop"],
    "webshop-react/0": [
        "i need a wool blanket, in color oatmeal and size 60 x 80 inch, and price lower than 60.00 dollars"
    ],
    "webshop-react/1": [
        "i want a bamboo cutting board with juice groove, in size medium, and price lower than 30.00 dollars"
    ],
    "harbour-1": ["Get the times of high and low tide at Skarvik on 2026-05-14."],
    "tides-code-1": ["Fix harbour/tides.py so that tests/test_tides.py::test_mean_height_of_nothing passes"],
    "retail-tau-bench/7-0": ["Cancel order #T4407; it was ordered by mistake."],
}
DROPPED = {
    "bakery-sql/2": "rewording",
    "bakery-sql/3": "irrecoverable",
    "bakery-sql/4": "not_failed",
    "server-bash/2": "nothing_achieved",
    "server-bash/3": "side_effect",
    "household-mint/2": "irrecoverable",
    "household-mint/3": "nothing_achieved",
    "webshop-react/2": "by_chance",
    "webshop-react/3": "nothing_achieved",
    "webshop-react/4": "not_failed",
    "retail-tau-bench/8-0": "user_turns_contradict",
    "harbour-2": "infrastructure",
    "harbour-3": "not_failed",
    "tides-code-2": "nothing_achieved",
    "web-1": "nothing_achieved",
    "web-2": "nothing_achieved",
    "web-3": "nothing_achieved",
}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    execute(Job(inputs=(str(SAMPLES),), out=folder))
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_run_is_read_and_has_an_expected_fate(out: Path) -> None:
    assert not lines(out / "errors.jsonl")
    kept = {row["trajectory_id"] for row in lines(out / "examples.jsonl")}
    dropped = {row["trajectory_id"] for row in lines(out / "dropped.jsonl")}
    assert kept | dropped == KEPT.keys() | DROPPED.keys()


def test_the_expected_goals_are_found(out: Path) -> None:
    goals: dict[str, list[str]] = defaultdict(list)
    for row in lines(out / "examples.jsonl"):
        goals[row["trajectory_id"]].append(row["hindsight_goal"])
    assert goals == KEPT


def test_the_others_are_dropped_for_the_expected_reason(out: Path) -> None:
    assert {row["trajectory_id"]: row["reason"] for row in lines(out / "dropped.jsonl")} == DROPPED


def test_at_least_ten_labels_of_five_domains(out: Path) -> None:
    rows = lines(out / "examples.jsonl")
    assert len({row["trajectory_id"] for row in rows}) >= 10
    assert len({row["domain"] for row in rows}) >= 5


def test_the_searched_question_is_kept_where_qa_is_on() -> None:
    config = Config(domains=(*Config().domains, "qa"))
    results = [item for item in run([SAMPLES / "web-search-openai.jsonl"], config) if not isinstance(item, ReadError)]
    goals = [example.hindsight_goal for item in results for example in item.result.examples]
    assert goals == ["Who designed the Varden footbridge?"]


def test_no_secret_gets_through(out: Path) -> None:
    for path in out.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret in content for secret in SECRETS), path


def test_rows_are_written_and_load(out: Path) -> None:
    rows = [row for side in ("train", "test") for row in lines(out / side / "trl" / "sft.jsonl")]
    for row in rows:
        WRITERS["trl"].check(row)
    assert {json.loads(row["metadata"])["trajectory_id"] for row in rows} == KEPT.keys()
    (pair,) = (row for side in ("train", "test") for row in lines(out / side / "trl" / "dpo.jsonl"))
    assert json.loads(pair["metadata"])["chosen_trajectory"] == "harbour-3"
    loaded = datasets.load_dataset(str(out), "trl-sft", cache_dir=str(out / "cache"))
    assert sum(map(len, loaded.values())) == len(rows)


def test_what_is_set_aside_is_named(out: Path) -> None:
    aside = lines(out / "set_aside.jsonl")
    assert all(row["why"] and row["trajectory_id"] in KEPT for row in aside)
