"""Encode rows where a framework is installed, and print a JSON line a side: its stretches of tokens, trained or not.

    python -m agenther.train.encoders CONSUMER OUT KIND SIDE TOKENIZER [TEMPLATE]

Needs nothing but the framework, and this package on PYTHONPATH. What the framework itself prints goes to standard error.
"""

# pyright: basic
from __future__ import annotations

import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

from agenther.train.encoders.base import Encoded, Part, load_encoder


def line_of(one: Encoded, tokenizer: Any) -> dict[str, Any]:
    """Return a side as JSON: for each stretch whether it is trained, how many tokens it has, and its text."""
    stretches = []
    for trained, group in itertools.groupby(zip(one.ids, one.trained, strict=True), key=lambda pair: pair[1]):
        ids = [token for token, _ in group]
        stretches.append([trained, len(ids), tokenizer.decode(ids, clean_up_tokenization_spaces=False)])
    scales = None
    if one.scales is not None:
        scales = sorted({scale for scale, trained in zip(one.scales, one.trained, strict=True) if trained})
    return {"row": one.row, "side": one.side, "stretches": stretches, "scales": scales}


def main() -> None:
    """Encode the rows that the arguments name."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as lines:
        os.dup2(2, 1)
        consumer, out, kind, side, name, *template = sys.argv[1:]
        part = Part(Path(out).resolve(), consumer, kind, side, name, template[0] if template else None)
        tokenizer, sides = load_encoder(consumer).encode(part)
        for one in sides:
            lines.write(json.dumps(line_of(one, tokenizer)) + "\n")


if __name__ == "__main__":
    main()
