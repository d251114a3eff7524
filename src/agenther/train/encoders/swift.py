"""Rows as ms-swift's own loader and template make them."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from swift.dataset import load_dataset
from swift.model import get_processor
from swift.template import get_template

from agenther.train.encoders.base import Encoded, Encoding, Part, from_labels, read_settings

_MODES = {"sft": "train", "dpo": "rlhf", "goal_contrast": "rlhf", "kto": "kto"}


def encode(part: Part) -> Encoding:
    """Encode rows with the settings beside them."""
    told = read_settings(part)
    processor = get_processor(part.tokenizer, **({"model_type": "qwen2"} if part.template else {}))
    template = get_template(
        processor,
        **({"template_type": part.template} if part.template else {}),
        max_length=told["max_length"],
        loss_scale=told["loss_scale"],
        is_binary_loss_scale=told.get("is_binary_loss_scale"),
        truncation_strategy=told["truncation_strategy"],
    )
    template.set_mode(_MODES[part.kind])
    given = told["dataset"] if part.side == "train" else told["val_dataset"]
    files = [os.path.join(part.folder, name) for name in (given if isinstance(given, list) else [given])]
    rows, _ = load_dataset(files, strict=told["strict"], load_from_cache_file=False, shuffle=False)
    return Encoding(getattr(processor, "tokenizer", processor), _sides(rows, template, paired=part.kind != "kto"))


def _sides(rows: Any, template: Any, *, paired: bool) -> Iterator[Encoded]:
    for number, row in enumerate(rows):
        encoded = template.encode(dict(row))
        for side in ("", "chosen", "rejected"):
            prefix = f"{side}_" if side else ""
            if (labels := encoded.get(f"{prefix}labels")) is not None:
                scales = encoded.get(f"{prefix}loss_scale")
                yield from_labels(number, side if paired else "", encoded[f"{prefix}input_ids"], labels, scales)
