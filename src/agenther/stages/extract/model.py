"""Extraction by a model: claims of any domain, each with quotes that are looked up in the run.

A claim of which one quote is not found, or shows nothing, is no claim. An answer that cannot be used says nothing of the run: it
is an error, and never taken for a run that achieved nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from agenther.conclusions import Claim, Detection, Reason, Refusal, Stage
from agenther.config import Config
from agenther.errors import ParseError
from agenther.llm.base import AskedBy, Client, Request
from agenther.llm.models import Model
from agenther.llm.structured import ask
from agenther.record import Record
from agenther.stages.citations import Quote, place_of, why_no_evidence
from agenther.stages.fence import Fenced, Fencer
from agenther.stages.language.telling import told_in
from agenther.stages.prompts import load_prompt, messages_for
from agenther.stages.quotes import locate
from agenther.stages.relabel.model import why_unusable
from agenther.stages.showing import fit_run, room_for_run, too_long
from agenther.trajectory import Span, Trajectory

MOST_CLAIMS = 8
"""Claims of one run that are asked for and taken."""
_MOST_TEXT = 400
_TOLD = ("message", "tool_calls")
"""Where an agent tells an answer."""
_PROMPT = Path(__file__).with_name("extract.prompt.md")


class ClaimAnswer(Record):
    """A claim as a model answers it; `extract.prompt.md` says what each field means."""

    text: str
    kind: Literal["effect", "fact", "answer"]
    evidence: tuple[Quote, ...]


class ExtractAnswer(Record):
    """What an extracting model answers."""

    canary: str
    claims: tuple[ClaimAnswer, ...]

    def texts(self) -> Iterator[str]:
        """Yield all that the answer says beside the canary."""
        for claim in self.claims:
            yield claim.text
            yield from (one.quote for one in claim.evidence)


class ModelExtractor:
    """Asks a model what a run achieved."""

    def __init__(self, client: Client, model: Model, fencer: Fencer, config: Config) -> None:
        """Take what to ask with.

        Args:
            client: who answers.
            model: the model that extracts.
            fencer: encloses the run.
            config: lengths of prompts and answers.
        """
        self._client, self._model, self._fencer = client, model, fencer
        self._room, self._answer_tokens = room_for_run(config, model), config.answer_tokens

    async def extract(self, trajectory: Trajectory, detection: Detection) -> tuple[Claim, ...] | Refusal:
        """Return the claims whose quotes are found in the run, or why there is none.

        Raises:
            ParseError: the model gave no usable answer.
        """
        if (refusal := why_unusable(trajectory)) is not None:
            return refusal
        shown = fit_run(trajectory, self._room)
        if shown is None:
            return too_long(Stage.EXTRACT, self._room)
        fenced = self._fencer.enclose("RUN", shown)
        answer = await ask(self._client, self._request(fenced), ExtractAnswer)
        if (why := fenced.why_steered(answer.canary, *answer.texts())) is not None:
            raise ParseError(f"{AskedBy.EXTRACT} by {self._model.name}: {why}")
        return self._bound(trajectory, answer)

    def _request(self, fenced: Fenced) -> Request:
        instruction = load_prompt(_PROMPT).fill(most=str(MOST_CLAIMS), canary=fenced.canary)
        return Request(
            model=self._model.name,
            messages=messages_for(fenced, instruction),
            temperature=0,
            max_tokens=self._answer_tokens,
            asked_by=AskedBy.EXTRACT,
        )

    def _bound(self, trajectory: Trajectory, answer: ExtractAnswer) -> tuple[Claim, ...] | Refusal:
        bound = [bind_claim(trajectory, claim) for claim in answer.claims[:MOST_CLAIMS]]
        claims = {one.text: one for one in bound if isinstance(one, Claim)}
        if claims:
            return tuple(claims.values())
        refusal = next((one for one in bound if isinstance(one, Refusal)), None)
        return refusal or _refusal(Reason.NOTHING_ACHIEVED, f"{self._model.name} names nothing that the run achieved")


def bind_claim(trajectory: Trajectory, answer: ClaimAnswer) -> Claim | Refusal:
    """Return the claim that an answer makes, or what of it the run does not show."""
    text = " ".join(answer.text.split())[:_MOST_TEXT]
    if not text:
        return _refusal(Reason.UNGROUNDED, "a claim says nothing")
    spans: list[Span] = []
    for cited in answer.evidence:
        span = _place_of(trajectory, answer.kind, cited)
        if isinstance(span, Refusal):
            return span
        spans.append(span)
    if not any(span.field.startswith("observations[") for span in spans):
        return _refusal(Reason.UNGROUNDED, f"{text[:120]!r}: no observation is cited that shows it")
    return Claim(text=text, kind=f"open.{answer.kind}", evidence=tuple(dict.fromkeys(spans)))


def _place_of(trajectory: Trajectory, kind: str, cited: Quote) -> Span | Refusal:
    """Return where a quote stands that shows something; of an answer, it may be where the agent tells it."""
    span = place_of(trajectory, cited.step, cited.quote)
    wrong = None if span is None else why_no_evidence(trajectory, span)
    if span is not None and wrong is None:
        return span
    told = locate(trajectory, cited.step, cited.quote, _TOLD) if kind == "answer" else None
    if told is not None and told_in(trajectory.step(cited.step)).strip():
        return told
    if wrong is not None:
        return _refusal(*wrong)
    where = f"step {cited.step} does not hold {cited.quote[:120]!r}"
    return _refusal(Reason.UNGROUNDED, f"{where} in an observation or in the arguments of a call")


def _refusal(reason: Reason, why: str) -> Refusal:
    return Refusal(stage=Stage.EXTRACT, reason=reason, detail=why)
