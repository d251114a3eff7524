"""`agenther read`: what it says it understood, what it ignored, and what it passed over."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.jobs.runs import write_runs

from agenther.cli import group

EXAMPLES = Path(__file__).parents[2] / "examples"


def agenther(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, [str(argument) for argument in arguments])


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "in"
    write_runs(root / "a" / "runs.json", 4)
    write_runs(root / "b" / "runs.json", 2)
    (root / "README.md").write_text("words")
    (root / "a" / "README.md").write_text("words")
    (root / ".cache.json").write_text("{}")
    (root / "b" / "broken.json").write_text("{")
    return root


def test_by_default_a_short_account_of_each_format(folder: Path) -> None:
    done = agenther("read", folder)
    assert done.exit_code == 3
    assert len(done.stdout.splitlines()) < 12
    assert "intercode (found by looking), 2 files, 6 runs: " in done.stdout
    assert "outcome known from: intercode.max_reward 6" in done.stdout
    assert "goal found in the steps of all 6 runs" in done.stdout
    assert "passed over: 2 files, no trace (README.md 2)" in done.stdout
    assert "passed over: 1 file, hidden (.cache.json 1)" in done.stdout
    assert "no known format, 1 file, no runs; 1 piece could not be read" in done.stdout


def test_runs_are_listed_when_asked_for(folder: Path) -> None:
    done = agenther("read", folder / "a", "--runs")
    assert [line.split()[0] for line in done.stdout.splitlines()[:4]] == ["intercode"] * 4
    assert "runs/3" in done.stdout


def test_explain_names_files_and_the_keys_used_and_ignored(tmp_path: Path) -> None:
    lines = [
        {
            "messages": [{"role": "user", "content": "Ring the bell", "mood": "shy"}],
            "success": False,
            "cost": {"usd": n},
        }
        for n in range(40)
    ]
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    done = agenther("read", path, "--explain")
    assert f"{path}: openai, 40 runs: 40 failed" in done.stdout
    assert "keys used: messages[].content, messages[].role, success" in done.stdout
    assert "keys IGNORED: cost (in 40 of 40 records), messages[].mood (in 40 of 40 records)" in done.stdout


def test_explain_for_scripts(folder: Path) -> None:
    found = rows(agenther("read", folder, "--explain", "--json"))
    assert [Path(row["file"]).parent.name for row in found if "file" in row] == ["a", "b", "b"]
    first = found[0]
    assert (first["format"], first["why"], first["runs"], first["label_sources"]) == (
        *("intercode", "found by looking", 4),
        {"intercode.max_reward": 4},
    )
    by_format = next(row for row in found if row.get("format") == "intercode" and "keys" in row)
    assert by_format["files"] == 2
    assert "*.query" in by_format["keys"]["used"]
    assert found[-2] == {
        "passed_over": {
            "hidden": {"files": 1, "names": {".cache.json": 1}},
            "no trace": {"files": 2, "names": {"README.md": 2}},
        }
    }
    assert found[-1]["summary"]["passed_over"] == 3


def test_a_map_is_read_and_explained(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text((EXAMPLES / "map" / "steps.toml").read_text().replace("played_by", "played_with"))
    done = agenther("read", EXAMPLES / "map" / "library.json", "--map", path, "--explain")
    assert done.exit_code == 0
    assert "map (mapped), 1 file, 2 runs: 1 failed, 1 succeeded" in done.stdout
    assert "evaluation.episodes[].played_by (in 1 of 1 records)" in done.stdout.partition("IGNORED")[2]
    assert done.stderr.splitlines() == [f"warning: {path}: agent = played_with: found nothing in any record"]


def test_a_template_of_a_map_is_printed() -> None:
    done = agenther("formats", "--map-template")
    assert done.exit_code == 0
    assert done.stdout.startswith("# A map")


def test_a_forced_format_is_said_to_be_forced(folder: Path) -> None:
    assert (
        rows(agenther("read", folder / "a" / "runs.json", "--format", "intercode", "--explain", "--json"))[0]["why"]
        == "forced"
    )


def test_escapes_in_errors_and_names_do_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x\x1b[31m.json"
    path.write_text('{"a": "\x1b[2J"}')
    done = agenther("read", path, "--explain")
    assert "\x1b" not in done.stdout + done.stderr


def test_names_that_lead_to_nothing_are_slips_and_no_unreadable_input(tmp_path: Path) -> None:
    done = agenther("read", tmp_path / "tarces")
    assert (done.exit_code, type(done.exception).__name__) == (1, "UserError")
    (tmp_path / "empty").mkdir()
    done = agenther("read", tmp_path / "empty")
    assert type(done.exception).__name__ == "UserError"
    assert "0 runs: 0 failed" in done.stdout


def test_a_format_that_there_is_not_is_refused_before_anything_is_read(folder: Path) -> None:
    for command in (("read", folder), ("run", folder, "-o", folder / "out")):
        done = agenther(*command, "--format", "opnai")
        assert done.exit_code == 2
        assert "no format is named 'opnai'" in done.stderr
    assert not (folder / "out").exists()


def test_the_summary_for_scripts_has_every_count(folder: Path) -> None:
    summary = rows(agenther("read", folder / "a", "--json"))[-1]["summary"]
    assert {"runs", "failed", "succeeded", "unlabelled", "unreadable"} <= set(summary)
    assert (summary["runs"], summary["unreadable"]) == (4, 0)


def test_of_many_errors_some_are_printed_and_all_for_scripts(tmp_path: Path) -> None:
    for n in range(60):
        (tmp_path / f"{n:02}.json").write_text('{"rate": 1}')
    done = agenther("read", tmp_path)
    assert len(done.stderr.splitlines()) == 51
    assert done.stderr.splitlines()[-1] == "error: 10 more; with --json all are printed"
    assert len(agenther("read", tmp_path, "--json").stderr.splitlines()) == 60


def test_a_zip_of_chats_is_called_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jsonl", json.dumps({"messages": [{"role": "user", "content": "Ring the bell"}]}))
    done = agenther("read", path)
    assert "found a zip archive (unpack it)" in done.stderr


def test_explain_looks_into_messages_that_lie_deep(tmp_path: Path) -> None:
    run = {"state": {"values": {"talk": {"messages": [{"role": "user", "content": "Ring the bell", "mood": "shy"}]}}}}
    (tmp_path / "runs.json").write_text(json.dumps({"graph": {"threads": [run]}}))
    (tmp_path / "map.toml").write_text(
        "records = 'graph.threads'\n[messages]\npath = 'state.values.talk.messages'\n", encoding="utf-8"
    )
    done = agenther("read", tmp_path / "runs.json", "--map", tmp_path / "map.toml", "--explain", "--json")
    (keys,) = [row["keys"] for row in rows(done) if "keys" in row]
    assert "graph.threads[].state.values.talk.messages[].content" in keys["used"]
    assert "graph.threads[].state.values.talk.messages[].mood" in keys["ignored"]
