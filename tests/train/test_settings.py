from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from agenther.cli.train import command
from agenther.errors import ConfigError, MissingExtra
from agenther.presets import preset_names
from agenther.train.settings import METHODS, load_settings

ALL_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@pytest.mark.parametrize("preset", preset_names())
@pytest.mark.parametrize("method", METHODS)
def test_every_preset_is_the_papers_table(preset: str, method: str) -> None:
    made = load_settings(method, preset, {})
    assert (made.lora_r, made.lora_alpha, made.lora_dropout) == (16, 32, 0.05)
    assert (made.schedule, made.warmup, made.batch, made.max_length, made.dtype) == (
        *("cosine", 0.03, 128, 4096),
        "bfloat16",
    )
    expected = (2e-4, 3, ALL_LAYERS) if method == "sft" else (5e-5, 1, ALL_LAYERS[:4])
    assert (made.learning_rate, made.epochs, made.lora_targets) == expected
    assert made.beta == 0.1
    assert (made.model is None) == (preset == "table4")


def test_there_is_a_preset_for_every_model_of_the_paper() -> None:
    sizes = ("1.5b", "3b", "7b", "14b", "72b")
    assert set(preset_names()) == {"table4", "llama-3.1-8b", *(f"qwen2.5-{size}" for size in sizes)}


def test_what_is_said_wins_and_what_is_not_said_does_not() -> None:
    made = load_settings("dpo", "qwen2.5-7b", {"beta": 0.3, "epochs": None, "lora_targets": ()})
    assert (made.beta, made.epochs, made.lora_targets) == (0.3, 1, ())


@pytest.mark.parametrize(
    ("method", "preset", "said", "says"),
    [
        ("sft", "gpt-9", {}, "known: llama-3.1-8b"),
        ("sft", "table4", {"learning_rate": -1.0}, "learning_rate"),
        ("sft", "table4", {"speed": 2}, "speed"),
        ("kto", "table4", {"device_batch": 1}, "at least 2 for kto"),
    ],
)
def test_impossible_settings_are_named(method: str, preset: str, said: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(method, preset, said)
    assert says in str(caught.value)


def test_without_the_extra_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("torch", "agenther.train.job"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    given = ["sft", "--data", str(tmp_path), "-o", str(tmp_path / "model"), "--model", "m"]
    done = CliRunner().invoke(command, given)
    assert isinstance(done.exception, MissingExtra)
    assert "pip install 'agenther[train]'" in str(done.exception)


def test_a_model_must_be_named_by_the_user_or_the_preset(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["sft", "--data", str(tmp_path), "-o", str(tmp_path / "model")])
    assert isinstance(done.exception, ConfigError)
    assert "--model" in str(done.exception)
