"""What a job would ask of models and what that would cost, before anything is asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import cast

from agenther.conclusions import Result
from agenther.config import Config
from agenther.environments.sql_dump import SqlDump
from agenther.errors import ConfigError, ReadError
from agenther.jobs.forecast import TYPICAL_TOKENS, Forecast, Share
from agenther.jobs.foresight import Foreseen, Foresight
from agenther.jobs.inputs import dumps_beside, existing_files, labelled, map_reader
from agenther.jobs.job import read
from agenther.llm.cache import ANSWERS, Cache
from agenther.llm.ledger import Ledger
from agenther.llm.models import Model
from agenther.readers.labels import Labeller
from agenther.record import Json, JsonObject
from agenther.trajectory import Trajectory

_KEY_DIGITS = 16
"""Hexadecimal digits of a request's key that tell it from others."""


@dataclass(frozen=True)
class Plan:
    """A job that asks models, not begun or not finished."""

    inputs: tuple[str, ...]
    config: Config
    models: Mapping[str, Model]
    """By the names that the settings use."""
    out: Path | None = None
    """Folder of the job; what its answers say is not asked again. None, or one without answers: nothing is paid for."""
    format: str | None = None
    labels: Path | None = None
    map_file: Path | None = None
    limit: int | None = None


@dataclass
class Estimate:
    """What was counted.

    Of the runs that were read some ask models; the others are dropped, kept or failed before any is asked, are answered for by
    the folder, or are equal to an earlier one in all that a model is shown.
    """

    models: Mapping[str, Model]
    likely: Ledger
    at_most: Ledger
    paid: Ledger
    """What the folder has paid so far."""
    counts: Counter[str] = field(
        default_factory=lambda: Counter(
            dict.fromkeys(("read", "unreadable", "ask", "dropped", "kept", "errors", "answered", "equal"), 0)
        )
    )
    dropped: Counter[str] = field(default_factory=Counter[str])
    """Runs that are dropped before any model is asked, by `stage.reason`."""
    longest: Counter[str] = field(default_factory=Counter[str])
    """Tokens of the longest likely prompt to each model."""
    unmatched_labels: list[str] = field(default_factory=list[str])
    unmatched_paths: list[str] = field(default_factory=list[str])

    def conclude(self, seen: Foreseen) -> None:
        """Count a run that asks nothing."""
        if seen.answered:
            self.counts["answered"] += 1
            return
        match seen.result:
            case Result(drop=drop) if drop is not None:
                self.counts["dropped"] += 1
                self.dropped[f"{drop.stage}.{drop.reason}"] += 1
            case Result(error=str()):
                self.counts["errors"] += 1
            case _:
                self.counts["kept"] += 1

    @property
    def unpriced(self) -> list[str]:
        """Names of models that may be asked and whose prices are not known."""
        return self.at_most.unpriced

    def to_json(self) -> JsonObject:
        """Return all figures; dollars that cannot be known are None."""
        longest: list[Json] = [
            {"model": name, "prompt_tokens": tokens, "context_tokens": self.models[name].context_tokens}
            for name, tokens in sorted(self.longest.items())
        ]
        return {
            "runs": dict(self.counts),
            "dropped_before": dict(self.dropped.most_common()),
            "likely": with_unknown(self.likely.to_json()),
            "at_most": with_unknown(self.at_most.to_json()),
            "paid": with_unknown(self.paid.to_json()),
            "longest_prompts": longest,
            "assumed_answer_tokens": {stage.value: tokens for stage, tokens in TYPICAL_TOKENS.items()},
        }


def estimate(plan: Plan, tick: Callable[[], None] = lambda: None) -> Estimate:
    """Read the runs of a job and count what it would ask.

    Args:
        plan: the job.
        tick: called once for every run.

    Raises:
        ConfigError: the settings name no model to ask.
        UserError: inputs, labels or the file of answers are unusable.
    """
    config = plan.config
    if not config.asks_models:
        raise ConfigError(
            "expected a model to ask, found rules alone, which cost nothing",
            "agenther estimate INPUT --mode llm --model NAME --judge NAME",
        )
    paths = existing_files(plan.inputs, plan.out)
    labeller, reader = Labeller(plan.labels), map_reader(plan.map_file, plan.format)
    databases = tuple(SqlDump(path) for path in dumps_beside(paths))
    with ExitStack() as open_files:
        cache = _answers(plan.out)
        if cache is not None:
            open_files.enter_context(cache)
        paid = Ledger(plan.models, () if cache is None else cache.spent())
        made = Estimate(plan.models, Ledger(plan.models), Ledger(plan.models), paid)
        runs = _runs(plan, read(paths, format=plan.format, reader=reader), labeller, made)
        _count(runs, Foresight(config, plan.models, cache, databases), Forecast(config, plan.models), made, tick)
    if plan.limit is None:
        made.unmatched_labels = labeller.unmatched() if plan.labels is not None else []
        made.unmatched_paths = reader.unmatched() if reader is not None else []
    return made


def count_runs(plan: Plan) -> int:
    """Count the runs of a plan by reading them once."""
    reader = map_reader(plan.map_file, plan.format)
    items = read(existing_files(plan.inputs, plan.out), format=plan.format, reader=reader)
    return sum(1 for _ in islice((item for item in items if isinstance(item, Trajectory)), plan.limit))


def with_unknown(ledger: JsonObject) -> JsonObject:
    """Return the figures of a ledger with None for dollars that nobody knows."""
    unpriced = cast(list[str], ledger["unpriced"])
    accounts: list[Json] = [
        {**account, "cost_usd": None} if account["model"] in unpriced else account
        for account in cast(list[JsonObject], ledger["accounts"])
    ]
    return {**ledger, "accounts": accounts, "cost_usd": None if unpriced else ledger["cost_usd"]}


def _answers(out: Path | None) -> Cache | None:
    return Cache(out / ANSWERS) if out is not None and (out / ANSWERS).is_file() else None


def _runs(
    plan: Plan, items: Iterator[Trajectory | ReadError], labeller: Labeller, made: Estimate
) -> Iterator[Trajectory]:
    """Yield the runs of a plan with their outcomes, as its job would take them."""
    for item in labelled(items, labeller):
        if isinstance(item, ReadError):
            made.counts["unreadable"] += 1
            continue
        made.counts["read"] += 1
        yield item
        if made.counts["read"] == plan.limit:
            return


def _count(
    runs: Iterator[Trajectory], foresight: Foresight, forecast: Forecast, made: Estimate, tick: Callable[[], None]
) -> None:
    asked: set[int] = set()
    with asyncio.Runner() as runner:
        for run in runs:
            seen = runner.run(foresight.look(run))
            if not seen.unanswered:
                made.conclude(seen)
                tick()
                continue
            _add(made.at_most, forecast.at_most(seen))
            keys = {int(note.key[:_KEY_DIGITS], 16) for note in seen.unanswered}
            if keys <= asked:
                made.counts["equal"] += 1
            else:
                asked |= keys
                made.counts["ask"] += 1
                shares = list(forecast.likely(seen))
                _add(made.likely, shares)
                for share in shares:
                    made.longest[share.model] = max(made.longest[share.model], share.usage.prompt_tokens)
            tick()


def _add(ledger: Ledger, shares: Iterable[Share]) -> None:
    for share in shares:
        ledger.count(share.asked_by, share.model, share.usage, share.requests)
