"""Rows as axolotl's own settings and strategies make them."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from axolotl.prompt_strategies import load
from axolotl.prompt_strategies.dpo import load as load_preference
from axolotl.utils.dict import DictDefault
from datasets import load_dataset
from transformers import AutoTokenizer

from agenther.train.encoders.base import Encoded, Encoding, Part, from_labels, read_settings


def encode(part: Part) -> Encoding:
    """Encode rows with the settings beside them."""
    settings = read_settings(part)
    source = settings["datasets" if part.side == "train" else "test_datasets"][0]
    tokenizer = AutoTokenizer.from_pretrained(part.tokenizer)
    rows = load_dataset(source["ds_type"], data_files=str(part.folder / source["path"]), split=source["split"])
    config = DictDefault({**settings, "train_on_inputs": settings.get("train_on_inputs", False)})
    make = _imitation if part.kind == "sft" else _preference
    return Encoding(tokenizer, make(rows, source, config, tokenizer))


def _imitation(rows: Any, source: Any, config: Any, tokenizer: Any) -> Iterator[Encoded]:
    strategy = load(source["type"], tokenizer, config, DictDefault(source))
    for number, row in enumerate(rows):
        encoded = strategy.tokenize_prompt(row)
        yield from_labels(number, "", encoded["input_ids"], encoded["labels"])


def _preference(rows: Any, source: Any, config: Any, tokenizer: Any) -> Iterator[Encoded]:
    """Yield the sides of pairs: its strategy renders them as text, which TRL's trainer then turns into tokens."""
    transform = load_preference(source["type"], config, dataset_idx=0)
    transform = transform[0] if isinstance(transform, tuple) else transform
    for number, row in enumerate(rows):
        made = transform(row, tokenizer=tokenizer)
        for side in ("chosen", "rejected"):
            prompt, answer = (tokenizer(made[name], add_special_tokens=False)["input_ids"] for name in ("prompt", side))
            yield Encoded(number, side, prompt + answer, [False] * len(prompt) + [True] * len(answer))
