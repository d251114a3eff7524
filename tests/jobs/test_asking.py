"""Jobs that ask models, end to end: by wire against a mock server, by files, killed, with a budget, without a judge."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenther.cli import group
from agenther.errors import ConfigError
from agenther.llm.cache import ANSWERS, Cache
from agenther.testing.mock_answers import Manner, answer_to, completion, read_request
from agenther.testing.serving import Served, mock_server

RUNS = Path(__file__).parents[2] / "examples" / "runs"


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with mock_server() as served:
        yield served


def agenther(*arguments: object, status: int = 0) -> Result:
    done = CliRunner().invoke(group, [str(argument) for argument in arguments])
    assert done.exit_code == status, done.output
    return done


def asked(server: Served, out: Path, *more: object, judges: tuple[str, ...] = ("j1",), status: int = 0) -> Result:
    voices = [word for judge in judges for word in ("--judge", f"{judge}@{server.endpoint}")]
    model = f"m1@{server.endpoint}"
    return agenther("run", RUNS, "-o", out, "--mode", "llm", "--model", model, *voices, *more, status=status)


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def requests(server: Served) -> int:
    return int(str(server.stats()["requests"]))


def outputs(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.jsonl"))}


def test_labels_of_a_panel_are_trained_on_and_say_who_stands_behind_them(server: Served, tmp_path: Path) -> None:
    before = requests(server)
    done = asked(server, tmp_path / "out")
    examples = rows(tmp_path / "out" / "examples.jsonl")
    assert len(examples) >= 15
    for example in examples:
        voices = example["provenance"]
        assert isinstance(voices, dict)
        assert (voices["panel"], voices["proposed_by"]) == ("independent", "model:m1")
        assert "judge:j1" in json.dumps(example["verdict"])
    assert rows(tmp_path / "out" / "train" / "trl" / "sft.jsonl")
    assert not (tmp_path / "out" / "unverified.jsonl").exists()
    ledger = json.loads((tmp_path / "out" / "manifest.json").read_text())["ledger"]
    assert ledger["requests"] == requests(server) - before
    assert ledger["unpriced"] == ["j1", "m1"]
    assert "price not known" in done.output


def test_the_second_time_nothing_is_asked_and_the_same_is_written(server: Served, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked(server, out)
    first, n = outputs(out), requests(server)
    asked(server, out, "--workers", 2, "--concurrency", 3)
    assert (outputs(out), requests(server)) == (first, n)
    (tmp_path / "new").mkdir()
    shutil.copy(out / "answers.sqlite", tmp_path / "new")
    asked(server, tmp_path / "new")
    assert (outputs(tmp_path / "new"), requests(server)) == (first, n)


def test_a_limit_counts_runs_and_what_is_stored_is_not_concluded_again(
    server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    asked(server, out, "--limit", 5)
    assert json.loads((out / "manifest.json").read_text())["counts"]["read"] == 5
    first, n = outputs(out), requests(server)
    monkeypatch.setattr("agenther.jobs.asked.process", lambda *_: pytest.fail("concluded again"))
    asked(server, out, "--limit", 5)
    assert (outputs(out), requests(server)) == (first, n)


def test_a_label_without_a_judge_stays_out_of_the_training_files(server: Served, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = asked(server, out, judges=())
    unverified = rows(out / "unverified.jsonl")
    assert unverified
    assert rows(out / "examples.jsonl") == []
    assert all(not path.read_bytes() for path in out.glob("t*/*/sft.jsonl"))
    assert all(not path.read_bytes() for path in out.glob("t*/*/kto.jsonl"))
    assert f"{len(unverified)} of them in unverified.jsonl" in done.output
    asked(server, out)
    assert not (out / "unverified.jsonl").exists()
    assert len(rows(out / "examples.jsonl")) == len(unverified)


def test_the_proposer_as_its_own_judge_is_the_same_model(server: Served, tmp_path: Path) -> None:
    asked(server, tmp_path, judges=("m1",))
    panels = {str(example["provenance"]["panel"]) for example in rows(tmp_path / "examples.jsonl")}  # type: ignore[index]
    assert panels == {"same_model"}


def test_judges_that_refuse_accept_nothing(tmp_path: Path) -> None:
    with mock_server(judge_no=1.0) as server:
        asked(server, tmp_path)
    assert rows(tmp_path / "examples.jsonl") == []
    reasons = [row["reason"] for row in rows(tmp_path / "dropped.jsonl")]
    assert reasons.count("judge_refused") >= 15


def test_a_budget_stops_and_a_larger_one_goes_on(server: Served, tmp_path: Path) -> None:
    asked(server, tmp_path / "whole")
    before = requests(server)
    asked(server, tmp_path / "out", "--max-requests", 7, status=4)
    assert requests(server) - before == 7
    first = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert first["counts"]["open"] > 0
    asked(server, tmp_path / "out", "--max-requests", 7, status=4)
    assert requests(server) - before == 7
    asked(server, tmp_path / "out")
    whole = json.loads((tmp_path / "whole" / "manifest.json").read_text())
    assert requests(server) - before == whole["ledger"]["requests"]
    assert len(rows(tmp_path / "out" / "examples.jsonl")) == len(rows(tmp_path / "whole" / "examples.jsonl"))


def test_a_server_that_is_often_busy_broken_or_wrong_costs_time_and_no_run(tmp_path: Path) -> None:
    with mock_server(p429=0.2, p500=0.2, pbad=0.3, seed=3) as server:
        asked(server, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["counts"]["read"] == 33
    assert manifest["counts"]["errors"] == 0
    assert manifest["counts"]["examples"] >= 10


def test_a_wrong_key_stops_the_job_with_one_line(tmp_path: Path) -> None:
    done = agenther(
        "run",
        RUNS,
        "-o",
        tmp_path,
        "--mode",
        "llm",
        "--model",
        "m@http://127.0.0.1:9/nothing",
        "--patience",
        0,
        status=3,
    )
    assert "Traceback" not in done.output


@pytest.mark.parametrize("seed", range(3))
def test_a_whole_job_is_done_by_files_alone(seed: int, tmp_path: Path) -> None:
    out, draw = tmp_path / "out", random.Random(seed)
    models = ("--model", "m1@http://nowhere.invalid/v1", "--judge", "j1@http://nowhere.invalid/v1")
    agenther("run", RUNS, "-o", out, "--mode", "llm", "--batch", *models, status=4)
    for n in range(40):
        files = json.loads(agenther("batch", "export", out, "--json").stdout)["files"]
        assert files
        results = [answers(Path(file["path"]), tmp_path / f"{n}.{i}", draw) for i, file in enumerate(files)]
        left = CliRunner().invoke(group, ["batch", "import", str(out), *map(str, results)]).exit_code
        assert left in (0, 4)
        if left == 0:
            break
    examples = rows(out / "examples.jsonl")
    assert len(examples) >= 15
    assert rows(out / "train" / "trl" / "sft.jsonl")
    assert "no request waits" in agenther("batch", "export", out).stdout


def answers(path: Path, to: Path, draw: random.Random) -> Path:
    """Answer a file of requests as a batch does: in any order, some with errors."""
    lines: list[str] = []
    for line in rows(path):
        if draw.random() < 0.2:
            error = {"code": "server_error", "message": "try again"}
            lines.append(json.dumps({"custom_id": line["custom_id"], "response": None, "error": error}))
            continue
        body = read_request(line["body"])  # type: ignore[arg-type]
        answered = completion(body, answer_to(body, Manner()))
        response = {"status_code": 200, "request_id": "r", "body": answered}
        lines.append(json.dumps({"id": "b", "custom_id": line["custom_id"], "response": response, "error": None}))
    draw.shuffle(lines)
    to.write_text("\n".join(lines))
    return to


def test_a_kill_at_any_moment_loses_no_answer_and_asks_none_twice(tmp_path: Path) -> None:
    draw = random.Random(11)
    for name in ("out", "undisturbed"):
        (tmp_path / name).mkdir()
    Cache(tmp_path / "out" / ANSWERS).close()
    shutil.copy(tmp_path / "out" / ANSWERS, tmp_path / "undisturbed")
    with mock_server(latency=0.05) as server:
        command = [sys.executable, "-m", "agenther", "run", str(RUNS), "-o", str(tmp_path / "out"), "--mode", "llm"]
        command += ["--model", f"m1@{server.endpoint}", "--judge", f"j1@{server.endpoint}", "--concurrency", "4"]
        for _ in range(4):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            before, deadline = requests(server), time.monotonic() + 30
            while requests(server) == before and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(draw.random() * 0.4)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert subprocess.run(command, check=False, capture_output=True).returncode == 0
        stats = server.stats()
        asked(server, tmp_path / "undisturbed")
    killed, whole = rows(tmp_path / "out" / "examples.jsonl"), rows(tmp_path / "undisturbed" / "examples.jsonl")
    assert [example["hindsight_goal"] for example in killed] == [example["hindsight_goal"] for example in whole]
    again = stats["same_body_again"]
    assert isinstance(again, dict)
    assert again["in_flight"] == 0
    assert int(str(again["after_answer"])) <= 4 * 4, "a kill loses at most what was on its way"


def test_a_bound_of_dollars_says_before_anything_is_asked_what_it_does_not_bind(server: Served, tmp_path: Path) -> None:
    before = requests(server)
    job = ["run", str(RUNS), "-o", str(tmp_path / "out"), "--mode", "llm", "--model", f"m1@{server.endpoint}"]
    done = CliRunner().invoke(group, [*job, "--max-cost-usd", "5"])
    assert isinstance(done.exception, ConfigError)
    assert "no price is known of m1" in str(done.exception)
    assert requests(server) == before
    known = f"gpt-4o-mini@{server.endpoint}"
    done = agenther(*job, "--judge", known, "--max-cost-usd", 0, status=4)
    assert "no price is known of m1:" in done.stderr
    done = CliRunner().invoke(group, [*job, "--batch", "--max-requests", "5"])
    assert isinstance(done.exception, ConfigError)
    assert "a batch has no bounds" in str(done.exception)


def test_a_bound_that_is_no_number_is_refused(tmp_path: Path) -> None:
    job = ["run", str(RUNS), "-o", str(tmp_path / "out"), "--mode", "llm", "--model", "gpt-4o-mini"]
    done = CliRunner().invoke(group, [*job, "--max-cost-usd", "nan"])
    assert isinstance(done.exception, ConfigError)
    assert "expected a number" in str(done.exception)
