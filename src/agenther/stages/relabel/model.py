"""Proposing by a model: what it is asked, and what becomes of its answer.

It is asked for goals with a citation for every part. `open` turns each into a proposal, or into a refusal that the model
is told in the next round. What it says of a goal counts for nothing until checks and judges have seen it.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agenther.conclusions import Attempt, Claim, Proposal, Reason, Refusal, Stage
from agenther.config import Config
from agenther.errors import ParseError
from agenther.llm.base import AskedBy, Client, Request
from agenther.llm.models import Model
from agenther.llm.structured import ask
from agenther.record import Record
from agenther.stages.fence import Fenced, Fencer
from agenther.stages.prompts import load_prompt, messages_for
from agenther.stages.recording import shared_steps
from agenther.stages.relabel.open import GoalAnswer, bind, last_usable
from agenther.stages.showing import fit_run, room_for_run, too_long
from agenther.trajectory import GoalHolder, Trajectory

FIRST_TEMPERATURE, LATER_TEMPERATURE = 0.3, 0.7
"""Of the first round and of later ones (paper, section 3.3)."""
FINAL = frozenset(
    {
        Reason.GOAL_NOT_LOCATED,
        Reason.USER_TURNS_CONTRADICT,
        Reason.NEAR_DUPLICATE,
        Reason.TOO_LONG,
        Reason.NOTHING_ACHIEVED,
    }
)
"""Why nothing was proposed, where asking once more would change nothing."""
TOLD_AGAIN = 1_800
"""Most characters of earlier refusals, and most of claims, that a prompt holds: the rest of its room is the run's."""
_PROMPT = Path(__file__).with_name("propose.prompt.md")


class ProposeAnswer(Record):
    """What a proposing model answers."""

    canary: str
    goals: tuple[GoalAnswer, ...] = Field(description="empty when the run holds none")

    def texts(self) -> tuple[str, ...]:
        """Return all that the answer says beside the canary."""
        return tuple(text for goal in self.goals for text in goal.texts())


class ModelProposer:
    """Asks a model for goals: extraction and proposal in one call, or on claims that others found."""

    def __init__(self, client: Client, model: Model, fencer: Fencer, config: Config) -> None:
        self._client, self._model, self._fencer, self._config = client, model, fencer, config

    async def propose(
        self, trajectory: Trajectory, claims: tuple[Claim, ...], attempts: tuple[Attempt, ...]
    ) -> tuple[Proposal | Refusal, ...]:
        """Return the goals that the model names, and refusals of those whose citations are not found in the run."""
        last = attempts[-1] if attempts else None
        if last is not None and not last.goal and last.refusal is not None and last.refusal.reason in FINAL:
            return ()
        if (refusal := why_unusable(trajectory)) is not None:
            return (refusal,)
        room = room_for_run(self._config, self._model)
        shown = fit_run(trajectory, room)
        if shown is None:
            return (too_long(Stage.PROPOSE, room),)
        fenced = self._fencer.enclose("RUN", shown)
        request = self._request(trajectory, fenced, claims, attempts)
        try:
            answer = await ask(self._client, request, ProposeAnswer)
        except ParseError as error:
            return (_no_answer(str(error)),)
        if (why := fenced.why_steered(answer.canary, *answer.texts())) is not None:
            return (_no_answer(why),)
        return self._bound(trajectory, answer)

    def _bound(self, trajectory: Trajectory, answer: ProposeAnswer) -> tuple[Proposal | Refusal, ...]:
        if not answer.goals:
            detail = f"{self._model.name} names no goal that the run demonstrates"
            return (Refusal(stage=Stage.PROPOSE, reason=Reason.NOTHING_ACHIEVED, detail=detail),)
        bound: dict[object, Proposal | Refusal] = {}
        for goal in answer.goals[: self._config.goals_per_call]:
            one = bind(trajectory, goal, f"model:{self._model.name}")
            bound.setdefault((one.goal, one.last_step) if isinstance(one, Proposal) else len(bound), one)
        return tuple(bound.values())

    def _request(
        self, trajectory: Trajectory, fenced: Fenced, claims: tuple[Claim, ...], attempts: tuple[Attempt, ...]
    ) -> Request:
        instruction = load_prompt(_PROMPT).fill(
            most=str(self._config.goals_per_call),
            limits=_limits(trajectory),
            claims=self._told("CLAIMS", "Others found in it", [_claim_line(claim) for claim in claims]),
            earlier=self._told(
                "REFUSED",
                "Earlier proposals were refused. Mend what was wrong, or propose something else",
                [_attempt_line(attempt) for attempt in reversed(attempts)],
            ),
            canary=fenced.canary,
        )
        return Request(
            model=self._model.name,
            messages=messages_for(fenced, instruction),
            temperature=LATER_TEMPERATURE if attempts else FIRST_TEMPERATURE,
            max_tokens=self._config.answer_tokens,
            asked_by=AskedBy.PROPOSE,
        )

    def _told(self, title: str, opening: str, lines: list[str]) -> str:
        """Return lines that may hold words of the run, fenced like it; as many, from the first on, as there is room for."""
        room, kept = TOLD_AGAIN, list[str]()
        for line in dict.fromkeys(lines):
            room -= len(line)
            if room < 0:
                break
            kept.append(line)
        return f"\n{opening}:\n{self._fencer.enclose(title, _joined(kept)).text}\n" if kept else ""


def _joined(lines: list[str]) -> str:
    return "\n".join(lines)


def why_unusable(trajectory: Trajectory) -> Refusal | None:
    """Return why no goal could take the old one's place, whatever it is: asking would be money lost."""
    if trajectory.goal_holder is not GoalHolder.AGENT or not trajectory.goal_at:
        detail = "no place known where the goal stands"
        return Refusal(stage=Stage.PROPOSE, reason=Reason.GOAL_NOT_LOCATED, detail=detail)
    last = last_usable(trajectory)
    if last in shared_steps(trajectory):
        detail = f"an earlier branch has all steps up to {last}"
        return Refusal(stage=Stage.PROPOSE, reason=Reason.NEAR_DUPLICATE, detail=detail)
    if last is None:
        detail = "the user asks again before the agent has done anything"
        return Refusal(stage=Stage.PROPOSE, reason=Reason.USER_TURNS_CONTRADICT, detail=detail)
    return None


def _limits(trajectory: Trajectory) -> str:
    limits = ""
    last = last_usable(trajectory)
    if last != trajectory.agent_steps[-1].step_id:
        limits += (
            f"\nUse steps up to {last} only, for last_step and answer_step too: after it the user asks for more.\n"
        )
    if shared := shared_steps(trajectory):
        limits += f"\nlast_step or answer_step comes after step {max(shared)}: all before stands in another run too.\n"
    if trajectory.answer_by == "action":
        limits += "\nHere the output of the last action is the answer: answer_step and answer_text are null.\n"
    return limits


def _claim_line(claim: Claim) -> str:
    steps = sorted({span.step for span in claim.evidence})
    return f"- {' '.join(claim.text.split())[:300]} (steps {', '.join(map(str, steps[:6]))})"


def _attempt_line(attempt: Attempt) -> str:
    refusal = attempt.refusal
    why = "" if refusal is None else f"{refusal.reason}: {' '.join(refusal.detail.split())[:400]}"
    return f"- {attempt.goal[:300]!r}: {why}" if attempt.goal else f"- {why}"


def _no_answer(why: str) -> Refusal:
    return Refusal(stage=Stage.PROPOSE, reason=Reason.UNSCORED, detail=f"no usable answer of the proposer: {why}")
