"""Which turns of which conversation a row must train, by the id in its metadata: from the labels, not from the writers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.contracts.expected import Message

from agenther.conclusions import Example
from agenther.jobs.store import Store
from agenther.preferences import Contrast
from agenther.stages.package.contrast import goal_contrast

Conversation = tuple[list[Message], set[int]]
"""Messages, and the places of the agent's turns that carry loss."""


class Truth:
    """The labels and preferences of an output folder."""

    def __init__(self, out: Path) -> None:
        self._out = out
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
        if kind == "goal_contrast":
            pair = self._contrasts[told["id"]]
            return {
                "chosen": _until_last(pair.chosen, set(pair.chosen_train_on)),
                "rejected": _until_last(pair.rejected, set(pair.rejected_train_on), whole=True),
            }
        neutral = self._neutral[kind][told["id"]]
        made = {}
        for side in ("chosen", "rejected") if kind == "dpo" else ("",):
            prompt, answer = neutral["prompt"], neutral[side or "completion"]
            places = {n for n, m in enumerate(answer, len(prompt)) if m["role"] == "assistant"}
            if consumer == "llamafactory":
                places = {max(places)}
            made[side] = ([*prompt, *answer], places)
        return made

    @cached_property
    def _contrasts(self) -> dict[str, Contrast]:
        """Contrasts of the labels with the runs as recorded, by id."""
        manifest = json.loads((self._out / "manifest.json").read_bytes())
        made: dict[str, Contrast] = {}
        with Store(self._out / "run.sqlite", manifest["results_key"], read_only=True) as store:
            for row in self._examples.values():
                example = Example.model_validate({k: v for k, v in row.items() if k in Example.model_fields})
                found = store.find(example.trajectory_id) if example.origin == "hindsight" else None
                pair = goal_contrast(example, found.trajectory) if found is not None else ""
                if isinstance(pair, Contrast):
                    made[pair.id] = pair
        return made


def _until_last(messages: Sequence[Message], steps: set[int], *, whole: bool = False) -> Conversation:
    """Return messages up to the last turn that is trained, or to the agent's last turn of the whole."""
    agent = [n for n, m in enumerate(messages) if m["role"] == "assistant"]
    places = {n for n in agent if messages[n]["step"] in steps}
    return list(messages[: max(agent if whole else places) + 1]), places


def _lines(path: Path) -> Iterator[Any]:
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)
