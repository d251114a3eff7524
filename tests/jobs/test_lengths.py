"""What a job with --max-tokens promises: no row is longer, all that is trained or left out is counted, any worker count alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.llm.byte_tokenizer import write_byte_tokenizer

from agenther.cli import group
from agenther.config import Config
from agenther.errors import ConfigError, UserError
from agenther.jobs.export import export
from agenther.jobs.job import Job, execute
from agenther.writers import WRITERS

SAMPLES = Path(__file__).parents[2] / "examples" / "runs"
MOST = 700


def run(out: Path, workers: int = 1, **settings: Any) -> Path:
    execute(Job((str(SAMPLES),), out, Config(**settings), workers=workers, consumers=tuple(WRITERS)))
    return out


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def manifest_of(out: Path) -> dict[str, Any]:
    return json.loads((out / "manifest.json").read_text())


def facts_of(path: Path) -> list[dict[str, Any]]:
    """Return what is known of each row of a file."""
    beside = path.with_name(f"{path.stem}.metadata.jsonl")
    if beside.exists():
        return rows(beside)
    return [json.loads(row["metadata"]) if "metadata" in row else row["extra"]["label"] for row in rows(path)]


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("lengths") / "short", max_tokens=MOST)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("lengths") / "whole")


def test_every_row_says_its_tokens(whole: Path) -> None:
    files = manifest_of(whole)["lengths"]["files"]
    for name, n_rows in manifest_of(whole)["rows"].items():
        if name == "set_aside.jsonl" or not n_rows:
            continue
        facts = facts_of(whole / name)
        assert len(facts) == n_rows, name
        assert all(fact["tokens_by"] == "estimate" for fact in facts)
        assert sum(fact["n_tokens"] for fact in facts) == files[name]["n_tokens"]
        assert max(fact["n_tokens"] for fact in facts) == files[name]["most_tokens"]


def test_no_row_is_longer_and_what_did_not_fit_is_counted(short: Path) -> None:
    files, aside = manifest_of(short)["lengths"]["files"], rows(short / "set_aside.jsonl")
    assert any(counts.get("windows") for counts in files.values())
    assert any(counts.get("too_long") for counts in files.values())
    for name, counts in files.items():
        facts = facts_of(short / name)
        assert all(fact["n_tokens"] <= MOST for fact in facts)
        assert counts.get("windows", 0) == sum("window" in fact for fact in facts)
        over = [row for row in aside if row["file"] == name and f"at most {MOST} tokens, found" in row["why"]]
        assert counts.get("too_long", 0) == len(over)


def test_every_trained_step_of_an_example_is_in_one_window_or_named(short: Path, whole: Path) -> None:
    def trained(out: Path) -> dict[str, list[int]]:
        steps: dict[str, list[int]] = {}
        for side in ("train", "test"):
            for row in rows(out / side / "trl" / "sft.jsonl"):
                fact = json.loads(row["metadata"])
                steps.setdefault(fact.get("example", fact["id"]), []).extend(fact["steps"])
        return steps

    aside: dict[str, int] = {}
    for row in rows(short / "set_aside.jsonl"):
        if row["file"].endswith("trl/sft.jsonl") and row["why"].startswith("steps ["):
            n = row["why"].split("]")[0].count(",") + 1
            aside[row["id"]] = aside.get(row["id"], 0) + n
    before, after = trained(whole), trained(short)
    for name, steps in before.items():
        assert len(after.get(name, [])) == len(set(after.get(name, []))), name
        assert len(after.get(name, [])) + aside.get(name, 0) == len(steps), name


def texts(out: Path) -> dict[str, bytes]:
    found = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file() and p.name[0] != "."}
    found.pop("run.sqlite")
    manifest = json.loads(found.pop("manifest.json"))
    manifest.pop("timings")
    return {**found, "manifest.json": json.dumps(manifest).encode()}


def test_many_workers_and_a_later_export_give_the_same(short: Path, whole: Path, tmp_path: Path) -> None:
    assert texts(run(tmp_path / "two", workers=2, max_tokens=MOST)) == texts(short)
    later = run(tmp_path / "later")
    export(later, manifest_of(later), ("trl",), max_tokens=MOST)
    assert texts(later) == texts(short)
    export(later, manifest_of(later), ("trl",), max_tokens=0)
    assert texts(later) == texts(whole)


def test_settings_tell_a_limit_that_no_row_exceeds(short: Path, whole: Path, tmp_path: Path) -> None:
    def limit(out: Path) -> tuple[int, str]:
        line = next(one for one in (out / "train/swift/sft.yaml").read_text().splitlines() if "max_length" in one)
        return int(line.split()[1]), line

    most = manifest_of(short)["lengths"]["files"]["train/swift/sft.jsonl"]["most_tokens"]
    assert most * 5 // 4 <= limit(short)[0] <= most * 5 // 4 + 256
    assert "by estimate, and a quarter is to spare" in limit(short)[1]
    assert "whatever the tokenizer" in limit(whole)[1]


def test_a_tokenizer_counts_and_is_named(tmp_path: Path) -> None:
    folder = write_byte_tokenizer(tmp_path / "bytes")
    told = ["--tokenizer", str(folder), "--max-tokens", "9000"]
    done = CliRunner().invoke(group, ["run", str(SAMPLES / "server-bash.json"), "-o", str(tmp_path / "out"), *told])
    assert done.exit_code == 0, done.output
    lengths = manifest_of(tmp_path / "out")["lengths"]
    assert lengths["tokens_by"].startswith("bytes@")
    assert lengths["max_tokens"] == 9000
    shown = CliRunner().invoke(group, ["stats", str(tmp_path / "out")])
    assert "at most 9000" in shown.output


def test_what_is_no_tokenizer_stops_the_job_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected the tokenizer"):
        run(tmp_path / "out", tokenizer=str(tmp_path / "none"))
    assert not (tmp_path / "out").exists()
    with pytest.raises((ConfigError, ValueError)):
        Config(max_tokens=-1)
