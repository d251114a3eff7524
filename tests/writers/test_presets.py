"""Ready settings: every model and kind, the numbers of the presets in every dialect, and jobs that name files that exist."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
import yaml

from agenther.presets import COMMON, preset_names, read_preset
from agenther.writers import WRITERS, FileSize

MODELS = [name for name in preset_names() if name != COMMON]
NAMES = {
    "swift": ("learning_rate", "num_train_epochs", "lora_rank", "per_device_train_batch_size", "beta", "model"),
    "llamafactory": (
        *("learning_rate", "num_train_epochs", "lora_rank", "per_device_train_batch_size", "pref_beta"),
        "model_name_or_path",
    ),
    "axolotl": ("learning_rate", "num_epochs", "lora_r", "micro_batch_size", "rl_beta", "base_model"),
}


def sidecars(name: str) -> dict[str, str]:
    files: Any = {(side, kind): FileSize(20, 500) for side in ("train", "test") for kind in WRITERS[name].kinds}
    return WRITERS[name].sidecars(files)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_and_kind_has_its_file_with_the_numbers_of_the_preset(name: str) -> None:
    made = sidecars(name)
    for model in MODELS:
        for kind in WRITERS[name].kinds:
            method = {"sft_last": "sft", "goal_contrast": "goal-contrast"}.get(kind, kind)
            meant, given = read_preset(model, method), yaml.safe_load(made[f"presets/{model}/{kind}.yaml"])
            rate, epochs, rank, batch, beta, base = (given.get(key) for key in NAMES[name])
            assert (rate, epochs, rank, batch, base) == (
                *(meant["learning_rate"], meant["epochs"], meant["lora_r"], meant["device_batch"]),
                meant["model"],
            )
            assert isinstance(rate, float)
            assert beta == (None if method == "sft" else 0.1)
            assert batch * given["gradient_accumulation_steps"] == 128
            plain = yaml.safe_load(made[f"{kind}.yaml"])
            assert {key: given[key] for key in plain if key != "template"} == {
                key: plain[key] for key in plain if key != "template"
            }


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_has_a_command_whose_file_exists(name: str) -> None:
    made = sidecars(name)
    words = made["README.md"].replace("`", " ").replace(".yaml.", ".yaml").split()
    assert [word for word in words if word.startswith("presets/qwen2.5-7b/") and word in made]


def test_jobs_for_openai_name_their_files_and_the_method() -> None:
    made = sidecars("openai")
    ast.parse(made["fine_tune.py"])
    sft, dpo = (json.loads(made[f"{kind}.job.json"]) for kind in ("sft", "dpo"))
    assert sft["training_file"] == "sft.jsonl"
    assert sft["validation_file"] == "../../test/openai/sft.jsonl"
    assert sft["method"] == {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}}
    assert dpo["method"] == {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 1, "beta": 0.1}}}
    for job in ("sft", "dpo"):
        assert f"python fine_tune.py {job}.job.json" in made["README.md"]


def test_kto_of_swift_has_the_loss_that_takes_rows_which_end_with_a_call() -> None:
    made = sidecars("swift")
    said = {name for name, text in made.items() if name.endswith(".yaml") and "loss_type: apo_zero_unpaired" in text}
    assert said == {name for name in made if name.endswith("kto.yaml")}
