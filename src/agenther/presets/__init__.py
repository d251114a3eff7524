"""How models are trained in the paper (Table 4), as data files that our trainer and the writers of others' settings read.

Each file has a section `all`, one for each method that differs, and `names` for what other trainers call the model's parts.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any, cast

COMMON = "table4"
"""The preset that every other one starts from."""


def preset_names() -> list[str]:
    """Return the names of the presets."""
    found = (file.name for file in files("agenther.presets").iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


def read_preset(name: str, method: str) -> dict[str, Any]:
    """Return the settings of a preset for a method, over those that all presets share.

    Args:
        name: one of `preset_names()`.
        method: `sft`, `dpo`, `kto` or `goal-contrast`; or `names`, for what other trainers call the model's parts.
    """
    merged: dict[str, Any] = {}
    for one in dict.fromkeys((COMMON, name)):
        text = files("agenther.presets").joinpath(f"{one}.toml").read_text(encoding="utf-8")
        sections = cast(dict[str, dict[str, Any]], tomllib.loads(text))
        merged |= {} if method == "names" else sections.get("all", {})
        merged |= sections.get(method, {})
    return merged
