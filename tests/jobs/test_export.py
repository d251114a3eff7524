from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.jobs.runs import write_runs

from agenther.cli import group
from agenther.config import Config
from agenther.errors import UserError
from agenther.jobs.export import export
from agenther.jobs.job import Job, execute
from agenther.writers import WRITERS


def texts(out: Path) -> dict[str, bytes]:
    """Return all files but the store and the timings, by name."""
    found = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file() and p.name[0] != "."}
    found.pop("run.sqlite")
    manifest = json.loads(found.pop("manifest.json"))
    manifest.pop("timings")
    return {**found, "manifest.json": json.dumps(manifest).encode()}


def job(folder: Path, name: str, *consumers: str) -> Path:
    runs = folder / "runs.json"
    write_runs(runs, 30)
    extra = {"consumers": consumers} if consumers else {}
    execute(Job((str(runs),), folder / name, config=Config(include_successes=True), **extra))  # type: ignore[arg-type]
    return folder / name


def manifest_of(out: Path) -> dict[str, object]:
    return json.loads((out / "manifest.json").read_text())


def test_exporting_later_gives_what_naming_all_at_once_gives(tmp_path: Path) -> None:
    at_once = job(tmp_path, "a", *WRITERS)
    later = job(tmp_path, "b")
    for name in [name for name in WRITERS if name not in ("trl", "sharegpt")]:
        export(later, manifest_of(later), (name,))
    assert texts(later) == texts(at_once)


def test_without_a_name_the_files_are_those_of_trl_and_sharegpt(tmp_path: Path) -> None:
    out = job(tmp_path, "a")
    assert {path.name for path in (out / "train").iterdir()} == {"trl", "sharegpt"}
    assert not list(out.rglob("*.yaml"))


def test_a_job_for_others_takes_away_the_rows_of_an_earlier_one(tmp_path: Path) -> None:
    job(tmp_path, "a")
    out = job(tmp_path, "a", "swift")
    assert {path.parent.name for path in (out / "train").rglob("*.jsonl")} == {"swift"}
    assert {name.split("/")[1] for name in manifest_of(out)["rows"] if "/" in name} == {"swift"}  # type: ignore[attr-defined]


def test_many_workers_export_the_same(tmp_path: Path) -> None:
    one, two = job(tmp_path, "a"), job(tmp_path, "b")
    export(one, manifest_of(one), ("swift", "openai"))
    export(two, manifest_of(two), ("swift", "openai"), workers=2)
    assert texts(one) == texts(two)


def test_a_store_of_other_settings_is_refused(tmp_path: Path) -> None:
    out = job(tmp_path, "a")
    with pytest.raises(UserError, match="lacks the runs"):
        export(out, manifest_of(out) | {"results_key": "other"}, ("swift",))
    with pytest.raises(UserError, match="of another"):
        export(out, manifest_of(out) | {"config": {"no": "setting"}}, ("swift",))


def test_the_command_writes_and_says_what_a_consumer_has_no_place_for(tmp_path: Path) -> None:
    out = job(tmp_path, "a")
    done = CliRunner().invoke(group, ["export", str(out), "--for", "axolotl, swift"])
    assert done.exit_code == 0, done.output
    assert "train/axolotl/sft.jsonl" in done.output
    assert "note: axolotl has no kto" in done.output
    assert "`swift` and `trl` have it" in done.output
    assert (out / "train" / "axolotl" / "sft.yaml").exists()


@pytest.mark.parametrize("names", ["tlr", "", "swift,tlr"])
def test_an_unknown_consumer_is_refused_before_anything_is_done(tmp_path: Path, names: str) -> None:
    done = CliRunner().invoke(group, ["run", str(tmp_path), "-o", str(tmp_path / "out"), "--for", names])
    assert done.exit_code == 2
    assert "there are trl, sharegpt, swift" in done.output
    assert not (tmp_path / "out").exists()


def test_an_export_names_the_files_of_earlier_consumers_only_where_it_writes_them_otherwise(tmp_path: Path) -> None:
    out = job(tmp_path, "a")
    told = [["--for", "swift"], ["--for", "swift", "--max-tokens", "300"]]
    plain, limited = (CliRunner().invoke(group, ["export", str(out), *more]).stdout for more in told)
    assert "train/swift/" in plain
    assert "train/trl/" not in plain
    assert "train/trl/sft.jsonl" in limited
    assert "rows over 300 tokens set aside in set_aside.jsonl" in limited
    assert f"{out}/set_aside.jsonl" in limited
