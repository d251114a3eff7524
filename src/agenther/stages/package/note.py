"""What the pass over all runs needs to know of each: written beside its Result, so that few Results are read again."""

from __future__ import annotations

from collections.abc import Iterator

from agenther.conclusions import Example, FailureType, Refusal, Result
from agenther.record import Record, content_key
from agenther.stages.package.candidates import PairRole, pair_role
from agenther.stages.package.duplicates import fingerprint
from agenther.stages.package.split import group_of
from agenther.stages.verify.replay.check import NOT_AT_HAND, NOT_REPLAYED
from agenther.trajectory import Trajectory


class Label(Record):
    """An example in short: what tells it from others, and what is counted of it."""

    id: str
    origin: str
    domain: str
    weight: float
    fingerprint: int
    """What near-duplicates share."""
    goal: int
    """What examples of one domain with the same goal share."""


class Note(Record):
    """A Result in short."""

    run_key: str = ""
    """Key of the run as stored; empty when the run can stand in no pair."""
    role: PairRole | None = None
    weight: float = 1.0
    """Severity weight w."""
    group: str = ""
    """What runs on one side of the split share; empty when nothing is written of the run."""
    failure_type: FailureType | None = None
    labels: tuple[Label, ...] = ()
    """Of the examples, in their order."""
    replays: tuple[str, ...] = ()
    """How the replays of its proposals came out: `shown`, `abstained`, `vetoed.REASON`, `not_replayable`."""
    unreplayed: tuple[str, ...] = ()
    """Of labels that were not replayed though the run names an environment: which, and why."""
    drop: Refusal | None = None
    error: str | None = None


def note_of(run: Trajectory, result: Result) -> Note:
    """Return a Result in short.

    Args:
        run: the run as it is stored.
        result: what was concluded about it.
    """
    role = None if result.detection is None else pair_role(run, result.detection)
    return Note(
        run_key="" if role is None else run.key,
        role=role,
        weight=1.0 if result.detection is None else result.detection.weight,
        group="" if role is None and not result.examples else group_of(run.task_id, run.goal),
        failure_type=None if result.detection is None else result.detection.failure_type,
        labels=tuple(_label(example) for example in result.examples),
        replays=tuple(_replays(result)),
        unreplayed=tuple(
            score.explanation.removeprefix(f"{NOT_REPLAYED} ")
            for example in result.examples
            for score in example.verdict.scores
            if score.by == NOT_AT_HAND
        ),
        drop=result.drop,
        error=result.error,
    )


def _replays(result: Result) -> Iterator[str]:
    """Yield how each replay of a proposal came out."""
    verdicts = (attempt.verdict for attempt in result.attempts if attempt.verdict is not None)
    for score in (score for verdict in verdicts for score in verdict.scores):
        if not score.by.startswith("check:replay") or score.by == NOT_AT_HAND:
            continue
        if score.value is None:
            yield "not_replayable"
        elif score.reason is not None:
            yield f"vetoed.{score.reason}"
        else:
            yield "shown" if score.replay is not None and score.replay.changes else "abstained"


def _label(example: Example) -> Label:
    return Label(
        id=example.id,
        origin=example.origin,
        domain=example.domain,
        weight=example.weight,
        fingerprint=fingerprint(example),
        goal=int(content_key([example.domain, example.hindsight_goal])[:15], 16),
    )
