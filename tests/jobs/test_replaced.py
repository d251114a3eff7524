"""What a job says of the files that it took the place of."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result
from tests.jobs.runs import write_runs

from agenther.cli import group


def invoke(*arguments: str | Path) -> Result:
    done = CliRunner().invoke(group, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done


def test_a_job_says_what_it_replaced_and_the_same_command_says_nothing(tmp_path: Path) -> None:
    runs, out = write_runs(tmp_path / "runs.json", 12), tmp_path / "out"
    assert "replaced" not in invoke("run", runs, "-o", out).stderr
    assert "replaced" not in invoke("run", runs, "-o", out, "--workers", "2").stderr
    invoke("export", out, "--for", "swift,openai")
    said = [line for line in invoke("run", runs, "-o", out).stderr.splitlines() if "replaced" in line]
    assert len(said) == 1
    assert "rows of openai, swift were removed" in said[0]
    assert "other" not in said[0].replace("another", "")
    said = invoke("run", runs, "-o", out, "--seed", "3", "--include-successes").stderr
    assert "other settings (include_successes, seed)" in said
    assert "removed" not in said
    more = write_runs(tmp_path / "more.json", 6)
    said = invoke("run", runs, more, "-o", out, "--seed", "3", "--include-successes").stderr
    assert "other inputs (12 runs before, 18 now)" in said
    assert "settings" not in said
