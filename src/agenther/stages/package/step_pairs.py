"""Pairs of single turns: where two runs of one goal part, the call that worked is better than the one that was refused.

That a run failed later says nothing about the first step in which it differs. So the reason is an error that the environment
returned for one turn and not for the other. And since a call can work and yet be no use, the better turn stands in a
run that is recorded as successful. Which errors count belongs to `call_errors`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from agenther.preferences import Pair, PairEvidence
from agenther.record import content_key
from agenther.stages.package.call_errors import has_worked, refusal_of, same_use
from agenther.stages.package.candidates import Candidate, asks_the_same, common_prefix, plain, spread
from agenther.stages.package.example import tools_json
from agenther.stages.recording import shared_steps
from agenther.trajectory import Span, Step, Trajectory

_MOST_QUOTED = 100


def step_pairs(candidates: Iterable[Candidate], most: int) -> Iterator[Pair]:
    """Pair turns of the runs of one task, each turn that was refused and each that worked at most once.

    Args:
        candidates: those among the runs of one task, equal runs once; how a run with the refused turn ended does not matter.
        most: most pairs that one task may give.
    """
    everyone = list(candidates)
    good = [one for one in everyone if one.role == "better"]
    yield from islice(_once(_pairs(good, everyone)), most)


def _pairs(good: list[Candidate], everyone: list[Candidate]) -> Iterator[Pair]:
    for better, worse in spread(good, everyone):
        if better is not worse and (pair := _pair(better, worse)) is not None:
            yield pair


def _once(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Leave out pairs with a turn that an earlier one has: runs of one task often begin alike."""
    seen: set[str] = set()
    for pair in pairs:
        sides = {"chosen": pair.chosen, "rejected": pair.rejected}
        turns = {content_key([name, len(pair.prompt), plain(turns[0])]) for name, turns in sides.items()}
        if not turns & seen:
            seen |= turns
            yield pair


def _pair(good: Candidate, other: Candidate) -> Pair | None:
    """Return the pair of the turns with which two runs part, or None where nothing but their fate tells them apart."""
    better, worse = good.run, other.run
    if not asks_the_same(better, worse):
        return None
    n = common_prefix(good.plain, other.plain)
    if n == 0 or good.plain[n] == other.plain[n]:
        return None
    one, two = _step_of(good, n), _step_of(other, n)
    if one.step_id in shared_steps(better) or two.step_id in shared_steps(worse):
        return None
    error = refusal_of(worse, two)
    if error is None or not has_worked(better, one) or not same_use(one, two):
        return None
    return Pair(
        id=content_key([good.key, other.key, "step"])[:16],
        prompt=tuple(good.messages[:n]),
        chosen=(good.messages[n],),
        rejected=(other.messages[n],),
        tools=tools_json(better),
        kind="step",
        why=f"at the same point one call was refused ({_quote(worse, error)}) and the other worked, in a run that is recorded as "
        f"successful ({better.label_source})",
        outcome_inferred=True,
        evidence=(PairEvidence(trajectory_id=worse.id, span=error), *_results(better, one)),
        chosen_trajectory=better.id,
        rejected_trajectory=worse.id,
        task_id=better.task_id,
        weight=1.0,
    )


def _step_of(candidate: Candidate, n: int) -> Step:
    step = candidate.messages[n]["step"]
    assert isinstance(step, int)
    return candidate.run.step(step)


def _quote(run: Trajectory, error: Span) -> str:
    said = " ".join(run.text_at(error).split())
    return said if len(said) <= _MOST_QUOTED else f"{said[:_MOST_QUOTED]}..."


def _results(run: Trajectory, step: Step) -> Iterator[PairEvidence]:
    for number, observation in enumerate(step.observations):
        if observation.content:
            span = Span(
                step=step.step_id, field=f"observations[{number}].content", start=0, end=len(observation.content)
            )
            yield PairEvidence(trajectory_id=run.id, span=span)
