"""Which turns of which conversation a row must train, by the id in its metadata: from the labels, not from the writers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.contracts.expected import Message

Conversation = tuple[list[Message], set[int]]
"""Messages, and the places of the agent's turns that carry loss."""


class Truth:
    """The labels and preferences of an output folder."""

    def __init__(self, out: Path) -> None:
        self._examples = {row["id"]: row for row in _lines(out / "examples.jsonl")}
        self._neutral: dict[str, dict[str, dict[str, Any]]] = {}
        for kind in ("dpo", "kto"):
            rows = [row for side in ("train", "test") for row in _lines(out / side / "trl" / f"{kind}.jsonl")]
            self._neutral[kind] = {json.loads(row["metadata"])["id"]: row for row in rows}

    def sides(self, consumer: str, kind: str, row: dict[str, Any]) -> dict[str, Conversation]:
        """Return what a row must train, by the name of its side."""
        told = {"id": row["id"]} if consumer == "sharegpt" else json.loads(row["metadata"])
        if kind in ("sft", "sft_last"):
            example = self._examples[told["id"]]
            steps = set(example["train_on"])
            if consumer == "trl":
                steps = set(told["steps"])
            if kind == "sft_last":
                steps = {row["step"]}
            return {"": _until_last(example["messages"], steps)}
        neutral = self._neutral[kind][told["id"]]
        made = {}
        for side in ("chosen", "rejected") if kind == "dpo" else ("",):
            prompt, answer = neutral["prompt"], neutral[side or "completion"]
            places = {n for n, m in enumerate(answer, len(prompt)) if m["role"] == "assistant"}
            if consumer == "llamafactory":
                places = {max(places)}
            made[side] = ([*prompt, *answer], places)
        return made


def _until_last(messages: list[Message], steps: set[int]) -> Conversation:
    places = {n for n, m in enumerate(messages) if m["role"] == "assistant" and m["step"] in steps}
    return messages[: max(places) + 1], places


def _lines(path: Path) -> Iterator[Any]:
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)
