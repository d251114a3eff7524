"""How a job asks models: the client that it asks through, the file that keeps what was paid for, many runs at once."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path

from agenther.config import Config
from agenther.errors import ConfigError, Postponed
from agenther.jobs.asking import Asking
from agenther.jobs.flights import Flights
from agenther.jobs.process import Texts, open_dumps, process, texts_of
from agenther.llm.base import Client
from agenther.llm.batch import BatchClient
from agenther.llm.cache import ANSWERS, Cache, Cached
from agenther.llm.ledger import Ledger, Metered
from agenther.llm.limits import limit_by_endpoint
from agenther.llm.transport import HttpTransport
from agenther.stages.model_parts import model_parts
from agenther.stages.parts import Replaying
from agenther.trajectory import Trajectory


class Asked:
    """Concludes about runs with models: as many at once as requests may be in flight."""

    def __init__(
        self, config: Config, asking: Asking, out: Path, databases: tuple[Path, ...], replaying: Replaying | None = None
    ) -> None:
        named = {name for name in (config.model, *config.judges) if name is not None}
        if missing := sorted(named - asking.models.keys()):
            raise ConfigError(f"model {missing[0]}: expected where it is served, found nothing")
        if asking.max_cost_usd is not None and not asking.max_cost_usd >= 0:
            raise ConfigError(f"a bound of dollars: expected a number from 0 on, found {asking.max_cost_usd:g}")
        if asking.batch and (asking.max_cost_usd is not None or asking.max_requests is not None):
            raise ConfigError("a batch has no bounds: what it may cost is up to who hands it over", "agenther estimate")
        if asking.unbounded and named <= {*asking.unbounded}:
            raise ConfigError(
                f"a bound of dollars holds nothing back: no price is known of {', '.join(sorted(named))}",
                "give prices in a file for --models (0 for a server of your own), or --max-requests instead",
            )
        self._config, self._asking, self._databases, self._replaying = config, asking, databases, replaying
        self._cache = Cache(out / ANSWERS)
        self.ledger = Ledger(asking.models, self._cache.spent(), asking.max_cost_usd, asking.max_requests)
        """What the folder cost so far, earlier jobs included."""

    def map(self, runs: Iterable[Trajectory]) -> Generator[Texts | None]:
        """Yield what the store shall hold of each run, in the order in which they are done; None for one that must wait."""
        client = Cached(self._bottom(), self._cache)
        parts = model_parts(
            self._config, self._asking.models, client, self._cache.secret, open_dumps(self._databases), self._replaying
        )

        async def conclude(run: Trajectory) -> Texts | None:
            try:
                return texts_of(await process(run, parts, self._config))
            except Postponed:
                return None

        yield from Flights(conclude, self._asking.concurrency, client.close).map(runs)

    def close(self) -> None:
        """Close the file of answers."""
        self._cache.close()

    def _bottom(self) -> Client:
        if self._asking.batch:
            return BatchClient(self._cache)
        transport = HttpTransport(self._asking.models, self._asking.timeout_s)
        limited = limit_by_endpoint(transport, self._asking.models, self._asking.concurrency, self._asking.patience_s)
        return Metered(limited, self.ledger)
