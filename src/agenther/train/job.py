"""One training: from an output folder and a model to a folder with the trained model, its checkpoints and its curve.

The same command goes on from the last checkpoint of a training that was interrupted, and ends as if it had not been.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import torch
from peft import LoraConfig
from transformers import AutoTokenizer
from transformers.trainer_utils import get_last_checkpoint
from trl import DPOConfig, KTOConfig, SFTConfig
from trl.chat_template_utils import get_training_chat_template

from agenther.errors import UserError
from agenther.jobs.files import hold_folder, write_atomically
from agenther.jobs.manifest import file_mark
from agenther.record import JsonObject, content_key
from agenther.texts import path_text
from agenther.train.batches import imitation_batch, pair_batch, unpaired_batch
from agenther.train.card import write_card
from agenther.train.contrast import read_contrasts
from agenther.train.curve import LossCurve, draw_curve
from agenther.train.dataset import Tally, write_dataset
from agenther.train.rows import Sample, data_file, read_samples
from agenther.train.settings import Settings
from agenther.train.tokens import ChatTokens
from agenther.train.trainers import AgentDPOTrainer, AgentKTOTrainer, WeightedSFTTrainer

RECORD, _PREFIX = "train.json", ".data-"
_KINDS: dict[str, tuple[type, type, Any]] = {
    "sft": (WeightedSFTTrainer, SFTConfig, imitation_batch),
    "dpo": (AgentDPOTrainer, DPOConfig, pair_batch),
    "kto": (AgentKTOTrainer, KTOConfig, unpaired_batch),
    "goal-contrast": (AgentDPOTrainer, DPOConfig, pair_batch),
}


@dataclass(frozen=True)
class Training:
    """What is trained, on what, into which folder.

    Args:
        settings: how.
        model: folder or hub name.
        data: output folder of `agenther run`.
        out: folder for the trained model.
    """

    settings: Settings
    model: str
    data: Path
    out: Path

    def run(self) -> JsonObject:
        """Train, and return what was done.

        Raises:
            UserError: the model, the data or the folder does not allow it.
        """
        _refuse_unlaunched()
        with hold_folder(self.out) if _is_main() else nullcontext():
            kept = self._refuse_other()
            _sweep(self.out)
            with TemporaryDirectory(dir=self.out, prefix=f"{_PREFIX}{_rank()}-") as folder:
                trainer, tally = self.trainer(Path(folder))
                if _is_main():
                    _write(self.out / RECORD, kept | {"finished": False})
                trainer.train(resume_from_checkpoint=get_last_checkpoint(str(self.out)))
            trainer.save_model()
            losses = [point["loss"] for point in trainer.state.log_history if "loss" in point]
            done: JsonObject = kept | {
                "data": tally.to_json(),
                "steps": trainer.state.global_step,
                "first_loss": losses[0] if losses else None,
                "last_loss": losses[-1] if losses else None,
                "finished": True,
            }
            if _is_main():
                draw_curve(self.out)
                write_card(self.out, self.settings, self.model, self.data, done)
                _write(self.out / RECORD, done)
            return done

    def trainer(self, folder: Path) -> tuple[Any, Tally]:
        """Return the trainer, ready to begin, and what became of the rows.

        Args:
            folder: for the token sequences.
        """
        kind, config, make_batch = _KINDS[self.settings.method]
        tokenizer = load_tokenizer(self.model)
        tally = Tally()
        chat = ChatTokens(tokenizer, training_template(tokenizer))
        dataset = write_dataset(
            self._samples(tally), chat, self.settings.max_length, folder / f"rows-{_rank()}.arrow", tally
        )
        trainer = kind(
            model=self.model,
            args=config(**self._arguments()),
            train_dataset=dataset,
            data_collator=partial(make_batch, pad_id=tokenizer.pad_token_id),
            processing_class=tokenizer,
            peft_config=self._adapter(),
            callbacks=[LossCurve(self.out)],
        )
        return trainer, tally

    def _samples(self, tally: Tally) -> Iterator[Sample]:
        method = self.settings.method
        found = (
            read_contrasts(self.data, tally.left_out, same_run=self.settings.same_run)
            if method == "goal-contrast"
            else read_samples(data_file(self.data, method), method)
        )
        return (one if self.settings.weighted else one._replace(weight=1.0) for one in found)

    def _adapter(self) -> LoraConfig | None:
        told = self.settings
        if not told.lora_targets:
            return None
        return LoraConfig(
            r=told.lora_r,
            lora_alpha=told.lora_alpha,
            lora_dropout=told.lora_dropout,
            target_modules=list(told.lora_targets),
            task_type="CAUSAL_LM",
        )

    def _arguments(self) -> dict[str, Any]:
        told = self.settings
        halved = told.dtype == "bfloat16" and torch.cuda.is_available()
        adapted = bool(told.lora_targets)
        devices = int(os.environ.get("WORLD_SIZE", "1"))
        own = {} if told.method == "sft" else {"beta": told.beta}
        return own | {
            "output_dir": str(self.out),
            "learning_rate": told.learning_rate,
            "num_train_epochs": told.epochs,
            "max_steps": told.max_steps or -1,
            "lr_scheduler_type": told.schedule,
            "warmup_steps": told.warmup,
            "per_device_train_batch_size": told.device_batch,
            "gradient_accumulation_steps": max(1, round(told.batch / (told.device_batch * devices))),
            "max_length": None,
            "bf16": halved,
            "model_init_kwargs": {"dtype": "bfloat16" if halved and adapted else "float32", "use_safetensors": True},
            "seed": told.seed,
            "save_steps": told.save_steps,
            "save_total_limit": 2,
            "logging_steps": told.log_steps,
            "remove_unused_columns": False,
            "dataloader_pin_memory": torch.cuda.is_available(),
            "report_to": "none",
        }

    def _refuse_other(self) -> JsonObject:
        """Return what is trained, unless the folder holds this training finished, or another that came to a checkpoint."""
        mark = file_mark(data_file(self.data, self.settings.method))["sha256"]
        told: JsonObject = {"settings": self.settings.model_dump(mode="json"), "model": self.model, "data_sha256": mark}
        key = content_key(told)
        try:
            before = orjson.loads((self.out / RECORD).read_bytes())
        except (OSError, orjson.JSONDecodeError):
            before = {}
        if before.get("key") == key:
            if before.get("finished"):
                raise UserError(
                    f"{path_text(self.out)}: this training is finished", "choose another folder to repeat it"
                )
        elif before.get("finished") or (before and get_last_checkpoint(str(self.out))):
            raise UserError(
                f"{path_text(self.out)}: holds another training (other settings, model or data)",
                "choose another folder",
            )
        return {"key": key, **told}


def load_tokenizer(model: str) -> Any:
    """Return the tokenizer of a model, one that can fill up batches.

    Raises:
        UserError: there is none.
    """
    if _is_path(model) and not Path(model).is_dir():
        raise UserError(
            f"{model}: expected the folder of a model, found none", "name its folder, or a model of the hub"
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise UserError(f"{model}: expected a model with its tokenizer, found none: {first}") from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if tokenizer.pad_token is None:
        raise UserError(f"{model}: its tokenizer has neither a padding nor an end token")
    return tokenizer


def _is_path(model: str) -> bool:
    """Tell whether a model is named by a folder: the hub has names of at most two parts, none with these beginnings."""
    path = Path(model)
    if model.startswith((".", "~")) or path.is_absolute() or len(path.parts) > 2:
        return True
    return len(path.parts) > 1 and path.parent.is_dir()


def training_template(tokenizer: Any) -> str | None:
    """Return TRL's own template for a family whose template renders a turn otherwise once more turns follow; else None."""
    if not tokenizer.chat_template:
        return None
    try:
        return get_training_chat_template(tokenizer)
    except ValueError:
        return None


def _write(path: Path, value: JsonObject) -> None:
    with write_atomically(path) as file:
        file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _sweep(out: Path) -> None:
    """Remove what a killed training of this process's rank left; others that hold the folder are refused before."""
    if _is_main():
        for left in out.glob(f"{_PREFIX}0-*"):
            rmtree(left, ignore_errors=True)


def _rank() -> int:
    return int(os.environ.get("RANK", "0"))


def _is_main() -> bool:
    return _rank() == 0


def _refuse_unlaunched() -> None:
    if torch.cuda.device_count() > 1 and "WORLD_SIZE" not in os.environ:
        raise UserError(
            f"{torch.cuda.device_count()} devices are visible to one process",
            "`accelerate launch -m agenther train ...` uses them all, CUDA_VISIBLE_DEVICES=0 one",
        )
