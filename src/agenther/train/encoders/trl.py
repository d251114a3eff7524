"""Rows as `agenther train` gives them to TRL's trainers: the model's chat template, our masks."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from agenther.errors import WriteError
from agenther.train.encoders.base import Encoded, Encoding, Part
from agenther.train.job import load_tokenizer, training_template
from agenther.train.rows import read_samples
from agenther.train.settings import Method
from agenther.train.tokens import ChatTokens


def encode(part: Part) -> Encoding:
    """Encode rows; one that the chat template does not take is left out, as in a training."""
    tokenizer = load_tokenizer(part.tokenizer)
    return Encoding(tokenizer, _sides(part, ChatTokens(tokenizer, training_template(tokenizer))))


def _sides(part: Part, chat: ChatTokens) -> Iterator[Encoded]:
    number = 0
    for sample in read_samples(part.rows, cast(Method, part.kind)):
        names: tuple[Any, ...] = ("chosen", "rejected") if len(sample.sides) > 1 else ("",)
        try:
            sides = [chat(one.messages, sample.tools, one.trained) for one in sample.sides]
        except WriteError:
            continue
        for name, (ids, trained) in zip(names, sides, strict=True):
            yield Encoded(number, name, ids, trained)
        number += 1
