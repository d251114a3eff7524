"""What becomes of severity weights in the files of a job: drawn where rows carry none, counted, and never of more than that."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.jobs.runs import write_runs
from tests.writers.writer_material import agent, contrast, example, pair, unpaired, user

from agenther.config import Config, WeightUse
from agenther.jobs.export import export
from agenther.jobs.job import Job, execute
from agenther.jobs.lines import Turn, training_lines
from agenther.jobs.training import TrainingFiles
from agenther.preferences import Unpaired
from agenther.stages.package.draw import draw_of
from agenther.stages.package.split import seeded_rank
from agenther.writers import WRITERS, Trainable

N = 1500
WEIGHTS = (0.3, 0.5, 0.7)


def records(n: int = N) -> list[Trainable]:
    """Return examples, pairs, contrasts and labelled runs in turn, a third of each weight."""
    made: list[Trainable] = []
    for number in range(n):
        weight, prompt, good = WEIGHTS[number % 3], [user(1, f"goal {number}")], [agent(2, "good")]
        made.append(example([*prompt, *good], id=f"e{number}", weight=weight))
        two = {"id": f"p{number}", "weight": weight}
        made.append(pair(prompt, good, [agent(2, "bad")]).model_copy(update=two))
        made.append(contrast(id=f"c{number}", weight=weight))
        for label in (True, False):
            run = {"trajectory_id": f"r{number}", "id": f"k{number}-{label}", "weight": weight}
            made.append(unpaired(prompt, good if label else [agent(2, "bad")], label).model_copy(update=run))
    return made


def write(
    out: Path,
    weights: WeightUse = "act",
    heavier: bool = False,
    n: int = N,
    everyone: tuple[str, ...] = tuple(WRITERS),
) -> TrainingFiles:
    kinds: dict[str, Any] = {"Example": "sft", "Pair": "dpo", "Unpaired": "kto", "Contrast": "goal_contrast"}
    made = records(n) + ([example([user(1), agent(2, "x")], id="success", weight=1.0)] if heavier else [])
    with TrainingFiles(out, everyone, weights) as files:
        for one in made:
            kind = kinds[type(one).__name__]
            turn = None
            if isinstance(one, Unpaired):
                turn = Turn("train", one.label, seeded_rank(one.trajectory_id, 0))
            draw = draw_of(kind, one, 0) if weights == "act" else None
            for line in training_lines(kind, one, "r", "train", turn, everyone, draw):
                files.add(line)
    files.write_sidecars()
    return files


def rows(out: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainingFiles]:
    folder = tmp_path_factory.mktemp("act")
    return folder, write(folder)


DRAWN = [(name, kind) for name, writer in WRITERS.items() for kind in writer.kinds if kind not in writer.weighted]


@pytest.mark.parametrize(("name", "kind"), [one for one in DRAWN if one[0] != "openai" and one[1] != "sft_last"])
def test_the_share_of_each_weight_is_what_is_stated(out: tuple[Path, TrainingFiles], name: str, kind: str) -> None:
    found = rows(out[0], f"train/{name}/{kind}.jsonl")
    shares = Counter(json.loads(row["metadata"]).get("weight", row.get("weight")) for row in found)
    twins = 2 if kind == "kto" else 1
    for weight in WEIGHTS:
        share = weight / 0.7
        assert abs(shares[weight] / twins - N / 3 * share) <= 4 * math.sqrt(N / 3 * share * (1 - share))
    assert out[1].rows[f"train/{name}/{kind}.jsonl"] == len(found)
    undrawn = {n / 10: k for n, k in out[1].undrawn[f"train/{name}/{kind}.jsonl"].items()}
    assert undrawn == {w: N // 3 * twins - shares[w] for w in (0.3, 0.5)}


def test_rows_that_carry_w_are_all_there(out: tuple[Path, TrainingFiles]) -> None:
    for name, kind in (("trl", "sft"), ("trl", "dpo"), ("swift", "sft"), ("atif", "sft")):
        assert len(rows(out[0], f"train/{name}/{kind}.jsonl")) == N
    assert len(rows(out[0], "train/trl/kto.jsonl")) == 2 * N


def test_consumers_have_the_same_rows(out: tuple[Path, TrainingFiles]) -> None:
    axolotl, llamafactory = (
        [json.loads(row["metadata"])["id"] for row in rows(out[0], f"train/{name}/sft.jsonl")]
        for name in ("axolotl", "llamafactory")
    )
    assert axolotl == llamafactory == [row["id"] for row in rows(out[0], "train/sharegpt/sft.jsonl")]


def test_twins_of_a_run_stay_together_and_apart(out: tuple[Path, TrainingFiles]) -> None:
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows(out[0], "train/swift/kto.jsonl")):
        places.setdefault(json.loads(row["metadata"])["trajectory_id"], []).append(place)
    assert len(places) < N
    for pair_of in places.values():
        assert len(pair_of) == 2
        assert abs(pair_of[0] - pair_of[1]) > len(places) // 2 - 1


def test_a_heavier_row_of_one_kind_leaves_the_others_alone(out: tuple[Path, TrainingFiles], tmp_path: Path) -> None:
    files = write(tmp_path, heavier=True, everyone=("sharegpt", "swift", "axolotl"))
    assert files.rows["train/axolotl/sft.jsonl"] < out[1].rows["train/axolotl/sft.jsonl"]
    assert (tmp_path / "train/swift/kto.jsonl").read_bytes() == (out[0] / "train/swift/kto.jsonl").read_bytes()
    kept = {row["id"] for row in rows(tmp_path, "train/sharegpt/sft.jsonl")} - {"success"}
    assert kept < {row["id"] for row in rows(out[0], "train/sharegpt/sft.jsonl")}


def test_ignored_weights_lose_nothing_and_the_settings_say_so(tmp_path: Path) -> None:
    files = write(tmp_path, "ignore", n=30)
    assert not files.undrawn
    assert files.rows["train/axolotl/sft.jsonl"] == 30
    assert "is_binary_loss_scale: true" in (tmp_path / "train/swift/sft.yaml").read_text()
    for name in ("swift", "llamafactory", "axolotl", "openai"):
        assert "does nothing here" in (tmp_path / f"train/{name}/README.md").read_text()


def test_the_guides_say_how_many_were_drawn(out: tuple[Path, TrainingFiles]) -> None:
    for name in ("llamafactory", "axolotl", "openai"):
        n_rows = out[1].rows[f"train/{name}/sft.jsonl"]
        assert f"`sft.jsonl` has {n_rows} of {N}" in (out[0] / f"train/{name}/README.md").read_text()
    said = (out[0] / "train/swift/README.md").read_text()
    assert "is the `loss_scale` of each agent message" in said
    assert "`kto.jsonl` has" in said


def test_a_job_whose_rows_weigh_the_same_loses_nothing(tmp_path: Path) -> None:
    with TrainingFiles(tmp_path, ("axolotl",)) as files:
        for number in range(50):
            one = example([user(1), agent(2, f"{number}")], id=f"e{number}", weight=0.4)
            for line in training_lines("sft", one, "r", "train", None, ("axolotl",), draw_of("sft", one, 0)):
                files.add(line)
    assert files.rows["train/axolotl/sft.jsonl"] == 50


def test_export_changes_what_weights_do_in_all_files(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs.json", 30)
    out = tmp_path / "out"
    summary = execute(Job((str(tmp_path / "runs.json"),), out, Config(include_successes=True)))
    assert sum(tally.total() for tally in summary.undrawn.values()) > 0
    acting = json.loads((out / "manifest.json").read_text())
    done = export(out, acting, ("axolotl",), weights="ignore")
    ignoring = json.loads((out / "manifest.json").read_text())
    assert not done.undrawn
    assert ignoring["config"]["weights"] == "ignore"
    assert ignoring["undrawn"] == {}
    assert ignoring["rows"]["train/sharegpt/sft.jsonl"] > acting["rows"]["train/sharegpt/sft.jsonl"]
    assert "--weights ignore" in (out / "README.md").read_text()
    export(out, ignoring, ("axolotl",), workers=2, weights="act")
    assert json.loads((out / "manifest.json").read_text())["undrawn"].keys() >= acting["undrawn"].keys()
