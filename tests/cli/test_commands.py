"""The commands as a user meets them: what they print, what they write, how they end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.text import Text
from tests.jobs.runs import write_runs

from agenther.cli import INTERRUPTED, LazyGroup
from agenther.cli.show import EVIDENCE, highlighted
from agenther.cli.terminal import one_line, safe
from agenther.config import Config
from agenther.jobs.job import Job, execute
from agenther.trajectory import Span


def agenther(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agenther", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, check=False)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    done = agenther("run", write_runs(folder / "runs.json", 30), "-o", folder / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["read"] == 30
    return folder / "out"


def test_every_promised_file_is_there(out: Path) -> None:
    names = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert {"examples.jsonl", "dropped.jsonl", "errors.jsonl", "manifest.json", "run.sqlite", "README.md"} <= names
    assert {"train/trl/sft.jsonl", "train/trl/dpo.jsonl", "train/trl/kto.jsonl", "train/sharegpt/sft.jsonl"} <= names


def test_an_example_has_every_promised_key(out: Path) -> None:
    row = json.loads((out / "examples.jsonl").read_text().splitlines()[0])
    assert set(row) >= {
        *("id", "trajectory_id", "task_id", "origin", "source", "desired_goal", "hindsight_goal", "strategy"),
        *("detection", "claims", "verdict", "weight", "messages", "tools", "train_on", "repairs", "provenance"),
    }
    assert set(row["detection"]) >= {"failure_type", "recoverable", "weight", "critical_step", "evidence", "by"}
    assert set(row["claims"][0]) == {"text", "kind", "evidence"}
    assert set(row["verdict"]) == {"accepted", "support", "stated_confidence", "scores"}
    assert set(row["verdict"]["scores"][0]) == {"by", "value", "explanation", "evidence"}
    assert row["verdict"]["stated_confidence"] is None
    assert isinstance(row["tools"], str)
    assert all("step" in message for message in row["messages"])
    assert row["messages"][-1]["role"] == "assistant"


def test_dropped_and_errors_have_their_keys(out: Path) -> None:
    row = json.loads((out / "dropped.jsonl").read_text().splitlines()[0])
    assert set(row) == {"trajectory_id", "source", "stage", "reason", "detail", "evidence"}


def test_examples_load_with_datasets(out: Path) -> None:
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset("json", data_files=str(out / "examples.jsonl"), split="train")
    assert len(loaded) == sum(1 for _ in (out / "examples.jsonl").open())


def test_show_marks_the_evidence_and_names_both_goals(out: Path) -> None:
    example = json.loads((out / "examples.jsonl").read_text().splitlines()[0])
    for wanted in ([], [example["id"][:8]], [example["trajectory_id"]]):
        shown = agenther("show", out, *wanted)
        assert shown.returncode == 0, shown.stderr
        assert example["desired_goal"] in " ".join(shown.stdout.split())
        assert example["hindsight_goal"] in " ".join(shown.stdout.split())
    dropped = json.loads((out / "dropped.jsonl").read_text().splitlines()[0])
    assert dropped["reason"] in agenther("show", out, dropped["trajectory_id"]).stdout


def test_show_prefers_whole_ids_to_beginnings(out: Path, tmp_path: Path) -> None:
    example = json.loads((out / "examples.jsonl").read_text().splitlines()[0])
    own = example["id"][:1]
    runs = write_runs(tmp_path / f"{own}.json", 30)
    agenther("run", runs, "-o", tmp_path / "out")
    dropped = json.loads((tmp_path / "out" / "dropped.jsonl").read_text().splitlines()[0])
    assert dropped["trajectory_id"].startswith(f"{own}/")
    assert f"run {dropped['trajectory_id']}" in agenther("show", tmp_path / "out", dropped["trajectory_id"]).stdout


def test_show_names_the_twin_of_a_merged_run(tmp_path: Path) -> None:
    for name in "ab":
        write_runs(tmp_path / "in" / f"{name}.json", 20)
    agenther("run", tmp_path / "in", "-o", tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out" / "dropped.jsonl").open()]
    merged = next(row for row in rows if row["stage"] == "package")
    shown = agenther("show", tmp_path / "out", merged["trajectory_id"])
    assert "near_duplicate" in shown.stdout
    assert json.loads((tmp_path / "out" / "examples.jsonl").open().readline())["id"] in shown.stdout


def test_show_tells_the_error_of_a_failed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agenther.jobs.process.relabel", lambda *_: 1 / 0)
    execute(Job((str(write_runs(tmp_path / "runs.json", 1)),), tmp_path / "out"))
    assert "ZeroDivisionError" in agenther("show", tmp_path / "out", "runs/0").stdout


def test_show_leaves_its_files_alone_and_says_which_is_missing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    execute(Job((str(write_runs(tmp_path / "runs.json", 20)),), out))
    files = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in out.rglob("*") if path.is_file()}
    assert agenther("show", out).returncode == agenther("show", out, "runs/0").returncode == 0
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in out.rglob("*") if path.is_file()} == files
    for name in ("examples.jsonl", "run.sqlite"):
        (out / name).rename(out / "aside")
        failed = agenther("show", out)
        (out / "aside").rename(out / name)
        assert failed.returncode == 1
        assert failed.stderr.startswith("error: ")
        assert name in failed.stderr


def test_show_and_stats_say_what_is_missing(out: Path, tmp_path: Path) -> None:
    for arguments in (("show", out, "nobody"), ("show", tmp_path), ("stats", tmp_path)):
        failed = agenther(*arguments)
        assert failed.returncode == 1
        assert failed.stderr.startswith("error: ")
        assert "Traceback" not in failed.stderr


def test_without_labels_show_points_at_stats(tmp_path: Path) -> None:
    out = tmp_path / "out"
    execute(Job((str(write_runs(tmp_path / "runs.json", 20)),), out, Config(domains=("shell",))))
    assert not (out / "examples.jsonl").read_text()
    assert f"`agenther stats {out}` says why" in agenther("show", out).stderr
    assert f"no labels; `agenther stats {out}` says why" in " ".join(agenther("show", out, "--list").stdout.split())


def test_stats(out: Path) -> None:
    assert "30 runs read" in agenther("stats", out).stdout
    assert json.loads(agenther("stats", out, "--json").stdout)["counts"]["read"] == 30


def test_read_prints_a_line_a_run_and_a_summary(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.json", 5)
    lines = [json.loads(line) for line in agenther("read", runs, "--json").stdout.splitlines()]
    assert len(lines) == 6
    assert set(lines[0]) == {"id", "task_id", "format", "goal", "success", "n_steps", "label_source"}
    assert lines[-1]["summary"]["runs"] == 5


def test_formats_lists_the_six() -> None:
    assert len(agenther("formats").stdout.splitlines()) >= 6


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_standard_input(tmp_path: Path, suffix: str, workers: int) -> None:
    text = write_runs(tmp_path / "runs.json", 5).read_text()
    if suffix == "jsonl":
        chats = [{"messages": [{"role": "user", "content": f"Feed the cat {n} times"}]} for n in range(5)]
        text = "".join(f"{json.dumps(chat)}\n" for chat in chats) + "{broken\n"
    found: list[bytes] = []
    for name in ("first", "second"):
        out = tmp_path / name
        assert agenther("run", "-", "-o", out, "--workers", f"{workers}", stdin=text).returncode in (0, 3)
        found.append((out / "dropped.jsonl").read_bytes() + (out / "errors.jsonl").read_bytes())
        manifest = json.loads((out / "manifest.json").read_text())
        assert re.fullmatch(rf"stdin-[0-9a-f]{{12}}\.{suffix}", manifest["inputs"][0]["path"])
    assert found[0] == found[1]
    rows = [json.loads(line) for line in found[0].splitlines()]
    assert {row.get("source", row)["path"] for row in rows} == {manifest["inputs"][0]["path"]}


def test_a_name_that_is_no_utf_8(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.json", 2).rename(tmp_path / os.fsdecode(b"\xff.json"))
    read = agenther("read", runs, "--json")
    assert read.returncode == 0, read.stderr
    assert json.loads(read.stdout.splitlines()[0])["id"] == "\\xff/0"
    out = tmp_path / os.fsdecode(b"\xfe[bold]")
    for command in (("run", runs, "-o", out), ("show", out), ("show", out, "--list"), ("stats", out)):
        done = agenther(*command)
        assert "Traceback" not in done.stderr
        assert done.returncode == 0 or "no examples" in done.stderr


def test_an_output_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.json", 2)
    failed = agenther("run", runs, "-o", runs / "out")
    assert (failed.returncode, failed.stderr.startswith(f"error: {runs / 'out'}: ")) == (1, True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "train").write_text("in the way")
    failed = agenther("run", runs, "-o", tmp_path / "out")
    assert (failed.returncode, "without train" in failed.stderr) == (1, True)


def test_workers(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.json", 40)
    assert agenther("run", runs, "-o", tmp_path / "out", "--workers", "2").returncode == 0
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["timings"]["cpu_s"] > 0


def test_unreadable_input_ends_with_3_and_loses_nothing(tmp_path: Path) -> None:
    write_runs(tmp_path / "in" / "good.json", 10)
    (tmp_path / "in" / "bad.json").write_text("{broken")
    done = agenther("run", tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["counts"] | {"unreadable": 1, "read": 10} == json.loads(done.stdout)["counts"]
    error = json.loads((tmp_path / "out" / "errors.jsonl").read_text())
    assert set(error) == {"path", "line", "where", "expected", "found"}
    assert agenther("run", tmp_path / "in", "-o", tmp_path / "strict", "--strict").returncode == 1


@pytest.mark.parametrize(
    "arguments", [["--domain", "alchemy"], ["--config", "nowhere.toml"], ["--labels", "nowhere.csv"]]
)
def test_a_users_error_is_one_line_and_ends_with_1(tmp_path: Path, arguments: list[str]) -> None:
    runs = write_runs(tmp_path / "runs.json", 2)
    failed = agenther("run", runs, "-o", tmp_path / "out", *arguments)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: ")
    assert "Traceback" not in failed.stderr


def test_inputs_that_name_nothing_end_with_1(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for wanted in (tmp_path / "nowhere.json", tmp_path / "*.jsonl", tmp_path / "empty"):
        failed = agenther("run", wanted, "-o", tmp_path / "out")
        assert (failed.returncode, failed.stderr[:7]) == (1, "error: ")


def test_labels_kept_elsewhere(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.json", 4)
    (tmp_path / "labels.csv").write_text("id,success\nruns/0,true\nruns/1,false\n")
    lines = agenther("read", runs, "--json", "--labels", tmp_path / "labels.csv").stdout.splitlines()
    rows = [json.loads(line) for line in lines[:2]]
    assert [(row["success"], row["label_source"]) for row in rows] == [(True, "labels file"), (False, "labels file")]


def test_labels_of_no_run_are_reported(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.json", 2)
    (tmp_path / "labels.csv").write_text("id,success\nruns/0,true\nruns/7,false\n")
    options = ("--labels", tmp_path / "labels.csv", "--json")
    for done in (agenther("read", runs, *options), agenther("run", runs, "-o", tmp_path / "out", *options)):
        assert done.returncode == 0
        assert "runs/7" in done.stderr
        assert '"labels_unmatched":1' in done.stdout.replace(" ", "")


def test_read_shows_the_ids_that_the_output_shows(tmp_path: Path) -> None:
    for name in "ab":
        write_runs(tmp_path / "in" / name / "runs.json", 1)
    lines = [json.loads(line) for line in agenther("read", tmp_path / "in", "--json").stdout.splitlines()]
    assert [line["id"] for line in lines[:2]] == ["runs/0", "runs/0~2"]


def test_help_teaches() -> None:
    assert "agenther run traces/ -o out" in agenther("run", "--help").stdout


def test_recorded_text_cannot_steer_the_terminal() -> None:
    hostile = "a\x1b[2Jb\u202ec\x07[bold]d[/bold]"
    assert "\x1b" not in safe(hostile)
    assert len(safe(hostile)) == len(hostile)
    assert one_line("x\n" * 50, 10) == "x x x x x…"
    shown = highlighted(hostile, [Span(step=1, field="message", start=0, end=1)])
    assert isinstance(shown, Text)
    assert "[bold]d[/bold]" in shown.plain


def test_evidence_far_into_a_long_text_stays_visible() -> None:
    text = "x" * 5000 + "HERE" + "y" * 5000
    shown = highlighted(text, [Span(step=1, field="message", start=5000, end=5004)])
    assert "HERE" in shown.plain
    assert len(shown.plain) < 1500
    assert any(str(span.style) == EVIDENCE and shown.plain[span.start : span.end] == "HERE" for span in shown.spans)


def test_evidence_is_marked_where_there_is_no_colour() -> None:
    spans = [Span(step=1, field="message", start=a, end=b) for a, b in ((4, 6), (5, 8), (10, 11))]
    assert highlighted("abcdefghijklmno", spans, marks=True).plain == "abcd⟪efgh⟫ij⟪k⟫lmno"


def test_a_folder_of_others_is_never_written_to(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.json", 2)
    own = tmp_path / "project" / "README.md"
    own.parent.mkdir()
    own.write_text("mine")
    failed = agenther("run", runs, "-o", own.parent)
    assert failed.returncode == 1
    assert "README.md" in failed.stderr
    assert own.read_text() == "mine"
    assert [path.name for path in own.parent.iterdir()] == ["README.md"]


def test_secrets_in_unreadable_input_do_not_enter_the_output(tmp_path: Path) -> None:
    key = "sk-" + "aB3dE5gH7jK9" * 3
    (tmp_path / "in").mkdir()
    write_runs(tmp_path / "in" / "good.json", 2)
    (tmp_path / "in" / "bad.jsonl").write_text(json.dumps({"key": key, "mail": "anna@" + "example.com"}) + "\n")
    assert agenther("run", tmp_path / "in", "-o", tmp_path / "out").returncode == 3
    found = (tmp_path / "out" / "errors.jsonl").read_text()
    assert "bad.jsonl" in found
    assert key not in found
    assert "anna@" not in found


def test_a_forced_format_that_finds_no_run_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.log").write_text("nothing of the kind\n")
    done = agenther("read", tmp_path / "notes.log", "--format", "react-webshop")
    assert done.returncode == 3
    assert "react-webshop" in done.stderr


def test_any_command_that_is_stopped_from_the_keyboard_ends_as_shells_have_it() -> None:
    class Stopped(LazyGroup):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            raise KeyboardInterrupt

    done = CliRunner().invoke(Stopped("agenther"), ["run"])
    assert (done.exit_code, done.stderr) == (INTERRUPTED, "stopped\n")


COMPLETED = """
import sys
from multiprocessing import forkserver
from agenther.cli import main

sys.argv = ["agenther"]
try:
    main()
finally:
    print(forkserver._forkserver._forkserver_pid)
"""


def test_a_shell_that_asks_how_a_line_goes_on_starts_no_process() -> None:
    asked = {"COMP_WORDS": "agenther run --workers 4 --lab", "COMP_CWORD": "4", "_AGENTHER_COMPLETE": "bash_complete"}
    command = [sys.executable, "-c", COMPLETED]
    done = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["plain,--labels", "None"]
