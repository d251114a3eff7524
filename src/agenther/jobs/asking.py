"""Which models a job may ask, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agenther.llm.models import PATIENCE_S, Model


@dataclass(frozen=True)
class Asking:
    """Which models a job may ask, and how; nothing here decides what is concluded."""

    models: Mapping[str, Model] = field(default_factory=dict[str, Model])
    """By the names that the settings use."""
    concurrency: int = 16
    """Most requests in flight at once to one endpoint."""
    max_cost_usd: float | None = None
    """Most dollars that an output folder may cost, earlier jobs included."""
    max_requests: int | None = None
    timeout_s: float = 120.0
    patience_s: float = PATIENCE_S
    batch: bool = False
    """Note requests for a batch instead of sending them."""

    @property
    def unbounded(self) -> list[str]:
        """Names of models that the bound of dollars does not hold back: what they cost is not known."""
        if self.max_cost_usd is None:
            return []
        return sorted(name for name, model in self.models.items() if model.price is None)
