"""The second pass: from the store, in input order and bounded memory, to the files of the output folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import orjson

from agenther.conclusions import Example, Reason, Refusal, Stage
from agenther.config import Config
from agenther.jobs.files import write_atomically
from agenther.jobs.manifest import Summary
from agenther.jobs.names import FirstNames
from agenther.jobs.store import Store, Stored
from agenther.jobs.training import TrainingFiles
from agenther.record import Json, JsonObject, content_key
from agenther.stages.package.duplicates import fingerprint
from agenther.stages.package.preferences import desirable, same_goal_pairs, undesirable
from agenther.stages.package.split import Side, group_of, side_of
from agenther.writers import dataset_card

MOST_RUNS = 200
"""Runs of one task that are looked at for pairs: what keeps memory bounded however often a task was run."""


def write_outputs(store: Store, out: Path, config: Config) -> Summary:
    """Write all files but the manifest, and count what went into them."""
    summary = Summary()
    with (
        write_atomically(out / "examples.jsonl") as examples,
        write_atomically(out / "dropped.jsonl") as dropped,
        write_atomically(out / "errors.jsonl") as errors,
        TrainingFiles(out, config) as training,
        closing(FirstOfItsKind()) as labels,
        closing(Goals()) as goals,
    ):
        for error in store.errors():
            summary.counts["unreadable"] += 1
            _write(errors, {n: getattr(error, n) for n in ("path", "line", "where", "expected", "found")})
        for stored in store.runs():
            fresh = [example for example in stored.result.examples if labels.twin_of(example) is None]
            for example in fresh:
                _write(examples, example_row(example, _side(stored, config)))
                summary.add_example(example, is_new_goal=goals.add(example))
            if fresh:
                _add_rows(training, fresh, stored, _side(stored, config))
            drop = stored.result.drop
            if stored.result.examples and not fresh:
                drop = _merged(stored.result.examples[0], labels)
            if drop is not None:
                _write(dropped, drop_row(stored, drop))
            if stored.result.error is not None:
                _write(errors, _error_row(stored, stored.result.error))
            summary.add(stored.source.format, stored.success, stored.result, fresh, drop)
        for task_id in store.contrasting_tasks():
            _add_pairs(training, store.runs_of_task(task_id), config)
    summary.rows.update(training.rows)
    _write_card(out, summary, config)
    return summary


class FirstOfItsKind(FirstNames):
    """Remembers the first label of each kind by its fingerprint and id."""

    def twin_of(self, example: Example) -> str | None:
        """Return the id of an earlier label that says and does the same, or None and remember this one."""
        return self.claim(fingerprint(example), example.id)


class Goals(FirstNames):
    """Remembers the goals of each domain."""

    def add(self, example: Example) -> bool:
        """Tell whether no earlier label of the domain has this goal."""
        return self.claim(int(content_key([example.domain, example.hindsight_goal])[:15], 16), "") is None


def _merged(example: Example, labels: FirstOfItsKind) -> Refusal:
    detail = f"example {example.id} has the same goal and last action as example {labels.twin_of(example)}"
    return Refusal(stage=Stage.PACKAGE, reason=Reason.NEAR_DUPLICATE, detail=detail)


def _side(stored: Stored, config: Config) -> Side:
    run = stored.trajectory
    return side_of(group_of(run.task_id, run.goal), config.seed, config.test_share)


def _add_rows(training: TrainingFiles, fresh: list[Example], stored: Stored, side: Side) -> None:
    for example in fresh:
        training.add_example(example, side)
        if (good := desirable(example)) is not None:
            training.add_unpaired(good, side)
    hindsight = next((example for example in fresh if example.origin == "hindsight"), None)
    if hindsight is not None and (bad := undesirable(stored.trajectory, hindsight.detection)) is not None:
        training.add_unpaired(bad, side)


def _add_pairs(training: TrainingFiles, runs: Iterator[Stored], config: Config) -> None:
    judged = [(s.trajectory, s.result.detection) for s in islice(runs, MOST_RUNS) if s.result.detection is not None]
    for pair in same_goal_pairs(judged, config.pairs_per_task):
        side = side_of(group_of(pair.task_id, judged[0][0].goal), config.seed, config.test_share)
        training.add_pair(pair, side)


def _write_card(out: Path, summary: Summary, config: Config) -> None:
    card = dataset_card(
        {
            "redacted": config.redact,
            "files": {"examples.jsonl": summary.counts["examples"], **dict(sorted(summary.rows.items()))},
            "runs": dict(sorted(summary.counts.items())),
            "sources": {name: tally["read"] for name, tally in sorted(summary.by_format.items())},
            "domains": {name: tally["labels"] for name, tally in sorted(summary.by_domain.items())},
            "drop_reasons": dict(sorted(summary.dropped.items())),
        }
    )
    with write_atomically(out / "README.md") as file:
        file.write(card.encode())


def example_row(example: Example, side: Side) -> JsonObject:
    """Return an example as it stands in examples.jsonl, with its side of the split."""
    row = cast(JsonObject, example.model_dump(mode="json"))
    row["split"] = side
    row["claims"] = [claim.model_dump(mode="json", exclude={"data"}) for claim in example.claims]
    row["verdict"] = example.verdict.model_dump(mode="json", exclude={"scores": {"__all__": {"reason"}}})
    return row


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
