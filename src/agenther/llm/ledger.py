"""What models cost: requests, tokens and dollars by stage and model, and the bounds that a job must keep.

Counted is what went out, not what the cache answered. Prices are those of `models`; a batch at half price counts whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agenther.errors import BudgetExceeded
from agenther.llm.base import AskedBy, Client, Request, Response, Usage
from agenther.llm.cache import Spent
from agenther.llm.models import Model
from agenther.llm.tokens import estimate_prompt, estimate_tokens
from agenther.record import Json, JsonObject

_DUST = 1e-9
"""Dollars that sums of prices may be off."""


def cost_usd(model: Model, usage: Usage) -> float:
    """Return the price of some tokens in dollars, 0 where the model's prices are not known."""
    price = model.price
    if price is None:
        return 0.0
    cached_price = price.input if price.cached_input is None else price.cached_input
    fresh = usage.prompt_tokens - usage.cached_tokens
    dollars = fresh * price.input + usage.cached_tokens * cached_price + usage.completion_tokens * price.output
    return dollars / 1e6


def most_cost_usd(model: Model, request: Request) -> float:
    """Return what a request costs at most: no token cached, the whole answer used."""
    return cost_usd(model, Usage(prompt_tokens=estimate_prompt(request), completion_tokens=request.max_tokens))


@dataclass
class Account:
    """What one stage asked of one model."""

    requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0

    def add(self, requests: int, usage: Usage, cost_usd: float) -> None:
        """Count answers and their tokens."""
        self.requests += requests
        self.prompt_tokens += usage.prompt_tokens
        self.cached_tokens += usage.cached_tokens
        self.completion_tokens += usage.completion_tokens
        self.cost_usd += cost_usd

    def to_json(self) -> JsonObject:
        """Return the counts by name; dollars to a thousandth of a cent."""
        return {**vars(self), "cost_usd": round(self.cost_usd, 5)}


class Ledger:
    """Counts what is asked and holds back what the bounds have no room for.

    The bounds are those of the output folder: what earlier jobs paid for it counts, so that repeating a command does
    not spend them again.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        earlier: Iterable[Spent] = (),
        max_cost_usd: float | None = None,
        max_requests: int | None = None,
    ) -> None:
        """Take the models that are asked.

        Args:
            models: by name. One without prices costs nothing here, and `unpriced` names it.
            earlier: what earlier jobs of the folder took.
            max_cost_usd: dollars that all answers together may cost, None: no bound.
            max_requests: answers that may be asked for, None: no bound.
        """
        self._models = models
        self._max_cost_usd = max_cost_usd
        self._max_requests = max_requests
        self._accounts: dict[tuple[AskedBy, str], Account] = {}
        self._total = Account()
        self._reserved_usd = 0.0
        self._n_under_way = 0
        self._settled = asyncio.Event()
        self._exceeded: str | None = None
        for spent in earlier:
            self.count(spent.asked_by, spent.model, spent.usage, spent.requests)

    @property
    def total(self) -> Account:
        """All accounts together."""
        return self._total

    @property
    def unpriced(self) -> list[str]:
        """Names of models that were asked and whose prices are not known."""
        return sorted({name for _, name in self._accounts if not self._has_price(name)})

    def count(self, asked_by: AskedBy, model: str, usage: Usage, requests: int = 1) -> None:
        """Count answers that came."""
        known = self._models.get(model)
        cost = cost_usd(known, usage) if known is not None else 0.0
        self._accounts.setdefault((asked_by, model), Account()).add(requests, usage, cost)
        self._total.add(requests, usage, cost)

    async def reserve(self, request: Request) -> float:
        """Set apart what a request costs at most, and return it; wait while others hold what it needs.

        Raises:
            BudgetExceeded: there is no room for it, whatever others really cost.
        """
        most = most_cost_usd(self._models[request.model], request)
        while not self._has_room(most):
            await self._settled.wait()
        self._reserved_usd += most
        self._n_under_way += 1
        return most

    def settle(self, request: Request, reserved_usd: float, usage: Usage | None) -> None:
        """Give back what was set apart, and count the answer; None: there was none and nothing is owed."""
        self._reserved_usd -= reserved_usd
        self._n_under_way -= 1
        if usage is not None:
            self.count(request.asked_by, request.model, usage)
        self._settled.set()
        self._settled = asyncio.Event()

    def to_json(self) -> JsonObject:
        """Return the accounts for people and programs to read."""
        accounts: list[Json] = [
            {"asked_by": stage.value, "model": name, **account.to_json()}
            for (stage, name), account in sorted(self._accounts.items())
        ]
        unpriced: list[Json] = [*self.unpriced]
        return {**self._total.to_json(), "accounts": accounts, "unpriced": unpriced}

    def _has_price(self, name: str) -> bool:
        model = self._models.get(name)
        return model is not None and model.price is not None

    def _has_room(self, most_usd: float) -> bool:
        """Tell whether a request fits beside those under way.

        Once one did not fit none does: nothing more is proposed that could not be judged.

        Raises:
            BudgetExceeded: it does not fit even if they cost nothing.
        """
        if self._exceeded is None:
            try:
                return self._fits(most_usd)
            except BudgetExceeded as error:
                self._exceeded = str(error)
        raise BudgetExceeded(self._exceeded)

    def _fits(self, most_usd: float) -> bool:
        spent = self._total
        if self._max_requests is not None:
            if spent.requests >= self._max_requests:
                raise BudgetExceeded(f"{spent.requests} requests made of {self._max_requests} allowed")
            if spent.requests + self._n_under_way >= self._max_requests:
                return False
        if self._max_cost_usd is not None:
            bound = self._max_cost_usd + _DUST
            if spent.cost_usd + most_usd > bound:
                raise BudgetExceeded(
                    f"${spent.cost_usd:.4f} spent of ${self._max_cost_usd:g} allowed, "
                    f"and the next request may cost ${most_usd:.4f}"
                )
            return spent.cost_usd + self._reserved_usd + most_usd <= bound
        return True


class Metered:
    """A client that asks only what the ledger has room for, and has it count the answers.

    Where a server does not count tokens, the answer gets an estimate.
    """

    def __init__(self, inner: Client, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger

    async def complete(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            BudgetExceeded: it may cost more than is left.
        """
        reserved_usd = await self._ledger.reserve(request)
        usage: Usage | None = None
        try:
            response = await self._inner.complete(request)
            usage = response.usage if response.usage.prompt_tokens else _estimate(request, response)
        finally:
            self._ledger.settle(request, reserved_usd, usage)
        return response if usage is response.usage else response.model_copy(update={"usage": usage})

    async def close(self) -> None:
        """Close what it asks."""
        await self._inner.close()


def _estimate(request: Request, response: Response) -> Usage:
    return Usage(prompt_tokens=estimate_prompt(request), completion_tokens=estimate_tokens(response.text))
