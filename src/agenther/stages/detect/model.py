"""Detection by a model, around the rules: what a label or the infrastructure says is not asked, and nothing is taken unquoted.

A label of the source stays the truth about success; it is never shown to the model, nor is a reward. Whatever is wrong with
an answer, the detection of the rules stays and says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from agenther.conclusions import Detection, FailureType, Outcome, Stage
from agenther.config import Config
from agenther.errors import ParseError
from agenther.llm.base import AskedBy, Client, Request
from agenther.llm.models import Model
from agenther.llm.structured import ask
from agenther.record import Record
from agenther.stages.citations import Quote, why_no_evidence
from agenther.stages.fence import Fenced, Fencer
from agenther.stages.prompts import load_prompt, messages_for
from agenther.stages.protocols import Detector
from agenther.stages.quotes import locate
from agenther.stages.recording import cut_log
from agenther.stages.showing import fit_run, room_for_run, too_long
from agenther.trajectory import Span, Trajectory

_PROMPT = Path(__file__).with_name("detect.prompt.md")
_ANYWHERE = ("observations", "tool_calls", "message", "reasoning")
_MOST_SAID = 400


class DetectAnswer(Record):
    """What a detecting model answers, grounds before the verdict."""

    canary: str
    reason: str
    outcome: Outcome
    shown: Quote | None
    failure_type: FailureType | None
    recoverable: bool
    weight: float = Field(ge=0, le=1, allow_inf_nan=False)
    critical: Quote | None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.outcome is Outcome.FAILED and self.failure_type is None:
            raise ValueError("outcome is failed, and failure_type null")
        if self.outcome is not Outcome.UNKNOWN and self.shown is None:
            raise ValueError(f"outcome is {self.outcome}, and shown null")
        return self

    def texts(self) -> tuple[str, ...]:
        """Return all that the answer says beside the canary."""
        return (self.reason, *(one.quote for one in (self.shown, self.critical) if one is not None))


class ModelDetector:
    """Asks a model about the runs whose failure rules and labels do not settle."""

    def __init__(self, rules: Detector, client: Client, model: Model, fencer: Fencer, config: Config) -> None:
        """Take what to ask with.

        Args:
            rules: who is asked first, and whose word stays where the model's cannot be used.
            client: who answers.
            model: the model that detects.
            fencer: encloses the run.
            config: lengths of prompts and answers.
        """
        self._rules, self._client, self._model, self._fencer = rules, client, model, fencer
        self._room, self._answer_tokens = room_for_run(config, model), config.answer_tokens
        self._by = f"model:{model.name}"

    async def detect(self, trajectory: Trajectory) -> Detection:
        """Judge one run."""
        found = await self._rules.detect(trajectory)
        if _is_settled(trajectory, found):
            return found
        shown = fit_run(trajectory, self._room)
        if shown is None:
            return self._unused(found, too_long(Stage.DETECT, self._room).detail)
        fenced = self._fencer.enclose("RUN", shown)
        try:
            answer = await ask(self._client, self._request(fenced), DetectAnswer)
        except ParseError as error:
            return self._unused(found, str(error))
        if (why := fenced.why_steered(answer.canary, *answer.texts())) is not None:
            return self._unused(found, why)
        return self._decided(trajectory, found, answer)

    def _request(self, fenced: Fenced) -> Request:
        return Request(
            model=self._model.name,
            messages=messages_for(fenced, load_prompt(_PROMPT).fill(canary=fenced.canary)),
            temperature=0,
            max_tokens=self._answer_tokens,
            asked_by=AskedBy.DETECT,
        )

    def _decided(self, trajectory: Trajectory, found: Detection, answer: DetectAnswer) -> Detection:
        """Return what the model says, where it has quoted it and no label says otherwise."""
        said = " ".join(answer.reason.split())[:_MOST_SAID]
        if answer.shown is None or answer.outcome is Outcome.UNKNOWN:
            return self._unused(found, f"it cannot tell: {said}")
        labelled = trajectory.success is not None
        if labelled and answer.outcome is not Outcome.FAILED:
            return self._unused(found, f"it calls the run {answer.outcome}, against the label: {said}")
        place = _place_of(trajectory, answer.shown, answer.outcome)
        if place is None:
            quote = answer.shown.quote[:120]
            return self._unused(
                found, f"step {answer.shown.step} does not show that it {answer.outcome} by {quote!r}: {said}"
            )
        if answer.outcome is Outcome.SUCCEEDED:
            return Detection(outcome=answer.outcome, evidence=(place,), explanation=said, by=self._by)
        critical = _critical(trajectory, answer.critical)
        return Detection(
            outcome=answer.outcome,
            failure_type=answer.failure_type,
            recoverable=answer.recoverable,
            weight=answer.weight,
            critical_step=None if critical is None else critical.step,
            evidence=tuple(dict.fromkeys(span for span in (place, critical) if span is not None)),
            explanation=said,
            by=f"{found.by}, {self._by}" if labelled else self._by,
        )

    def _unused(self, found: Detection, why: str) -> Detection:
        """Return the detection of the rules, with why the model's was not taken."""
        told = f"not by {self._by}: {why[:_MOST_SAID]}"
        return found.model_copy(update={"explanation": "; ".join(filter(None, (found.explanation, told)))})


def _is_settled(trajectory: Trajectory, found: Detection) -> bool:
    """Tell whether no answer of a model could change what becomes of a run: asking would be money lost."""
    if trajectory.success is True or not trajectory.agent_steps:
        return True
    return found.infrastructure or found.false_failure or cut_log(trajectory) is not None


def _place_of(trajectory: Trajectory, shown: Quote, outcome: Outcome) -> Span | None:
    """Return where an outcome shows: a success in an observation that says something, a failure since the agent began."""
    if outcome is Outcome.SUCCEEDED:
        span = locate(trajectory, shown.step, shown.quote, ("observations",))
        return None if span is None or why_no_evidence(trajectory, span) is not None else span
    if shown.step < trajectory.agent_steps[0].step_id:
        return None
    return locate(trajectory, shown.step, shown.quote, _ANYWHERE)


def _critical(trajectory: Trajectory, critical: Quote | None) -> Span | None:
    """Return where the decisive mistake shows; None when that is not found in a step of the agent."""
    if critical is None or critical.step not in (step.step_id for step in trajectory.agent_steps):
        return None
    return locate(trajectory, critical.step, critical.quote, _ANYWHERE)
