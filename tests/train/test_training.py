"""Whole trainings of a tiny model: the loss falls, an interruption changes nothing, mistakes are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from tests.jobs.runs import write_runs
from tests.train.tiny import training, write_rows

from agenther.cli.train import command
from agenther.errors import UserError
from agenther.jobs.job import Job, execute
from agenther.train import job as job_module
from agenther.train.curve import LossCurve

pytestmark = pytest.mark.train


@pytest.mark.parametrize("method", ["sft", "dpo", "kto"])
def test_one_epoch_lowers_the_loss(method: str, tiny: Path, tmp_path: Path) -> None:
    data = write_rows(tmp_path / "data", (1.0, 1.0, 0.5, 1.0) * 2)
    done = training(method, tiny, data, tmp_path / "out", epochs=1, schedule="constant", warmup=0).run()
    assert done["finished"]
    assert done["steps"] == 4
    points = [json.loads(line) for line in (tmp_path / "out" / "loss.jsonl").read_text().splitlines()]
    losses = [point["loss"] for point in points if "loss" in point]
    assert len(losses) == 4
    before, after = eval_loss(method, tiny, data, tmp_path), eval_loss(method, tiny, data, tmp_path, tmp_path / "out")
    assert after < before * 0.99


def eval_loss(method: str, tiny: Path, data: Path, folder: Path, adapters: Path | None = None) -> float:
    """Return the loss of all rows as one batch, with the adapters of a training or with those that do nothing."""
    folder.joinpath("eval").mkdir(exist_ok=True)
    trainer, tally = training(method, tiny, data, folder / "none").trainer(folder / "eval")
    if adapters is not None:
        kept = load_file(adapters / "adapter_model.safetensors")
        named = {name.replace(".weight", ".default.weight"): tensor for name, tensor in kept.items()}
        missing = trainer.model.load_state_dict(named, strict=False)
        assert not missing.unexpected_keys
    trainer.model.eval()
    batch = trainer.data_collator([trainer.train_dataset[n] for n in range(tally.rows)])
    with torch.no_grad():
        return float(trainer.compute_loss(trainer.model, batch))


class Watched(LossCurve):
    """Notes at which step a training begins, and ends the first one as a signal would, beyond its last checkpoint."""

    begun: ClassVar[list[int]] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self.begun.append(state.global_step)
        super().on_train_begin(args, state, control, **more)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if len(self.begun) == 1 and state.global_step == 3:
            raise KeyboardInterrupt


def test_an_interrupted_training_ends_as_one_that_was_not(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_rows(tmp_path / "data", (1.0, 0.5, 1.0, 0.25))
    said = {"epochs": 3, "save_steps": 2, "lora_dropout": 0.1, "seed": 5}
    undisturbed = training("sft", tiny, data, tmp_path / "one", **said).run()
    monkeypatch.setattr(job_module, "LossCurve", Watched)
    other = training("sft", tiny, data, tmp_path / "two", **said)
    with pytest.raises(KeyboardInterrupt):
        other.run()
    assert not json.loads((tmp_path / "two" / "train.json").read_text())["finished"]
    assert other.run() == undisturbed
    assert Watched.begun == [0, 2]
    weights = [load_file(tmp_path / name / "adapter_model.safetensors") for name in ("one", "two")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    curves = [(tmp_path / name / "loss.jsonl").read_text().splitlines() for name in ("one", "two")]
    assert [point(line) for line in curves[0]] == [point(line) for line in curves[1]]
    with pytest.raises(UserError, match="is finished"):
        other.run()
    with pytest.raises(UserError, match="another training"):
        training("sft", tiny, data, tmp_path / "two", **(said | {"seed": 6})).run()
    assert not list((tmp_path / "two").glob(".data-*"))


def test_after_a_mistake_the_corrected_command_takes_the_same_folder(tiny: Path, tmp_path: Path) -> None:
    data, out = write_rows(tmp_path / "data"), tmp_path / "out"
    (out / ".data-0-killed").mkdir(parents=True)
    for model, rows in ((tmp_path / "nosuch", data), (tiny, tmp_path / "nosuch")):
        with pytest.raises(UserError):
            training("sft", model, rows, out).run()
        assert not (out / "train.json").exists()
    (out / "train.json").write_text('{"key": "of another that came to no checkpoint", "finished": false}')
    assert training("sft", tiny, data, out, seed=7, max_steps=1).run()["finished"]
    assert not list(out.glob(".data-*"))
    card = (out / "README.md").read_text()
    assert "| seed | 7 |" in card
    assert f"{tiny}`; LoRA adapters" in card
    assert "Severity weight w: the loss of a row is multiplied by it" in card
    assert "fine-tuned" not in card


@pytest.mark.parametrize("name", ["./nosuch", "/nosuch/model", "src/nosuch", "some/model/nosuch"])
def test_a_misspelt_folder_is_refused_without_asking_the_hub(name: str) -> None:
    with pytest.raises(UserError, match="expected the folder of a model, found none"):
        job_module.load_tokenizer(name)


def point(line: str) -> tuple[Any, ...]:
    """Return what a point of the curve says, without times."""
    read = json.loads(line)
    return read["step"], read.get("loss"), read.get("learning_rate"), read.get("grad_norm")


def test_all_weights_can_be_trained_and_w_can_be_left_alone(tiny: Path, tmp_path: Path) -> None:
    data = write_rows(tmp_path / "data", (0.5, 0.5))
    losses = {}
    for weighted in (True, False):
        out = tmp_path / str(weighted)
        losses[weighted] = training("dpo", tiny, data, out, lora_targets=(), weighted=weighted).run()["first_loss"]
        assert (out / "model.safetensors").exists()
    assert losses[True] == pytest.approx(losses[False] / 2)


def test_the_command_trains_on_what_a_job_wrote(tiny: Path, tmp_path: Path) -> None:
    execute(Job((str(write_runs(tmp_path / "runs.json", 12)),), tmp_path / "out"))
    said = ["--max-steps", "1", "--batch", "2", "--device-batch", "2", "--max-length", "3000", "--json"]
    where = ["--model", str(tiny), "--data", str(tmp_path / "out"), "-o", str(tmp_path / "model")]
    done = CliRunner().invoke(command, ["sft", *where, *said])
    assert done.exception is None, done.output
    shown = json.loads(done.stdout[done.stdout.index('{\n  "key"') :])
    assert shown == json.loads((tmp_path / "model" / "train.json").read_text())
    assert shown["data"]["rows"] > 0
    assert 0 < shown["data"]["trained_tokens"] < shown["data"]["tokens"]
    assert (tmp_path / "model" / "adapter_model.safetensors").exists()
    assert (tmp_path / "model" / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_a_model_that_is_none_and_a_folder_without_a_job_are_named(tiny: Path, tmp_path: Path) -> None:
    data = write_rows(tmp_path / "data")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="expected a model with its tokenizer"):
        training("sft", tmp_path / "empty", data, tmp_path / "out").run()
    assert not job_module._is_path("some-maker/some-model")  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(UserError, match="finished job"):
        training("sft", tiny, tmp_path / "empty", tmp_path / "out2").run()
