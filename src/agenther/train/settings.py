"""How a model is trained: settings with the paper's values, from preset files and what the user says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from agenther.errors import ConfigError
from agenther.presets import preset_names, read_preset
from agenther.record import Record

Method = Literal["sft", "dpo", "kto", "goal-contrast"]
"""What is trained: imitation, two runs of one goal, single runs with a label, one run under two goals."""
METHODS: tuple[Method, ...] = ("sft", "dpo", "kto", "goal-contrast")


class Settings(Record):
    """All that decides a training but the model, the data and the machine."""

    method: Method
    model: str | None = Field(default=None, description="folder or hub name; None: must be said")
    learning_rate: float = Field(gt=0)
    epochs: float = Field(gt=0, description="passes over the data")
    max_steps: int | None = Field(default=None, ge=1, description="steps after which it ends; None: after the epochs")
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(ge=0, lt=1, description="share of the steps")
    batch: int = Field(ge=1, description="rows of one step, over all devices")
    device_batch: int = Field(default=2, ge=1, description="rows that a device takes at once")
    max_length: int = Field(ge=1, description="most tokens of a sequence; longer rows are left out, never cut")
    dtype: Literal["bfloat16", "float32"] = Field(description="on devices; processors compute in float32")
    beta: float = Field(default=0.1, gt=0, description="strength of the pull towards the reference (all but sft)")
    weighted: bool = Field(default=True, description="scale the loss of a row by its severity weight w")
    same_run: bool = Field(default=False, description="goal-contrast: only pairs whose sides train the same turns")
    lora_r: int = Field(ge=1)
    lora_alpha: float = Field(gt=0)
    lora_dropout: float = Field(ge=0, lt=1)
    lora_targets: tuple[str, ...] = Field(
        description="names of the layers with adapters; empty: all weights are trained"
    )
    seed: int = 0
    save_steps: int = Field(default=100, ge=1, description="steps from one checkpoint to the next")
    log_steps: int = Field(default=1, ge=1, description="steps from one point of the loss curve to the next")


def load_settings(method: Method, preset: str, said: Mapping[str, Any]) -> Settings:
    """Return the settings of a preset, with what was said in their place.

    Args:
        method: what is trained.
        preset: name of a preset.
        said: settings that win over the preset; those that are None were not said.

    Raises:
        ConfigError: no such preset, or a setting has an impossible value.
    """
    if preset not in preset_names():
        raise ConfigError(f"preset: expected one that exists, found {preset!r}", f"known: {', '.join(preset_names())}")
    merged: dict[str, Any] = {"method": method, **read_preset(preset, method)}
    merged |= {name: value for name, value in said.items() if value is not None}
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}, found {first['input']!r}") from error
    if method == "kto" and settings.device_batch < 2:
        raise ConfigError(
            "device_batch: expected at least 2 for kto, found 1", "its KL term compares the rows of one batch"
        )
    return settings
