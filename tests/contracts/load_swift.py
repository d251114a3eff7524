"""Load the rows with ms-swift's own arguments, loader and template, and print what trains, a JSON line a side of a row."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import os
import sys
from pathlib import Path

out, model, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
os.chdir(out / "train" / "swift")

import yaml  # noqa: E402
from swift.dataset import load_dataset  # noqa: E402
from swift.template import get_template  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

arguments = yaml.safe_load(Path(f"{kind}.yaml").read_text())
tokenizer = AutoTokenizer.from_pretrained(model)
from swift.model import get_processor  # noqa: E402

processor = get_processor(model, model_type="qwen2")
template = get_template(
    processor,
    template_type="qwen2_5",
    max_length=arguments["max_length"],
    loss_scale=arguments["loss_scale"],
    is_binary_loss_scale=arguments.get("is_binary_loss_scale"),
    truncation_strategy=arguments["truncation_strategy"],
)
template.set_mode({"sft": "train", "dpo": "rlhf", "kto": "kto"}[kind])
rows, _ = load_dataset(arguments["dataset"], strict=arguments["strict"], load_from_cache_file=False)
for row in rows:
    encoded = template.encode(dict(row))
    for side in ("", "chosen_", "rejected_"):
        if f"{side}labels" not in encoded or encoded[f"{side}labels"] is None:
            continue
        ids, labels = encoded[f"{side}input_ids"], encoded[f"{side}labels"]
        scales = encoded.get(f"{side}loss_scale")
        trained = [token for token in labels if token != -100]
        print(
            json.dumps(
                {
                    "side": side,
                    "text": processor.decode(ids),
                    "trained": processor.decode(trained),
                    "n_trained": len(trained),
                    "scales": sorted(set(scales)) if scales else None,
                }
            )
        )
