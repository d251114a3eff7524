"""What stands beside the rows of a consumer: the settings that train them as they are meant, and the exact command.

A sidecar names files by their place in the output folder, so that the folder can be moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Literal, NamedTuple

from agenther.config import BY_ESTIMATE

Kind = Literal["sft", "sft_last", "dpo", "kto", "goal_contrast"]
"""What a file trains: imitation, imitation of the last turn of each row, preference between two, one run that is desirable
or not, one run under two goals.

`sft_last` is the file of a consumer that has no mask for single turns: it holds what other consumers mask in `sft`."""

Side = Literal["train", "test"]


class Tokens(NamedTuple):
    """How many tokens the longest row of a file has."""

    most: int = 0
    limit: int = 0
    """Most tokens that a row was allowed; 0: no limit."""
    by: str = BY_ESTIMATE
    """Who counts."""


class FileSize(NamedTuple):
    """How large a file of rows is."""

    n_rows: int
    longest: int
    """Bytes of its longest line."""
    weights: Literal["in_rows", "drawn", "ignored"] = "ignored"
    """What became of severity weights: rows carry them, rows were drawn by them (on the train side), or nothing."""
    n_undrawn: int = 0
    """Rows that were not drawn."""
    tokens: Tokens = Tokens()


Files = Mapping[tuple[Side, Kind], FileSize]
"""The files of one consumer that have rows."""


class LengthLimit(NamedTuple):
    """What a trainer is told as the most tokens of a row."""

    tokens: int
    why: str
    """Why no row has more, in words."""


def length_limit(files: Files, kind: Kind) -> LengthLimit:
    """Return a number of tokens that no row of a kind exceeds, so that nothing is cut or dropped.

    Bytes bound them whatever the tokenizer, for a token is at least one byte of text; a quarter and 1024 more leave room for
    what a chat template adds. Where tokens were counted or bounded, their number does, with room for what the counting
    cannot know: an eighth by the model's own tokenizer, a quarter by estimate.
    """
    sizes = [size for (_, known), size in files.items() if known == kind]
    in_bytes = _rounded(max(size.longest for size in sizes) * 5 // 4 + 1024, 1024)
    _, limit, by = sizes[0].tokens
    most = max(size.tokens.most for size in sizes)
    estimated = by == BY_ESTIMATE
    counted = _rounded(most + most // (4 if estimated else 8), 256)
    if (estimated and not limit) or counted >= in_bytes:
        return LengthLimit(in_bytes, "no row is longer, whatever the tokenizer")
    room = "a quarter" if estimated else "an eighth"
    return LengthLimit(counted, f"no row is longer: the longest has {most} tokens by {by}, and {room} is to spare")


def _rounded(n: int, to: int) -> int:
    return -(-n // to) * to


def trained_kinds(files: Files) -> list[Kind]:
    """Return the kinds that have rows to train on."""
    return [kind for side, kind in files if side == "train"]


def test_file(files: Files, consumer: str, kind: Kind) -> str | None:
    """Return the test file of a kind as it is called from the folder of the training file; None where it has no row."""
    return f"../../test/{consumer}/{kind}.jsonl" if ("test", kind) in files else None


def readme(title: str, files: Files, parts: list[str]) -> str:
    """Return a README of a title, a table of files and the parts that are not empty."""
    rows = [
        f"| `{side}` | `{kind}.jsonl` | {size.n_rows} | {size.longest} | {size.tokens.most} |"
        for (side, kind), size in files.items()
    ]
    by = {size.tokens.by for size in files.values()}
    head = f"| side | file | rows | bytes of the longest | tokens of the longest ({', '.join(sorted(by))}) |"
    table = "\n".join([head, "|---|---|---:|---:|---:|", *rows])
    return "\n\n".join([f"# {title}", table, *(part.strip() for part in parts if part)]) + "\n"


def guide(consumer: str, **filled: str) -> str:
    """Return what a consumer's guide says, its {places} filled."""
    return resources.files("agenther.writers").joinpath(f"{consumer}.md").read_text(encoding="utf-8").format(**filled)


def refusals_text(refuses: Mapping[Kind, str]) -> str:
    """Return in words which kinds a consumer has no place for, and what to take instead."""
    return "\n".join(f"- No `{kind}`: {why}" for kind, why in refuses.items())
