"""Load the rows with axolotl's own settings and strategies, and print what trains, a JSON line a side of a row."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import os
import sys
from pathlib import Path

out, model, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
os.chdir(out / "train" / "axolotl")

import yaml  # noqa: E402
from axolotl.utils.dict import DictDefault  # noqa: E402
from datasets import load_dataset  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

settings = yaml.safe_load(Path(f"{kind}.yaml").read_text())
tokenizer = AutoTokenizer.from_pretrained(model)
source = settings["datasets"][0]
rows = load_dataset(source["ds_type"], data_files=source["path"], split=source["split"])
config = DictDefault({**settings, "train_on_inputs": settings.get("train_on_inputs", False)})
if kind == "sft":
    from axolotl.prompt_strategies import load

    strategy = load(source["type"], tokenizer, config, DictDefault(source))
    for row in rows:
        encoded = strategy.tokenize_prompt(row)
        trained = [token for token in encoded["labels"] if token != -100]
        line = {"side": "", "text": tokenizer.decode(encoded["input_ids"]), "trained": tokenizer.decode(trained)}
        print(json.dumps({**line, "n_trained": len(trained), "scales": None}))
else:
    from axolotl.prompt_strategies.dpo import load

    transform = load(source["type"], config, dataset_idx=0)
    transform = transform[0] if isinstance(transform, tuple) else transform
    for row in rows:
        made = transform(row, tokenizer=tokenizer)
        for side in ("chosen", "rejected"):
            line = {"side": f"{side}_", "text": made["prompt"] + made[side], "trained": made[side]}
            print(json.dumps({**line, "n_trained": len(made[side].encode()), "scales": None}))
