"""What becomes of severity weights, in words, for the README beside the rows of a consumer."""

from __future__ import annotations

from agenther.writers.sidecars import Files, trained_kinds

W = "`w`, the severity weight of the failure (1 is mild, near 0 catastrophic),"


def weights_text(files: Files, name: str, consumer: str) -> str:
    """Return what becomes of w in files whose rows do not carry it; empty where all do.

    Args:
        files: the files of a consumer.
        name: of the trainer, as people write it.
        consumer: its name here.
    """
    kinds = [kind for kind in trained_kinds(files) if files["train", kind].weights == "drawn"]
    ignored = [f"`{kind}.jsonl`" for kind in trained_kinds(files) if files["train", kind].weights == "ignored"]
    if kinds:
        return _drawn([_share(files, kind) for kind in kinds], name, consumer)
    if ignored:
        return (
            f"{W} does nothing here, as was asked for (`--weights ignore`): {name} has no weight\n"
            f"  for single rows, and all rows are here, whatever they weigh: {', '.join(ignored)}."
        )
    return ""


def _share(files: Files, kind: str) -> str:
    size = next(size for (side, known), size in files.items() if side == "train" and known == kind)
    return f"`{kind}.jsonl` has {size.n_rows} of {size.n_rows + size.n_undrawn}"


def _drawn(shares: list[str], name: str, consumer: str) -> str:
    return (
        f"{W} acts by which rows are here: {name} has no weight\n"
        "  for single rows, so each stayed with the chance of its w over that of the heaviest of its kind, both in tenths, by a\n"
        f"  seeded draw ({', '.join(shares)}). Do not sample by w once more. Rows for testing are all there. The labels of rows\n"
        f"  that were not drawn are in `examples.jsonl`, and\n"
        f"  `agenther export OUT --for {consumer} --weights ignore` writes every row."
    )
