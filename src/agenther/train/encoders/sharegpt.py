"""Rows as FastChat's own preprocessing makes them, with its template of Vicuna where no other is named."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
from collections.abc import Iterator

from fastchat.train.train_with_template import apply_prompt_template, mask_targets
from transformers import AutoTokenizer

from agenther.train.encoders.base import Encoded, Encoding, Part, from_labels


def encode(part: Part) -> Encoding:
    """Encode rows."""
    tokenizer = AutoTokenizer.from_pretrained(part.tokenizer)
    return Encoding(tokenizer, _sides(part, tokenizer, part.template or "vicuna-v1.5"))


def _sides(part: Part, tokenizer: object, template: str) -> Iterator[Encoded]:
    import torch

    with part.rows.open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            row = json.loads(line)
            texts, conversation = apply_prompt_template([row["conversations"]], template, [row["system"]])
            ids = torch.tensor([tokenizer(texts[0]).input_ids])  # type: ignore[operator]
            labels = mask_targets(texts, ids.clone(), tokenizer, conversation)
            yield from_labels(number, "", ids[0].tolist(), labels[0].tolist())
