"""Encode rows where a framework is installed, and print a JSON line a side: its stretches of tokens, trained or not.

    python -m agenther.train.encoders CONSUMER OUT KIND SIDE TOKENIZER [TEMPLATE] [--limit N]

KIND and SIDE may be several, with commas between; a line `null` then stands between their rows. Needs nothing but the
framework, and this package on PYTHONPATH. What the framework itself prints goes to standard error.
"""

# pyright: basic
from __future__ import annotations

import argparse
import itertools
import json
import os
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
    parser = argparse.ArgumentParser()
    for name in ("consumer", "out", "kinds", "sides", "tokenizer"):
        parser.add_argument(name)
    parser.add_argument("template", nargs="?")
    parser.add_argument("--limit", type=int)
    told = parser.parse_args()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as lines:
        os.dup2(2, 1)
        encode = load_encoder(told.consumer).encode
        for number, (kind, side) in enumerate(zip(told.kinds.split(","), told.sides.split(","), strict=True)):
            lines.write("null\n" if number else "")
            part = Part(Path(told.out).resolve(), told.consumer, kind, side, told.tokenizer, told.template)
            tokenizer, sides = encode(part)
            for one in sides:
                if told.limit is not None and one.row >= told.limit:
                    break
                lines.write(json.dumps(line_of(one, tokenizer)) + "\n")
            lines.flush()


if __name__ == "__main__":
    main()
