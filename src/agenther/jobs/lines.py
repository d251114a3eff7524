"""Finished lines of the output files: what can be made of one run, or of the runs of one task, without looking at others.

Which runs those are is decided by the pass over all runs; here is what any process can do for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import NamedTuple, cast

import orjson

from agenther.conclusions import Example, Score
from agenther.config import BY_ESTIMATE, Config
from agenther.errors import WriteError
from agenther.jobs.sizes import Size
from agenther.jobs.store import Stored
from agenther.jobs.written import Written
from agenther.llm.counters import load_counter
from agenther.preferences import Pair
from agenther.record import Json, JsonObject
from agenther.stages.package.candidates import Candidate
from agenther.stages.package.contrast import goal_contrast
from agenther.stages.package.draw import Draw, draw_of
from agenther.stages.package.goal_pairs import hindsight_pair
from agenther.stages.package.preferences import desirable, same_goal_pairs, undesirable
from agenther.stages.package.split import Side, seeded_rank, side_of
from agenther.stages.package.step_pairs import step_pairs
from agenther.stages.package.windows import Unfit, split
from agenther.writers import DEFAULT, WRITERS, Kind, Trainable, checked_rows, kind_of, row_line
from agenther.writers.dialects import metadata
from agenther.writers.lengths import Measure, has_place, with_facts

MOST_RUNS = 200
"""Runs of one task that are looked at for pairs: what keeps memory bounded however often a task was run."""
EXAMPLES, UNVERIFIED, SET_ASIDE = "examples.jsonl", "unverified.jsonl", "set_aside.jsonl"


class NoRoom(NamedTuple):
    """What is in no row of a file for its length."""

    file: str
    why: str
    """`too_long`: rows; with `steps_` before it: steps of examples that were split."""
    n: int


class Line(NamedTuple):
    """A finished line."""

    file: str
    text: bytes
    turn: Turn | None = None
    """Its turn in a shuffled file; None where lines come in the order of the input."""
    draw: Draw | None = None
    """What decides whether a row stays where it carries no weight; None where all do."""
    size: Size = Size()
    unfit: NoRoom | None = None
    """What the line says did not fit; None where it says nothing of that."""
    pair: str = ""
    """The kind of the pair whose first line this is; empty for all others."""


class Turn(NamedTuple):
    """When a line of a shuffled file is written."""

    side: Side
    label: bool
    """Whether the continuation is desirable."""
    rank: int
    """Of the run among all runs, by the seed."""


@dataclass(frozen=True)
class FreshRun:
    """A run with labels that no earlier run gave."""

    ordinal: int
    numbers: tuple[int, ...]
    """Of the examples of its Result that no earlier run gave."""
    paired: tuple[int, ...] = ()
    """Of those that may stand in a pair for their hindsight goal."""


@dataclass(frozen=True)
class LineMaker:
    """Makes the lines of runs and tasks."""

    written: Written
    config: Config
    consumers: tuple[str, ...] = DEFAULT

    @cached_property
    def _measure(self) -> Measure:
        return Measure(load_counter(self.config.tokenizer))

    def __call__(self, item: FreshRun | str) -> list[Line]:
        """Return the lines of a run, or of the pairs that the runs of a task make."""
        self._measure.forget()
        return list(self._of_task(item) if isinstance(item, str) else self._of_run(item))

    def _of_run(self, fresh: FreshRun) -> Iterator[Line]:
        stored = self.written.store.run(fresh.ordinal)
        side = self._side(stored.note.group)
        examples = [stored.result.examples[number] for number in fresh.numbers]
        for example in examples:
            row = orjson.dumps(example_row(example, side), option=orjson.OPT_APPEND_NEWLINE)
            if self.config.unverified and example.origin == "hindsight":
                yield Line(UNVERIFIED, row)
                continue
            yield Line(EXAMPLES, row)
            yield from self._imitations(example, side)
            if example.origin == "hindsight":
                yield from self._under_both_goals(stored, example, side)
            if (good := desirable(example)) is not None:
                yield from self._lines("kto", good, good.trajectory_id, side, self._turn(stored, side, label=True))
        for number in fresh.paired:
            yield from self._for_hindsight_goal(stored, stored.result.examples[number])
        hindsight = next((one for one in examples if one.origin == "hindsight" and not self.config.unverified), None)
        if hindsight is not None and (bad := undesirable(stored.trajectory, hindsight.detection)) is not None:
            yield from self._lines("kto", bad, bad.trajectory_id, side, self._turn(stored, side, label=False))

    def _for_hindsight_goal(self, stored: Stored, example: Example) -> Iterator[Line]:
        if example.task_id is not None:
            runs = islice(self.written.store.runs_of_task(example.task_id), MOST_RUNS)
            others = (one for run in runs if run.ordinal != stored.ordinal and (one := _candidate(run)) is not None)
            if (pair := hindsight_pair(example, stored.trajectory, others)) is not None:
                yield from self._of_pair(pair, self._side(stored.note.group))

    def _under_both_goals(self, stored: Stored, example: Example, side: Side) -> Iterator[Line]:
        if not any("goal_contrast" in WRITERS[name].kinds for name in self.consumers):
            return
        made = goal_contrast(example, stored.trajectory)
        if not isinstance(made, str):
            lines = self._lines("goal_contrast", made, made.trajectory_id, side)
            yield from _counted(lines, "goal_contrast")

    def _of_task(self, task_id: str) -> Iterator[Line]:
        runs = {run.id: run for run in islice(self.written.store.runs_of_task(task_id), MOST_RUNS)}
        candidates = {one.key: one for run in runs.values() if (one := _candidate(run)) is not None}
        for make in (same_goal_pairs, step_pairs):
            for pair in make(candidates.values(), self.config.pairs_per_task):
                yield from self._of_pair(pair, self._side(runs[pair.chosen_trajectory].note.group))

    def _of_pair(self, pair: Pair, side: Side) -> Iterator[Line]:
        yield from _counted(self._lines("dpo", pair, pair.chosen_trajectory, side), pair.kind)

    def _imitations(self, example: Example, side: Side) -> Iterator[Line]:
        """Yield the lines of an example, in windows where it is too long, and of the steps that are in none."""
        if not self.config.max_tokens:
            yield from self._lines("sft", example, example.trajectory_id, side)
            return
        parts = split(example, self._measure, self.config.max_tokens)
        for part in parts.windows:
            yield from self._lines("sft", part.example, example.trajectory_id, side, facts=part.facts)
        for why, steps in parts.left_out.items():
            for name in (name for name in self.consumers if "sft" in WRITERS[name].kinds):
                file = f"{side}/{name}/sft.jsonl"
                text = f"steps {list(steps)}: {_NO_ROOM[why].format(most=self.config.max_tokens, by=self._measure.by)}"
                yield _set_aside(
                    file, example.id, example.trajectory_id, text, NoRoom(file, f"steps_{why}", len(steps))
                )

    def _lines(
        self,
        kind: Kind,
        record: Trainable,
        run_id: str,
        side: Side,
        turn: Turn | None = None,
        facts: Mapping[str, Json] | None = None,
    ) -> Iterator[Line]:
        acts = side == "train" and self.config.weights == "act"
        draw = draw_of(kind, record, self.config.seed) if acts else None
        limit = Limit(self._measure, self.config.max_tokens)
        return training_lines(kind, record, run_id, side, turn, self.consumers, draw, limit, facts)

    def _side(self, group: str) -> Side:
        return side_of(group, self.config.seed, self.config.test_share)

    def _turn(self, stored: Stored, side: Side, *, label: bool) -> Turn:
        return Turn(side, label, seeded_rank(stored.id, self.config.seed))


def _counted(lines: Iterator[Line], pair: str) -> Iterator[Line]:
    """Name the kind of a pair at the first of its lines."""
    yield from (line._replace(pair="" if number else pair) for number, line in enumerate(lines))


def _candidate(run: Stored) -> Candidate | None:
    note = run.note
    return None if note.role is None else Candidate(note.run_key, note.role, note.weight, lambda: run.trajectory)


def size_of_lines(lines: list[Line]) -> int:
    """Return how many bytes the lines of a run or task have."""
    return sum(len(line.text) for line in lines)


class Limit(NamedTuple):
    """How long rows may be."""

    measure: Measure
    most: int = 0
    """Tokens; 0: no limit."""


_NO_ROOM: dict[Unfit, str] = {
    "too_long": "expected windows of at most {most} tokens ({by}), found steps that do not fit with the goal",
    "unseen": "expected steps that use what their window shows, found some that use what only left-out steps say",
    "user_turn": "expected windows that leave out no turn of the user, found steps after one that has no room",
}


def training_lines(
    kind: Kind,
    record: Trainable,
    run_id: str,
    side: Side,
    turn: Turn | None = None,
    consumers: tuple[str, ...] = DEFAULT,
    draw: Draw | None = None,
    limit: Limit | None = None,
    facts: Mapping[str, Json] | None = None,
) -> Iterator[Line]:
    """Yield a record's line for each consumer that loads its kind, or a line that says why it is set aside.

    Args:
        kind: the file it belongs to.
        record: an example, a pair or an unpaired continuation.
        run_id: trajectory id of the run it came from.
        side: of the split.
        turn: of the lines, where the file is shuffled.
        consumers: whom the lines are for.
        draw: decides whether its rows stay; None where they do.
        limit: counts the tokens of rows, and how many they may have; None: by estimate, any number.
        facts: what else its rows say of themselves.
    """
    measure, most = limit or Limit(Measure(load_counter(BY_ESTIMATE)))
    for writer in map(WRITERS.__getitem__, consumers):
        if kind not in writer.kinds:
            continue
        name = f"{side}/{writer.consumer}/{kind}.jsonl"
        for row in checked_rows(writer, record):
            if isinstance(row, WriteError):
                yield _set_aside(name, record.id, run_id, row.message)._replace(turn=turn, draw=draw)
                continue
            file = f"{side}/{writer.consumer}/{kind_of(writer, row, kind)}.jsonl"
            n_tokens = measure.row(row)
            if 0 < most < n_tokens:
                why = f"expected at most {most} tokens, found {n_tokens} ({measure.by})"
                yield _set_aside(file, record.id, run_id, why, NoRoom(file, "too_long", 1))._replace(
                    turn=turn, draw=draw
                )
                continue
            known: JsonObject = {"n_tokens": n_tokens, "tokens_by": measure.by, **(facts or {})}
            size = Size(n_tokens, "window" in known)
            yield Line(file, row_line(with_facts(row, known)), turn, draw, size)
            if not has_place(writer, kind):
                beside = f"{metadata(record, **known)}\n".encode()
                yield Line(facts_beside(file), beside, turn, draw, size)


def facts_beside(file: str) -> str:
    """Return the file that says what is known of each row of a file whose rows have no place for it."""
    return f"{file.removesuffix('.jsonl')}.metadata.jsonl"


def _set_aside(file: str, id: str, run_id: str, why: str, unfit: NoRoom | None = None) -> Line:
    """Return the line that says what is in no row of a file, and why."""
    row = {"file": file, "id": id, "trajectory_id": run_id, "why": why}
    return Line(SET_ASIDE, orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE), unfit=unfit)


def example_row(example: Example, side: Side) -> JsonObject:
    """Return an example as it stands in examples.jsonl, with its side of the split."""
    row = cast(JsonObject, example.model_dump(mode="json", exclude={"answers"}))
    row["split"] = side
    row["claims"] = [claim.model_dump(mode="json", exclude={"data"}) for claim in example.claims]
    row["verdict"] = {
        **example.verdict.model_dump(mode="json", exclude={"scores"}),
        "scores": [_score_row(score) for score in example.verdict.scores],
    }
    return row


def _score_row(score: Score) -> JsonObject:
    """Return a vote for an accepted example: it has no reason against, and perhaps no replay."""
    unsaid = {"reason"} if score.replay is not None else {"reason", "replay"}
    return score.model_dump(mode="json", exclude=unsaid)
