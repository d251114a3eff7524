"""A model as judge: it sees what would be trained on and the goal, and nothing of the old goal, the rationale or other judges."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field

from agenther.conclusions import Reason, Rewritten, Score, Stage
from agenther.config import Config
from agenther.errors import StageError
from agenther.llm.base import AskedBy, Client, Request
from agenther.llm.models import Model
from agenther.llm.structured import ask
from agenther.llm.tokens import estimate_tokens
from agenther.record import Record
from agenther.stages.fence import Fenced, Fencer, escape
from agenther.stages.prompts import load_prompt, messages_for
from agenther.stages.showing import fit_rewritten, room_for_run, too_long

MOST_GOAL_TOKENS = 1_000
"""Estimated tokens of a goal beyond which no judge is asked: a request of a user is shorter."""
_PROMPT = Path(__file__).with_name("judge.prompt.md")
_OWED = {
    "effect": "The request asks for a change: an observation shows that it took place.",
    "answer": "The request asks for an answer: the agent's last message gives it, whole and as the observations have it.",
    "output": "The request asks for an answer, and the output of the agent's last call is taken for it: it is this answer.",
}
_MOST_SAID = 400


class JudgeAnswer(Record):
    """What a judge answers, grounds before the verdict."""

    canary: str
    reason: str
    unmet: tuple[str, ...]
    valid: bool
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)


class ModelJudge:
    """Asks one model, at temperature 0."""

    def __init__(self, client: Client, model: Model, fencer: Fencer, config: Config) -> None:
        """Take what to ask with.

        Args:
            client: who answers.
            model: the model that judges.
            fencer: encloses the run.
            config: lengths of prompts and answers.
        """
        self.model = model
        self._client, self._fencer, self._prompt = client, fencer, load_prompt(_PROMPT)
        self._room, self._answer_tokens = room_for_run(config, model), config.answer_tokens
        self._by = f"judge:{model.name}"

    async def judge(self, rewritten: Rewritten) -> Score:
        """Vote; unscored when the model fails, breaks the form of its answer, contradicts itself or seems steered."""
        shown = fit_rewritten(as_judged(rewritten), self._room)
        goal = escape(json.dumps(rewritten.proposal.goal, ensure_ascii=False))
        if shown is None or estimate_tokens(goal) > MOST_GOAL_TOKENS:
            return self._unscored(too_long(Stage.JUDGE, self._room).detail, Reason.TOO_LONG)
        fenced = self._fencer.enclose("RUN", shown)
        instruction = self._prompt.fill(goal=goal, owed=_OWED[_kind(rewritten)], canary=fenced.canary)
        request = Request(
            model=self.model.name,
            messages=messages_for(fenced, instruction),
            temperature=0,
            max_tokens=self._answer_tokens,
            asked_by=AskedBy.JUDGE,
        )
        try:
            answer = await ask(self._client, request, JudgeAnswer)
        except StageError as error:
            return self._unscored(f"{type(error).__name__}: {error}")
        return self._score(fenced, answer)

    def _score(self, fenced: Fenced, answer: JudgeAnswer) -> Score:
        if (steered := fenced.why_steered(answer.canary, answer.reason, *answer.unmet)) is not None:
            return self._unscored(steered)
        unmet = [part for part in answer.unmet if part.strip()]
        if answer.valid and unmet:
            return self._unscored(f"contradicts itself: valid, and not shown: {'; '.join(unmet)[:_MOST_SAID]}")
        said = "; ".join([answer.reason, *(f"not shown: {part}" for part in unmet)])[:_MOST_SAID]
        if not answer.valid:
            return Score(by=self._by, value=0.0, explanation=said, reason=Reason.JUDGE_REFUSED)
        return Score(by=self._by, value=answer.confidence, explanation=said)

    def _unscored(self, why: str, reason: Reason | None = None) -> Score:
        return Score(by=self._by, value=None, explanation=why, reason=reason)


def as_judged(rewritten: Rewritten) -> Rewritten:
    """Return the run with what came back after its last turn, which no example ends with and which may show the goal reached."""
    run, last = rewritten.trajectory, rewritten.steps[-1]
    if last.step_id != rewritten.proposal.last_step:
        return rewritten
    if any(span.step == last.step_id and span.field.startswith("observations[") for span in run.goal_at):
        return rewritten
    whole = last.model_copy(update={"observations": run.step(last.step_id).observations})
    return rewritten.model_copy(update={"steps": (*rewritten.steps[:-1], whole)})


def _kind(rewritten: Rewritten) -> str:
    if rewritten.proposal.effect:
        return "effect"
    return "output" if rewritten.trajectory.answer_by == "action" else "answer"
