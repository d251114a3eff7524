"""The second pass: from the store, in input order and bounded memory, to the files of the output folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import chain, product
from pathlib import Path
from typing import BinaryIO, cast

import orjson

from agenther.conclusions import Reason, Refusal, Stage
from agenther.config import Config
from agenther.jobs.files import remove, write_atomically
from agenther.jobs.lines import EXAMPLES, UNVERIFIED, FreshRun, Line, facts_beside
from agenther.jobs.manifest import Summary
from agenther.jobs.names import FirstNames
from agenther.jobs.store import Store, Stored
from agenther.jobs.training import SIDES, TrainingFiles
from agenther.llm.counters import counter_name
from agenther.record import Json, JsonObject
from agenther.stages.package.goal_pairs import may_be_paired
from agenther.stages.package.note import Label, Note
from agenther.stages.package.split import seeded_rank
from agenther.writers import DEFAULT, WRITERS, dataset_card

LineSource = Callable[[Iterable[FreshRun | str]], Generator[list[Line]]]
"""Makes the lines of runs and tasks, perhaps in other processes, in the order in which it is asked for them."""


def write_outputs(
    store: Store, out: Path, config: Config, make_lines: LineSource, consumers: tuple[str, ...] = DEFAULT
) -> Summary:
    """Write all files but the manifest, and count what went into them; rows for consumers of earlier jobs are removed."""
    summary, by = Summary(), counter_name(config.tokenizer)
    summary.tokens_by, summary.max_tokens = by, config.max_tokens
    if not config.unverified:
        remove(out / UNVERIFIED)
    with (
        ExitStack() as files,
        write_atomically(out / "dropped.jsonl") as dropped,
        write_atomically(out / "errors.jsonl") as errors,
        TrainingFiles(out, consumers, config.weights, config.max_tokens, by) as training,
        closing(
            make_lines(chain(_fresh_runs(store, config, summary, dropped, errors), store.tasks_with_pairs()))
        ) as made,
    ):
        names = (EXAMPLES, UNVERIFIED) if config.unverified else (EXAMPLES,)
        labels = {name: files.enter_context(write_atomically(out / name)) for name in names}
        for error in store.errors():
            summary.counts["unreadable"] += 1
            _write(errors, {n: getattr(error, n) for n in ("path", "line", "where", "expected", "found")})
        for line in chain.from_iterable(made):
            summary.pairs.update([line.pair] if line.pair else [])
            if line.file in labels:
                labels[line.file].write(line.text)
            else:
                training.add(line)
    training.write_sidecars()
    for writer in (writer for name, writer in WRITERS.items() if name not in consumers):
        for side, kind in product(SIDES, writer.kinds):
            rows = f"{side}/{writer.consumer}/{kind}.jsonl"
            remove(out / rows)
            remove(out / facts_beside(rows))
    summary.rows.update(training.rows)
    summary.sizes = training.sizes
    summary.undrawn = {
        name: Counter({f"{n / 10:.1f}": k for n, k in lost.items()}) for name, lost in training.undrawn.items()
    }
    _write_card(out, summary, config)
    return summary


def _fresh_runs(
    store: Store, config: Config, summary: Summary, dropped: BinaryIO, errors: BinaryIO
) -> Iterator[FreshRun]:
    """Count every run, write down those that were dropped or failed, and yield those with labels of their own."""
    with closing(FirstOfItsKind()) as labels, closing(Goals()) as goals, closing(PairedGoals(config)) as paired:
        for stored in store.runs():
            note = stored.note
            fresh = tuple(n for n, label in enumerate(note.labels) if labels.twin_of(label) is None)
            for number in fresh:
                label = note.labels[number]
                verified = not (config.unverified and label.origin == "hindsight")
                summary.add_example(label, is_new_goal=goals.add(label), verified=verified)
            drop = _merged(note.labels[0], labels) if note.labels and not fresh else note.drop
            if drop is not None:
                _write(dropped, drop_row(stored, drop))
            if note.error is not None:
                _write(errors, _error_row(stored, note.error))
            summary.add(stored.source.format, stored.success, note, len(fresh), drop)
            if fresh:
                yield FreshRun(stored.ordinal, fresh, tuple(n for n in fresh if paired.take(note, note.labels[n])))


class FirstOfItsKind(FirstNames):
    """Remembers the first label of each kind by its fingerprint and id."""

    def twin_of(self, label: Label) -> str | None:
        """Return the id of an earlier label that says and does the same, or None and remember this one."""
        return self.claim(label.fingerprint, label.id)


class Goals(FirstNames):
    """Remembers the goals of each domain."""

    def add(self, label: Label) -> bool:
        """Tell whether no earlier label of the domain has this goal."""
        return self.claim(label.goal, "") is None


class PairedGoals(FirstNames):
    """Remembers which goals of each task may stand in a pair: the first ones, each once."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._most = 0 if config.unverified else config.pairs_per_task

    def take(self, note: Note, label: Label) -> bool:
        """Tell whether a label may give a pair for its goal."""
        if label.origin != "hindsight" or not may_be_paired(label.domain):
            return False
        is_new = self.claim(seeded_rank(f"{label.goal}:{note.group}", 0) - 2**63, "") is None
        places = (seeded_rank(f"{number}:{note.group}", 1) - 2**63 for number in range(self._most))
        return is_new and any(self.claim(place, "") is None for place in places)


def _merged(label: Label, labels: FirstOfItsKind) -> Refusal:
    detail = f"example {label.id} has the same goal and last action as example {labels.twin_of(label)}"
    return Refusal(stage=Stage.PACKAGE, reason=Reason.NEAR_DUPLICATE, detail=detail)


def _write_card(out: Path, summary: Summary, config: Config) -> None:
    card = dataset_card(
        {
            "redacted": config.redact,
            "proposer": config.model if config.propose == "llm" else None,
            "judges": list(config.judges),
            "weights": config.weights,
            "undrawn": {name: lost.total() for name, lost in sorted(summary.undrawn.items())},
            "files": {"examples.jsonl": summary.counts["examples"], **dict(sorted(summary.rows.items()))},
            "runs": dict(sorted(summary.counts.items())),
            "sources": {name: tally["read"] for name, tally in sorted(summary.by_format.items())},
            "domains": {name: tally["labels"] for name, tally in sorted(summary.by_domain.items())},
            "drop_reasons": dict(sorted(summary.dropped.items())),
        }
    )
    with write_atomically(out / "README.md") as file:
        file.write(card.encode())


def drop_row(stored: Stored, drop: Refusal) -> JsonObject:
    """Return a dropped run as it stands in dropped.jsonl."""
    return {
        "trajectory_id": stored.id,
        "source": cast(Json, stored.source.model_dump(mode="json")),
        "stage": drop.stage.value,
        "reason": drop.reason.value,
        "detail": drop.detail,
        "evidence": cast(Json, [span.model_dump(mode="json") for span in drop.evidence]),
    }


def _error_row(stored: Stored, error: str) -> JsonObject:
    where = f"run {stored.id}"
    return {"path": stored.source.path, "line": None, "where": where, "expected": "a result", "found": error}


def _write(file: BinaryIO, row: JsonObject) -> None:
    file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
