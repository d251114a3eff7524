"""What is asked about each pair: the verdict with replay, and what is left of it without one of its parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from agenther.conclusions import Claim, GoalPart, Proposal, Reason, Refusal
from agenther.environments.bfcl import make_bfcl
from agenther.errors import ReplayError
from agenther.replay import Change, Replay, ReplayedCall, Setting
from agenther.stages.detect.signs import answer_call
from agenther.stages.language.deeds import why_no_change
from agenther.stages.relabel.rewrite import rewrite
from agenther.stages.verify.grounding import hard_facts
from agenther.stages.verify.replay.asked.calls import Made
from agenther.stages.verify.replay.asked.reading import Found, Reading
from agenther.stages.verify.replay.asked.values import Known
from agenther.stages.verify.replay.perform import Performed, RecordedCall, replay_run
from agenther.stages.verify.rules import COMMON, checks_of
from agenther.trajectory import Span, Trajectory, find_text, whole_field
from validity_pairs import Pair

Verdict = Literal["accepted", "refused", "unscored"]


@dataclass(frozen=True)
class Outcome:
    """What a method says of a pair, and why."""

    verdict: Verdict
    why: str = ""


Method = Callable[[Pair], Outcome]


class Replayed:
    """Replays runs, each content once: pairs of one question and one run follow each other."""

    def __init__(self) -> None:
        self._last: tuple[str, Performed | str] | None = None

    def __call__(self, run: Trajectory) -> Performed | str:
        """Return the replay of a run, or why it cannot be replayed."""
        key = str([(c.function_name, c.arguments) for s in run.agent_steps for c in s.tool_calls] + [run.id])
        if self._last is None or self._last[0] != key:
            self._last = key, _replay(run)
        return self._last[1]


def recorded(run: Trajectory) -> list[RecordedCall]:
    """Return the calls of a run that `validity_calls.as_run` made: one a step."""
    return [
        RecordedCall(step.step_id, call.function_name, call.values, step.observations[0].content)
        for step in run.agent_steps
        for call in step.tool_calls
    ]


def _replay(run: Trajectory) -> Performed | str:
    try:
        return replay_run(make_bfcl, Setting.model_validate(run.labels["environment"]), recorded(run))
    except ReplayError as error:
        return str(error)


REPLAYED = Replayed()


def changes_of(run: Trajectory) -> tuple[Change, ...]:
    """Return what a run changed; nothing when it cannot be replayed."""
    performed = REPLAYED(run)
    return () if isinstance(performed, str) else performed.replay.changes


def turns_of(run: Trajectory) -> tuple[tuple[int, str], ...]:
    return tuple((step.step_id, step.message) for step in run.user_steps)


def read(run: Trajectory, performed: Performed, reading: type[Reading] = Reading) -> Outcome:
    """Read a question beside a replay."""
    found: Found | None = reading(run.goal, performed, run.tools, turns=turns_of(run)).refusal()
    if found is None:
        return Outcome("accepted")
    return Outcome("unscored" if found.reason is Reason.UNSCORED else "refused", found.why)


def by_replay(pair: Pair, reading: type[Reading] = Reading) -> Outcome:
    """Replay, compare observations, look at controls, read the question beside the diff."""
    performed = REPLAYED(pair.run)
    if isinstance(performed, str):
        return Outcome("unscored", performed)
    controls = {control.name: control.found for control in performed.replay.controls}
    drifted = [call.name for call in performed.replay.calls if call.changed and call.drift is not None]
    if drifted or controls.get("oracle") is False:
        return Outcome("refused", f"{drifted} came back otherwise, or the effects do not reach the end state")
    return read(pair.run, performed, reading)


def by_words(pair: Pair) -> Outcome:
    """Read the question beside the calls as recorded: what changed something is told by names, and no state is known."""
    run = pair.run
    made = [(step, number, call) for step in run.agent_steps for number, call in enumerate(step.tool_calls)]
    calls = tuple(
        ReplayedCall(
            step=step.step_id,
            name=call.function_name,
            arguments=call.values,
            changed=answer_call(step) is None and why_no_change(run, step, number) is None,
        )
        for step, number, call in made
    )
    replay = Replay(setting=Setting(kind="none"), calls=calls, oracle=(), changes=())
    shown = tuple(step.observations[number].content for step, number, _ in made)
    nothing = tuple(() for _ in calls)
    return read(run, Performed(replay, shown, {}, {}, nothing, {}))


class Ungrounded(Reading):
    """A reading that does not ask where values come from, nor whether the goal's values are in the calls."""

    def _why_unclear(self, call: Made) -> str | None:
        return None

    def _unused(self, part: int, known: Known) -> str | None:
        return None


def without_grounding(pair: Pair) -> Outcome:
    return by_replay(pair, Ungrounded)


def by_checks(pair: Pair) -> Outcome:
    """Put the question as a goal to the checks of rule mode, its hard facts bound to wherever the run holds them."""
    run = pair.run
    if not run.agent_steps:
        return Outcome("refused", "no step")
    last = run.agent_steps[-1]
    told = Claim(text="the run", kind="open.effect", evidence=(whole_field(last, "observations[0].content"),))
    parts = tuple(_bound(run, run.goal, at) for at in hard_facts(run.goal, whole_paths=True))
    whole = GoalPart(start=0, end=len(run.goal), kind="request", evidence=told.evidence)
    useful = tuple(step.step_id for step in run.agent_steps)
    proposal = Proposal(
        goal=run.goal, strategy="final", domain="open", claims=(told,), parts=parts or (whole,), last_step=last.step_id,
        useful_steps=useful, effect=True, goal_in_turns=True,
    )  # fmt: skip
    rewritten = rewrite(run.model_copy(update={"goal": "Do something else.", "goal_at": ()}), proposal)
    if isinstance(rewritten, Refusal):
        return Outcome("refused", rewritten.detail)
    scores = [score for check in (*COMMON, *checks_of(proposal.domain)) if (score := check(rewritten)) is not None]
    bad = next((score for score in scores if score.value == 0), None)
    return Outcome("accepted") if bad is None else Outcome("refused", f"{bad.by}: {bad.explanation}")


def _bound(run: Trajectory, goal: str, at: tuple[int, int]) -> GoalPart:
    bare = goal[at[0] : at[1]].strip("\"'“”.,")
    spans: list[Span] = []
    for step in run.agent_steps:
        for field, _ in step.fields():
            if (span := find_text(step, field, bare)) is not None:
                spans.append(span)
    return GoalPart(start=at[0], end=at[1], kind="value", evidence=tuple(spans[:3]))


def accept_all(pair: Pair) -> Outcome:
    """Take every run for a demonstration of the question it is paired with."""
    return Outcome("accepted")


METHODS: dict[str, Method] = {
    "replay": by_replay,
    "words without replay": by_words,
    "replay without grounding": without_grounding,
    "checks of rule mode, without replay": by_checks,
    "goal = original": accept_all,
}
"""The main method first."""


def first_request_of(pair: Pair) -> Pair:
    """Return the pair cut after the first request: the first achievement as the goal."""
    second = [step.step_id for step in pair.run.user_steps][1:2]
    steps = tuple(step for step in pair.run.steps if not second or step.step_id < second[0])
    run = pair.run.model_copy(update={"steps": steps, "goal": pair.run.user_steps[0].message})
    return replace(pair, turns=pair.turns[:1], run=run)
