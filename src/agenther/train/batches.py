"""Batches of token sequences: padded tensors of shape (rows, length), axes B and T.

The mask of trained tokens comes from the rows, so that observations and users' turns inside a continuation carry no loss.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

Row = dict[str, Any]
Batch = dict[str, torch.Tensor]
IGNORED = -100
"""The label of a token that carries no loss."""


def imitation_batch(rows: Sequence[Row], pad_id: int) -> Batch:
    """Return what SFT takes: `labels_B_T` are the tokens where they are trained."""
    ids, attention, trained = _padded([(row["ids"], row["trained"]) for row in rows], pad_id)
    labels = ids.masked_fill(~trained, IGNORED)
    return {"input_ids": ids, "attention_mask": attention, "labels": labels, "weight": _column(rows, "weight")}


def pair_batch(rows: Sequence[Row], pad_id: int) -> Batch:
    """Return what DPO takes: the better sides of all pairs, then the worse ones, 2B sequences of their own prompts."""
    better = [(row["ids"], row["trained"]) for row in rows]
    worse = [(row["other_ids"], row["other_trained"]) for row in rows]
    return _sequences([*better, *worse], pad_id) | {"weight": _column(rows, "weight")}


def unpaired_batch(rows: Sequence[Row], pad_id: int) -> Batch:
    """Return what KTO takes: B sequences, and each prompt with the continuation of the row before it, for the KL term.

    A row's prompt ends where its first trained token stands.
    """
    parts = [_parted(row) for row in rows]
    shifted = [*parts[-1:], *parts[:-1]]
    mismatched = [
        (prompt + continuation, [False] * len(prompt) + trained)
        for (prompt, _, _), (_, continuation, trained) in zip(parts, shifted, strict=True)
    ]
    matched = _sequences([(row["ids"], row["trained"]) for row in rows], pad_id)
    other = {f"KL_{name}": tensor for name, tensor in _sequences(mismatched, pad_id).items()}
    return matched | other | {"weight": _column(rows, "weight"), "label": torch.tensor([row["label"] for row in rows])}


def _parted(row: Row) -> tuple[list[int], list[int], list[bool]]:
    first = row["trained"].index(True)
    return row["ids"][:first], row["ids"][first:], row["trained"][first:]


def _sequences(sequences: Sequence[tuple[list[int], list[bool]]], pad_id: int) -> Batch:
    ids, attention, trained = _padded(sequences, pad_id)
    return {"input_ids": ids, "attention_mask": attention, "completion_mask": trained.long()}


def _padded(sequences: Sequence[tuple[list[int], list[bool]]], pad_id: int) -> tuple[torch.Tensor, ...]:
    """Return tokens, attention and trained tokens, each of shape (B, T), filled up on the right."""
    longest = max(len(ids) for ids, _ in sequences)
    fill = [longest - len(ids) for ids, _ in sequences]
    ids = torch.tensor([ids + [pad_id] * n for (ids, _), n in zip(sequences, fill, strict=True)])
    attention = torch.tensor([[1] * len(ids) + [0] * n for (ids, _), n in zip(sequences, fill, strict=True)])
    trained = torch.tensor([mask + [False] * n for (_, mask), n in zip(sequences, fill, strict=True)])
    return ids, attention, trained


def _column(rows: Sequence[Row], name: str) -> torch.Tensor:
    return torch.tensor([row[name] for row in rows], dtype=torch.float32)
