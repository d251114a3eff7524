from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.llm.serving import completion, make_request

from agenther.cli import group
from agenther.errors import UserError
from agenther.jobs.files import hold_folder
from agenther.llm.cache import Cache


def agenther(*arguments: object, status: int = 0) -> Result:
    done = CliRunner().invoke(group, [str(argument) for argument in arguments])
    assert done.exit_code == status, done.output
    return done


@pytest.fixture
def out(tmp_path: Path) -> Path:
    with Cache(tmp_path / "out" / "answers.sqlite") as cache:
        for text in "abc":
            cache.note(make_request(text, model="gpt-4o-mini"))
    return tmp_path / "out"


def results(path: Path, *texts: str, broken: str = "") -> Path:
    lines = [
        json.dumps(
            {
                "custom_id": make_request(text, model="gpt-4o-mini").key,
                "response": {"status_code": 200, "body": completion(text)},
                "error": None,
            }
        )
        for text in texts
    ]
    path.write_text("\n".join([*lines, broken]))
    return path


def test_requests_go_out_and_answers_come_in(out: Path, tmp_path: Path) -> None:
    assert "3 requests to gpt-4o-mini" in agenther("batch", "export", out).stdout
    assert len((out / "batch" / "round-1.gpt-4o-mini.jsonl").read_text().splitlines()) == 3
    assert "3 exported before" in agenther("batch", "export", out).stdout
    found = json.loads(agenther("batch", "import", out, results(tmp_path / "r", "a"), "--json").stdout)
    assert (found["kept"], found["on_the_way"], found["to_export"]) == (1, 2, 0)
    done = agenther("batch", "import", out, results(tmp_path / "r", "a", "b"), results(tmp_path / "s", "c"))
    assert "2 answers taken" in done.stdout
    assert "1 results of requests that were answered already" in done.stdout
    assert "no request waits" in agenther("batch", "export", out).stdout


def test_export_says_as_json_what_it_wrote_where(out: Path, tmp_path: Path) -> None:
    found = json.loads(agenther("batch", "export", out, "--dir", tmp_path / "there", "--json").stdout)
    path = tmp_path / "there" / "round-1.gpt-4o-mini.jsonl"
    assert found == {"files": [{"path": str(path), "model": "gpt-4o-mini", "requests": 3}], "exported_before": 0}


def test_a_file_names_the_models_at_their_servers(out: Path, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('[models.gpt-4o-mini]\nserved_as = "mini"\njson_schema = false\n')
    agenther("batch", "export", out, "--models", tmp_path / "m.toml")
    line = (out / "batch" / "round-1.gpt-4o-mini.jsonl").read_text().splitlines()[0]
    assert json.loads(line)["body"]["model"] == "mini"


def test_lines_that_are_no_results_are_told_by_the_exit_status(out: Path, tmp_path: Path) -> None:
    done = agenther("batch", "import", out, results(tmp_path / "r", "a", broken="{"), status=3)
    assert "1 lines that are no results" in done.stdout
    assert "1 answers taken" in done.stdout


def test_a_folder_without_answers_is_left_alone(tmp_path: Path) -> None:
    for arguments in (["export", tmp_path / "none"], ["import", tmp_path / "none", tmp_path]):
        done = CliRunner().invoke(group, ["batch", *map(str, arguments)])
        assert isinstance(done.exception, UserError)
        assert "answers.sqlite" in str(done.exception)
    assert not (tmp_path / "none").exists()


def test_a_folder_that_a_job_writes_to_is_left_alone(out: Path) -> None:
    with hold_folder(out):
        done = CliRunner().invoke(group, ["batch", "export", str(out)])
    assert isinstance(done.exception, UserError)
    assert "another job" in str(done.exception)
