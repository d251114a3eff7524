"""What a run would ask of models next: the pipeline itself runs on it, with a client that notes requests and sends none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agenther.conclusions import Claim, Detection, Outcome, Proposal, Result, Rewritten, Score
from agenther.config import Config
from agenther.environments.sql_dump import SqlDump
from agenther.errors import Pending
from agenther.jobs.process import process
from agenther.llm.base import AskedBy, Request, Response
from agenther.llm.cache import Cache
from agenther.llm.models import Model
from agenther.llm.tokens import estimate_prompt
from agenther.stages.fence import Fencer
from agenther.stages.model_parts import model_parts
from agenther.stages.protocols import Detector, Parts
from agenther.stages.verify.model import ModelJudge
from agenther.trajectory import Span, Trajectory

NO_SECRET = bytes(32)
"""Secret of the fences where no folder has one yet; any other makes prompts of the same form."""
GOAL_CHARACTERS = 300
"""Characters of the run's own goal that stand for a hindsight goal."""
_ANY_LENGTH = 1_000_000_000


@dataclass(frozen=True)
class Note:
    """A request that is known word for word."""

    asked_by: AskedBy
    model: str
    key: str
    tokens: int
    """Of its prompt, by estimate."""


@dataclass(frozen=True)
class Foreseen:
    """What is known of one run before anybody is asked."""

    unanswered: tuple[Note, ...] = ()
    """Requests that must be asked, as far as they are known: the last leads to what only answers decide."""
    answered: tuple[Note, ...] = ()
    """Requests that the folder has paid for."""
    result: Result | None = None
    """What is concluded without asking further; None where something is unanswered."""
    judged_tokens: int = 0
    """Of a judge's prompt that shows the whole run; 0 where no goal can come to a judge."""
    goal_places: int = 0
    """Places in the run at which a hindsight goal will stand."""


class Noting:
    """A client that knows the answers of one folder, notes what it is asked, and asks nobody."""

    def __init__(self, cache: Cache | None = None) -> None:
        self._cache = cache
        self.unanswered: dict[str, Note] = {}
        self.answered: dict[str, Note] = {}

    def forget(self) -> None:
        """Begin with another run."""
        self.unanswered, self.answered = {}, {}

    async def complete(self, request: Request) -> Response:
        """Note a request and return its answer if it was ever given.

        Raises:
            Pending: it was not.
        """
        key = request.key
        kept = None if self._cache is None else self._cache.get(key)
        notes = self.unanswered if kept is None else self.answered
        notes[key] = Note(request.asked_by, request.model, key, estimate_prompt(request))
        if kept is None:
            raise Pending(f"{request.asked_by} by {request.model}")
        return kept

    async def close(self) -> None:
        """Nothing is open."""


class Foresight:
    """Looks at runs one by one; the same settings as a job's, and the same secret, give the same requests."""

    def __init__(
        self,
        config: Config,
        models: Mapping[str, Model],
        cache: Cache | None = None,
        databases: Sequence[SqlDump] = (),
    ) -> None:
        """Take what a job would be given.

        Args:
            config: settings of the job.
            models: by name.
            cache: answers of its folder, None where it has none yet.
            databases: as for `model_parts`.
        """
        self._client = Noting(cache)
        secret = NO_SECRET if cache is None else cache.secret
        parts = model_parts(config, models, self._client, secret, databases)
        self._detector = _Seeing(parts.detector)
        self._judges, self._witness = parts.judges, _Witness()
        self._by_rules = config.propose == "rules"
        if self._by_rules and parts.judges:
            parts = replace(parts, judges=(self._witness,))
            config = config.model_copy(update={"quorum": None})
        self._parts, self._config = replace(parts, detector=self._detector), config
        self._whole = _whole_judge(config, models, secret)

    async def look(self, run: Trajectory) -> Foreseen:
        """Return what one run asks; where an answer decides how it goes on, it is taken to go on."""
        self._client.forget()
        self._witness.seen.clear()
        result = await self._walk(run)
        for rewritten in self._witness.seen:
            await self._show_judges(rewritten)
        unanswered, answered = tuple(self._client.unanswered.values()), tuple(self._client.answered.values())
        if not unanswered:
            return Foreseen(answered=answered, result=result)
        shown = self._detector.run
        if shown is None or self._whole is None or self._by_rules:
            return Foreseen(unanswered, answered)
        return Foreseen(unanswered, answered, None, await self._tokens_of_whole(shown), len(shown.goal_at))

    async def _walk(self, run: Trajectory) -> Result | None:
        """Run the pipeline, past a detector and an extractor that wait, up to the first proposer or judge that does."""
        parts: Parts = self._parts
        self._detector.assume = False
        while True:
            try:
                return (await process(run, parts, self._config)).result
            except Pending:
                waiting = next(reversed(self._client.unanswered.values())).asked_by
            if waiting is AskedBy.DETECT:
                self._detector.assume = True
            elif waiting is AskedBy.EXTRACT:
                parts = replace(parts, extractor=None)
            else:
                return None

    async def _show_judges(self, rewritten: Rewritten) -> None:
        for judge in self._judges:
            try:
                await judge.judge(rewritten)
            except Pending:
                continue

    async def _tokens_of_whole(self, run: Trajectory) -> int:
        assert self._whole is not None
        client, judge = self._whole
        client.forget()
        try:
            await judge.judge(_as_if_proposed(run))
        except Pending:
            return next(iter(client.unanswered.values())).tokens
        return _ANY_LENGTH


class _Seeing:
    """A detector that remembers the run as it is shown to models, and may take it for a mild failure."""

    def __init__(self, inner: Detector) -> None:
        self._inner = inner
        self.run: Trajectory | None = None
        self.assume = False

    async def detect(self, trajectory: Trajectory) -> Detection:
        """Judge one run."""
        self.run = trajectory
        return Detection(outcome=Outcome.FAILED, by="assumed") if self.assume else await self._inner.detect(trajectory)


class _Witness:
    """A judge that keeps what comes to judges, and has no opinion."""

    def __init__(self) -> None:
        self.seen: list[Rewritten] = []

    async def judge(self, rewritten: Rewritten) -> Score:
        """Abstain."""
        self.seen.append(rewritten)
        return Score(by="nobody", value=None)


def _whole_judge(config: Config, models: Mapping[str, Model], secret: bytes) -> tuple[Noting, ModelJudge] | None:
    """Return a judge with room for any run; None where there is no judge."""
    if not config.judges:
        return None
    model = models[config.judges[0]].model_copy(update={"context_tokens": None})
    client = Noting()
    roomy = config.model_copy(update={"prompt_tokens": _ANY_LENGTH})
    return client, ModelJudge(client, model, Fencer(secret), roomy)


def _as_if_proposed(run: Trajectory) -> Rewritten:
    """Return the whole run as if its own goal, shortened, were the hindsight goal."""
    last = run.agent_steps[-1].step_id
    field = next((field for field, text in run.step(last).fields() if text), "message")
    claim = Claim(text="the run", kind="open.fact", evidence=(Span(step=last, field=field, start=0, end=0),))
    proposal = Proposal(
        goal=run.goal[:GOAL_CHARACTERS], strategy="final", domain="open", claims=(claim,), parts=(), last_step=last
    )
    return Rewritten(trajectory=run, proposal=proposal, steps=run.steps, train_on=())
