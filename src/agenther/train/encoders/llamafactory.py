"""Rows as LLaMA-Factory's own arguments, loader and template make them."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.model import load_tokenizer

from agenther.train.encoders.base import Encoded, Encoding, Part, from_labels, read_settings

_STAGES = {"sft": "sft", "sft_last": "sft", "dpo": "rm", "kto": "kto"}


def encode(part: Part) -> Encoding:
    """Encode rows with the settings beside them."""
    settings = read_settings(part)
    settings.pop("eval_dataset", None)
    name = f"agenther_{part.kind}" + ("" if part.side == "train" else "_test")
    settings |= {"dataset": name, "dataset_dir": str(part.folder), "model_name_or_path": part.tokenizer}
    settings |= {"output_dir": tempfile.gettempdir(), "report_to": "none", "overwrite_cache": True}
    settings |= {"template": part.template or settings["template"], "bf16": False, "preprocessing_num_workers": None}
    model, data, training, _, _ = get_train_args(settings)
    module = load_tokenizer(model)
    template = get_template_and_fix_tokenizer(module["tokenizer"], data)
    made = get_dataset(template, model, data, training, stage=_STAGES[part.kind], **module)  # type: ignore[arg-type]
    return Encoding(module["tokenizer"], _sides(made["train_dataset"]))


def _sides(dataset: Any) -> Iterator[Encoded]:
    for number, row in enumerate(dataset):
        for side in ("", "chosen", "rejected"):
            prefix = f"{side}_" if side else ""
            if f"{prefix}labels" in row:
                yield from_labels(number, side, row[f"{prefix}input_ids"], row[f"{prefix}labels"])
