"""Load the rows with LLaMA-Factory's own arguments, loader and template, and print what trains, a JSON line a side of a row."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import os
import sys
from pathlib import Path

out, model, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
os.chdir(out / "train" / "llamafactory")

import yaml  # noqa: E402
from llamafactory.data import get_dataset, get_template_and_fix_tokenizer  # noqa: E402
from llamafactory.hparams import get_train_args  # noqa: E402
from llamafactory.model import load_tokenizer  # noqa: E402

settings = yaml.safe_load(Path(f"{kind}.yaml").read_text())
settings |= {"model_name_or_path": model, "output_dir": str(out / "lf"), "report_to": "none", "overwrite_cache": True}
model_args, data_args, training_args, _, _ = get_train_args(settings)
module = load_tokenizer(model_args)
tokenizer = module["tokenizer"]
template = get_template_and_fix_tokenizer(tokenizer, data_args)
stage = {"sft": "sft", "dpo": "rm", "kto": "kto"}[kind]
dataset = get_dataset(template, model_args, data_args, training_args, stage=stage, **module)["train_dataset"]
for row in dataset:
    for side in ("", "chosen_", "rejected_"):
        if f"{side}labels" in row:
            trained = [token for token in row[f"{side}labels"] if token != -100]
            line = {
                "side": side,
                "text": tokenizer.decode(row[f"{side}input_ids"]),
                "trained": tokenizer.decode(trained),
            }
            print(json.dumps({**line, "n_trained": len(trained), "scales": None}))
