"""TRL's trainers, with weights, with masks of our own, and with two prompts in a pair.

They take rows that are tokens already (`dataset`), in batches that say which tokens are trained (`batches`). Models,
adapters, references, schedules, checkpoints and logs are TRL's. The balancing loss of mixtures of experts is added in
`sft` only.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from trl import DPOTrainer, KTOTrainer, SFTTrainer

Tensors = dict[str, torch.Tensor]


class _Prepared:
    """Leaves the rows as they are: they are tokens already. The card of the model is written elsewhere (`card`)."""

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write no card."""


class WeightedSFTTrainer(_Prepared, SFTTrainer):
    """Scales the cross-entropy of each token by the weight of its row; the sum is divided as TRL does, by all tokens."""

    def compute_loss(
        self, model: Any, inputs: Tensors, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return TRL's loss of a model whose log-probabilities are scaled."""
        rest = {name: tensor for name, tensor in inputs.items() if name != "weight"}

        def scaled(**arguments: Any) -> Any:
            outputs = model(**arguments)
            if arguments.get("fused_lm_head"):
                outputs.log_probs = outputs.log_probs * inputs["weight"][:, None]
            return outputs

        return super().compute_loss(scaled, rest, return_outputs, num_items_in_batch)


class AgentDPOTrainer(_Prepared, DPOTrainer):
    """Trains the weighted DPO loss on the agent's tokens. With a prompt of its own on each side it is the paper's equation 2."""

    def compute_loss(
        self, model: Any, inputs: Tensors, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the mean over pairs of -w log sigmoid(beta (log ratio of the better - log ratio of the worse))."""
        rest = {name: tensor for name, tensor in inputs.items() if name != "weight"}
        better_B, worse_B = log_probability(model, rest).chunk(2)  # noqa: N806
        ref_better_B, ref_worse_B = self.compute_ref_log_probs(self.ref_model or self.model, rest)  # noqa: N806
        rewards = self.beta * (better_B - ref_better_B), self.beta * (worse_B - ref_worse_B)
        margin_B = rewards[0] - rewards[1]  # noqa: N806
        for name, values in zip(("rewards/chosen", "rewards/rejected"), rewards, strict=True):
            _note(self, name, values)
        _note(self, "rewards/margins", margin_B)
        _note(self, "rewards/accuracies", (margin_B > 0).float())
        loss = -(inputs["weight"] * F.logsigmoid(margin_B)).mean()
        return (loss, {}) if return_outputs else loss


class AgentKTOTrainer(_Prepared, KTOTrainer):
    """Trains the weighted KTO loss on the agent's tokens."""

    def compute_loss(
        self, model: Any, inputs: Tensors, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the mean over rows of w (1 - sigmoid(+-beta (log ratio - KL))), + where the row is desirable."""
        ratio_B = log_probability(model, inputs)  # noqa: N806
        with torch.no_grad():
            kl_B = log_probability(model, inputs, "KL_")  # noqa: N806
        ref_B, ref_kl_B = self.compute_ref_log_probs(self.ref_model or self.model, inputs)  # noqa: N806
        ratio_B = ratio_B - ref_B  # noqa: N806
        kl = self.accelerator.gather_for_metrics(kl_B - ref_kl_B).mean().clamp(min=0)
        desirable_B = inputs["label"].bool()  # noqa: N806
        sign_B = torch.where(desirable_B, 1.0, -1.0)  # noqa: N806
        value_B = torch.sigmoid(sign_B * self.beta * (ratio_B - kl))  # noqa: N806
        class_B = torch.where(desirable_B, self.desirable_weight, self.undesirable_weight)  # noqa: N806
        _note(self, "kl", kl)
        _note(self, "rewards/signed", sign_B * self.beta * ratio_B)
        loss = (inputs["weight"] * class_B * (1 - value_B)).mean()
        return (loss, {}) if return_outputs else loss


def log_probability(model: Any, inputs: Tensors, prefix: str = "") -> torch.Tensor:
    """Return the log-probability of the trained tokens of each sequence, shape (B,).

    Args:
        model: one that has TRL's fused head.
        inputs: a batch of pairs or of unpaired rows.
        prefix: of the names of the tensors.
    """
    ids_B_T = inputs[f"{prefix}input_ids"]  # noqa: N806
    labels_B_T = ids_B_T.masked_fill(inputs[f"{prefix}completion_mask"] == 0, -100)  # noqa: N806
    outputs = model(
        input_ids=ids_B_T,
        attention_mask=inputs[f"{prefix}attention_mask"],
        labels=labels_B_T,
        fused_lm_head=True,
        use_cache=False,
    )
    return outputs.log_probs.sum(dim=1)


def _note(trainer: Any, name: str, values: torch.Tensor) -> None:
    """Add the mean of some values to what the next log shows."""
    mode = "train" if trainer.model.training else "eval"
    trainer._metrics[mode][name].append(trainer.accelerator.gather_for_metrics(values.detach()).mean().item())
