"""What a job did: counts of every stage, and the manifest that says from what and by which code."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import orjson

from agenther.conclusions import Refusal
from agenther.config import BY_ESTIMATE, Config
from agenther.jobs.files import write_atomically
from agenther.jobs.sizes import Sizes
from agenther.readers.files import open_regular
from agenther.record import Json, JsonObject
from agenther.stages.package.note import Label, Note
from agenther.texts import path_text
from agenther.versions import versions

COUNTED = (
    *("read", "failed", "succeeded", "unlabelled", "unreadable"),
    *("accepted", "kept", "dropped", "errors", "examples", "merged_examples"),
)
"""What every summary counts, also where there is none."""

MOST_NAMED = 20
"""Environments that are named one by one; others are counted together."""


@dataclass
class Summary:
    """Counts of a job.

    An `accepted` run has at least one label. A `kept` run has one that no earlier run gave already; accepted runs that
    are not kept are `dropped` as near-duplicates. `dropped` counts runs by `stage.reason`. `unmatched_labels` are the ids
    of a labels file that no run has, `unmatched_paths` those of a map that found nothing in any run.
    """

    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(COUNTED, 0)))
    dropped: Counter[str] = field(default_factory=Counter[str])
    failure_types: Counter[str] = field(default_factory=Counter[str])
    weights: Counter[str] = field(default_factory=Counter[str])
    by_format: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    by_domain: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    rows: Counter[str] = field(default_factory=Counter[str])
    replays: Counter[str] = field(default_factory=Counter[str])
    """Proposals that were replayed, by how that came out; empty where no run has an environment."""
    unreplayed: Counter[str] = field(default_factory=Counter[str])
    """Labels that were not replayed though their run names an environment, by its name and what is amiss."""
    pairs: Counter[str] = field(default_factory=Counter[str])
    """Pairs that were made, by kind, whatever consumers set aside or drew of them."""
    undrawn: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    """Of files whose rows were drawn by weight: how many were not, by weight."""
    sizes: dict[str, Sizes] = field(default_factory=dict[str, Sizes])
    """Of the files that trainers load: how much stands in them, and what did not fit."""
    tokens_by: str = BY_ESTIMATE
    """Who counts tokens."""
    max_tokens: int = 0
    """Most tokens of a row; 0: no limit."""
    ledger: JsonObject = field(default_factory=dict[str, Json])
    """What models were asked and what it cost, over all jobs of the folder; empty where none is asked."""
    batch: bool = False
    """Whether requests were noted for a batch instead of being sent."""
    unmatched_labels: list[str] = field(default_factory=list[str])
    unmatched_paths: list[str] = field(default_factory=list[str])

    def add(self, format: str, success: bool | None, note: Note, n_fresh: int, drop: Refusal | None) -> None:
        """Count one run.

        Args:
            format: name of the format in which it was found.
            success: its label.
            note: what was concluded about it.
            n_fresh: number of its examples that are written, near-duplicates of earlier ones left out.
            drop: why it has none; None when it has some, or failed.
        """
        own = self.by_format.setdefault(format, Counter())
        label = {True: "succeeded", False: "failed", None: "unlabelled"}[success]
        fate = "dropped" if drop is not None else "errors" if note.error is not None else "kept"
        accepted = {one.domain for one in note.labels if one.origin == "hindsight"}
        for tally in (self.counts, own):
            tally["read"] += 1
            tally[label] += 1
            tally[fate] += 1
            tally["accepted"] += bool(accepted)
        if drop is not None:
            self.dropped[f"{drop.stage}.{drop.reason}"] += 1
        self.replays.update(note.replays)
        for name in note.unreplayed:
            known = name in self.unreplayed or len(self.unreplayed) < MOST_NAMED
            self.unreplayed[name if known else "others"] += 1
        if note.failure_type is not None:
            self.failure_types[note.failure_type.value] += 1
        for name in accepted:
            self.by_domain.setdefault(name, Counter())["accepted"] += 1
        self.counts["merged_examples"] += len(note.labels) - n_fresh

    def add_example(self, label: Label, *, is_new_goal: bool, verified: bool) -> None:
        """Count one example that is written, among the `unverified` where only its proposer vouches for it."""
        domain = self.by_domain.setdefault(label.domain or label.origin, Counter())
        self.counts["examples" if verified else "unverified"] += 1
        domain["labels"] += 1
        domain["goals"] += is_new_goal
        if label.origin == "hindsight":
            self.weights[f"{int(label.weight * 10) / 10:.1f}"] += 1

    def to_json(self) -> JsonObject:
        """Return the counts as JSON, keys in a stable order."""
        ledger: JsonObject = {"ledger": self.ledger} if self.ledger else {}
        return {
            "counts": _sorted(self.counts),
            "dropped": _sorted(self.dropped),
            "failure_types": _sorted(self.failure_types),
            "weights": _sorted(self.weights),
            "by_format": {name: _sorted(tally) for name, tally in sorted(self.by_format.items())},
            "by_domain": {name: _sorted(tally) for name, tally in sorted(self.by_domain.items())},
            "rows": _sorted(self.rows),
            "pairs": _sorted(self.pairs),
            "undrawn": {name: _sorted(tally) for name, tally in sorted(self.undrawn.items())},
            "lengths": {
                "tokens_by": self.tokens_by,
                "max_tokens": self.max_tokens,
                "files": {name: sizes.to_json() for name, sizes in sorted(self.sizes.items()) if sizes},
            },
            **({"replays": _sorted(self.replays)} if self.replays else {}),
            **({"unreplayed": _sorted(self.unreplayed)} if self.unreplayed else {}),
            **ledger,
        }


def _sorted(tally: Counter[str]) -> JsonObject:
    return cast(JsonObject, dict(sorted(tally.items())))


def write_manifest(
    out: Path, config: Config, results_key: str, inputs: Sequence[JsonObject], summary: Summary, timings: JsonObject
) -> None:
    """Write manifest.json. All but `timings` is the same for the same inputs, settings and code."""
    manifest: JsonObject = {
        "versions": versions(),
        "config": cast(Json, config.model_dump(mode="json")),
        "results_key": results_key,
        "inputs": list(inputs),
        **summary.to_json(),
        "timings": timings,
    }
    with write_atomically(out / "manifest.json") as file:
        file.write(orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def file_mark(path: Path) -> JsonObject:
    """Return name, size and hash of a file; one that cannot be read has neither."""
    try:
        with open_regular(path) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError:
        return {"path": path_text(path), "sha256": None, "bytes": None}
    return {"path": path_text(path), "sha256": digest, "bytes": size}
