"""Validate settings files with axolotl's own schema, and print what it makes of them, a JSON line a file."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml
from axolotl.utils.config import validate_config
from axolotl.utils.dict import DictDefault
from axolotl.utils.schemas.config import AxolotlInputConfig

model, *paths = sys.argv[1:]
for path in paths:
    given = yaml.safe_load(Path(path).read_text())
    made = validate_config(DictDefault({**given, "base_model": model, "bf16": False}))
    seen = {
        "learning_rate": float(made.learning_rate),
        "epochs": made.num_epochs,
        "schedule": str(getattr(made.lr_scheduler, "value", made.lr_scheduler)),
        "warmup": made.warmup_ratio,
        "device_batch": made.micro_batch_size,
        "accumulation": made.gradient_accumulation_steps,
        "lora_r": made.lora_r,
        "lora_alpha": made.lora_alpha,
        "lora_dropout": made.lora_dropout,
        "lora_targets": list(made.lora_target_modules),
        "beta": made.rl_beta,
        "adapter": str(getattr(made.adapter, "value", made.adapter)),
    }
    unknown = sorted(given.keys() - AxolotlInputConfig.model_fields.keys())
    print(json.dumps({"path": path, "unknown": unknown, **seen}))
