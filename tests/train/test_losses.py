"""Losses and gradients beside a computation of their own: from plain logits, one sequence after the other."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.tiny import training, write_rows

from agenther.train.job import Training
from agenther.train.rows import Sample, read_samples

pytestmark = pytest.mark.train
BETA = 0.1


def prepared(method: str, tiny: Path, folder: Path, weights: tuple[float, ...]) -> tuple[Any, dict[str, Any]]:
    """Return a trainer whose adapters are not zero, and its first batch."""
    made = training(method, tiny, write_rows(folder / "data", weights), folder / "out", device_batch=len(weights))
    trainer, _ = made.trainer(folder)
    torch.manual_seed(1)
    for name, parameter in trainer.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    trainer.model.train()
    return trainer, trainer.data_collator([trainer.train_dataset[n] for n in range(len(weights))])


def gradient(trainer: Any, loss: Any) -> Any:
    trainer.model.zero_grad()
    loss.backward()
    adapters = [p for p in trainer.model.parameters() if p.requires_grad]
    assert adapters
    return torch.cat([p.grad.flatten() if p.grad is not None else torch.zeros(p.numel()) for p in adapters])


def token_logs(model: Any, ids: list[int], trained: list[bool]) -> list[Any]:
    """Return the log-probability of each trained token, from the logits of the sequence alone."""
    logits = model(input_ids=torch.tensor([ids])).logits[0].double()
    normal = logits - logits.exp().sum(-1, keepdim=True).log()
    return [normal[n - 1, ids[n]] for n in range(1, len(ids)) if trained[n]]


def log_ratio(trainer: Any, ids: list[int], trained: list[bool]) -> Any:
    """Return how much likelier the trained tokens are to the policy than to the model without its adapters."""
    policy = sum(token_logs(trainer.model, ids, trained))
    with torch.no_grad(), trainer.model.disable_adapter():
        reference = sum(token_logs(trainer.model, ids, trained))
    return policy - reference


def same(one: Any, other: Any) -> None:
    assert torch.allclose(one.double(), other.double(), rtol=2e-4, atol=1e-6), (one, other)


def test_sft_is_the_weighted_cross_entropy_over_all_trained_tokens(tiny: Path, tmp_path: Path) -> None:
    trainer, batch = prepared("sft", tiny, tmp_path, (1.0, 0.25))
    rows = [trainer.train_dataset[n] for n in range(2)]
    n_tokens = sum(sum(row["trained"]) for row in rows)
    expected = sum(-row["weight"] * sum(token_logs(trainer.model, row["ids"], row["trained"])) for row in rows)
    loss = trainer.compute_loss(trainer.model, dict(batch), num_items_in_batch=torch.tensor(n_tokens))
    same(loss, expected / n_tokens)
    same(gradient(trainer, loss), gradient(trainer, expected / n_tokens))
    alone = trainer.compute_loss(trainer.model, dict(batch))
    same(alone, expected / n_tokens)


@pytest.mark.parametrize("method", ["sft", "dpo", "kto"])
def test_weight_zero_gives_no_gradient_and_weight_one_half_gives_half(method: str, tiny: Path, tmp_path: Path) -> None:
    trainer, batch = prepared(method, tiny, tmp_path, (1.0, 1.0))
    whole = [gradient(trainer, loss_of(trainer, batch, weights)) for weights in ((1.0, 0.0), (0.0, 1.0))]
    assert all(part.abs().max() > 1e-6 for part in whole)
    same(gradient(trainer, loss_of(trainer, batch, (0.5, 0.0))), whole[0] / 2)
    same(gradient(trainer, loss_of(trainer, batch, (1.0, 0.5))), whole[0] + whole[1] / 2)
    assert gradient(trainer, loss_of(trainer, batch, (0.0, 0.0))).abs().max() == 0


def loss_of(trainer: Any, batch: dict[str, Any], weights: tuple[float, ...]) -> Any:
    return trainer.compute_loss(trainer.model, {**batch, "weight": torch.tensor(weights)})


def test_dpo_is_the_weighted_loss_on_the_agents_tokens(tiny: Path, tmp_path: Path) -> None:
    trainer, batch = prepared("dpo", tiny, tmp_path, (1.0, 0.25))
    check_pairs(trainer, batch)


def check_pairs(trainer: Any, batch: dict[str, Any]) -> None:
    """Compare with equation 2 of the paper."""
    losses = []
    for row in trainer.train_dataset:
        better = log_ratio(trainer, row["ids"], row["trained"])
        worse = log_ratio(trainer, row["other_ids"], row["other_trained"])
        losses.append(-row["weight"] * torch.log(1 / (1 + torch.exp(-BETA * (better - worse)))))
    expected = sum(losses) / len(losses)
    assert abs(float(expected.detach()) - sum(trainer.train_dataset["weight"]) / 2 * math.log(2)) > 1e-4
    loss = trainer.compute_loss(trainer.model, dict(batch))
    same(loss, expected)
    same(gradient(trainer, loss), gradient(trainer, expected))


def test_kto_is_the_weighted_loss_on_the_agents_tokens(tiny: Path, tmp_path: Path) -> None:
    trainer, batch = prepared("kto", tiny, tmp_path, (1.0, 0.25, 0.5))
    rows = list(trainer.train_dataset)
    starts = [row["trained"].index(True) for row in rows]
    divergences = []
    for n, row in enumerate(rows):
        before, start = rows[n - 1], starts[n - 1]
        ids = row["ids"][: starts[n]] + before["ids"][start:]
        trained = [False] * starts[n] + before["trained"][start:]
        divergences.append(log_ratio(trainer, ids, trained).detach())
    kl = max(sum(divergences) / 3, torch.tensor(0.0))
    losses = []
    for row in rows:
        value = BETA * (log_ratio(trainer, row["ids"], row["trained"]) - kl) * (1 if row["label"] else -1)
        losses.append(row["weight"] * (1 - 1 / (1 + torch.exp(-value))))
    expected = sum(losses) / 3
    loss = trainer.compute_loss(trainer.model, dict(batch))
    same(loss, expected)
    same(gradient(trainer, loss), gradient(trainer, expected))


def test_goal_contrast_is_equation_two_with_a_prompt_on_each_side(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(tmp_path / "data", (1.0, 0.25)) / "train" / "trl" / "sft.jsonl"
    (tmp_path / "data" / "examples.jsonl").touch()
    samples = [under_two_goals(sample) for sample in read_samples(path, "sft")]
    monkeypatch.setattr("agenther.train.job.read_contrasts", lambda *_, **__: iter(samples))
    made: Training = training("goal-contrast", tiny, tmp_path / "data", tmp_path / "out")
    trainer, _ = made.trainer(tmp_path)
    for name, parameter in trainer.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    rows = list(trainer.train_dataset)
    assert len(rows) == 2
    for row in rows:
        assert row["ids"] != row["other_ids"]
        better, worse = ([t for t, yes in zip(row[i], row[m], strict=True) if yes] for i, m in COLUMNS)
        assert better == worse
    check_pairs(trainer, trainer.data_collator(rows))


COLUMNS = (("ids", "trained"), ("other_ids", "other_trained"))


def under_two_goals(sample: Sample) -> Sample:
    """Return a sample with the same turns under a second goal, as `contrast` makes it."""
    (side,) = sample.sides
    at = next(n for n, message in enumerate(side.messages) if message["role"] == "user")
    other = [*side.messages[:at], {**side.messages[at], "content": "the other goal"}, *side.messages[at + 1 :]]
    return sample._replace(sides=(side, side._replace(messages=other)))
