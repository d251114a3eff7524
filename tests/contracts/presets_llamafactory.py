"""Read settings files with LLaMA-Factory's own parser, and print what it makes of them, a JSON line a file."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml
from llamafactory.hparams import get_train_args

model, *paths = sys.argv[1:]
for path in paths:
    given = yaml.safe_load(Path(path).read_text())
    given |= {"model_name_or_path": model, "report_to": "none", "bf16": False}
    _, _, training, finetuning, _ = get_train_args(given)
    seen = {
        "learning_rate": training.learning_rate,
        "epochs": training.num_train_epochs,
        "schedule": training.lr_scheduler_type.value,
        "warmup": training.warmup_ratio or training.warmup_steps,
        "device_batch": training.per_device_train_batch_size,
        "accumulation": training.gradient_accumulation_steps,
        "lora_r": finetuning.lora_rank,
        "lora_alpha": finetuning.lora_alpha,
        "lora_dropout": finetuning.lora_dropout,
        "lora_targets": finetuning.lora_target,
        "beta": finetuning.pref_beta,
        "adapter": finetuning.finetuning_type,
    }
    print(json.dumps({"path": path, "unknown": [], **seen}))
