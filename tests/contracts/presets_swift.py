"""Read settings files as ms-swift's command line does, and print what its own arguments make of them, a JSON line a file."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import sys

from swift.arguments import RLHFArguments, SftArguments
from swift.cli.main import parse_yaml_args
from swift.utils import parse_args

model, *paths = sys.argv[1:]
for path in paths:
    given = [path]
    parse_yaml_args(given)
    given += ["--model", model, "--model_type", "qwen2", "--template", "qwen2_5", "--torch_dtype", "float32"]
    args, unknown = parse_args(SftArguments if path.endswith("/sft.yaml") else RLHFArguments, given)
    seen = {
        "learning_rate": args.learning_rate,
        "epochs": args.num_train_epochs,
        "schedule": str(getattr(args.lr_scheduler_type, "value", args.lr_scheduler_type)),
        "warmup": args.warmup_ratio or args.warmup_steps,
        "device_batch": args.per_device_train_batch_size,
        "accumulation": args.gradient_accumulation_steps,
        "lora_r": args.lora_rank,
        "lora_alpha": args.lora_alpha,
        "lora_dropout": args.lora_dropout,
        "lora_targets": args.target_modules,
        "beta": getattr(args, "beta", None),
        "adapter": args.tuner_type,
    }
    print(json.dumps({"path": path, "unknown": unknown, **seen}))
