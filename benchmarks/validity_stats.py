"""Shares of pairs that come in clusters: every pair of a task is counted, the tasks are what was drawn."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.stats import beta

BOOTSTRAPS = 2000


@dataclass(frozen=True)
class Share:
    """How many pairs of how many tasks, with bounds of 95 %."""

    k: int
    n: int
    clusters: int
    hit_clusters: int
    low: float
    high: float
    """By resampling tasks; the upper one is no lower than that of the effective number of pairs."""
    worst: float
    """Upper bound of the share of tasks with any such pair: nothing is assumed about pairs of one task."""

    @property
    def value(self) -> float:
        """The share."""
        return self.k / self.n if self.n else math.nan

    def text(self) -> str:
        """Return it for a table."""
        if not self.n:
            return "none"
        return f"{self.k}/{self.n} = {self.value:.1%} [{self.low:.1%}, {self.high:.1%}]"


def share(events: Iterable[tuple[str, bool]], seed: int = 0) -> Share:
    """Return the share of events that happened, its interval clustered by the task that each event names."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for task, happened in events:
        groups[task].append(happened)
    counts = [(sum(found), len(found)) for found in groups.values()]
    k, n = sum(a for a, _ in counts), sum(b for _, b in counts)
    hits = sum(a > 0 for a, _ in counts)
    if not n:
        return Share(0, 0, 0, 0, 0.0, 1.0, 1.0)
    low, high = resampled(counts, seed)
    few, many = exact_bounds(k / effective(counts), n / effective(counts))
    return Share(k, n, len(counts), hits, min(low, few), max(high, many), exact_bounds(hits, len(counts))[1])


def resampled(counts: Sequence[tuple[int, int]], seed: int) -> tuple[float, float]:
    """Return the percentile interval of a share when whole clusters are drawn anew."""
    rng = random.Random(seed)
    drawn = [rng.choices(counts, k=len(counts)) for _ in range(BOOTSTRAPS)]
    shares = sorted(sum(a for a, _ in one) / sum(b for _, b in one) for one in drawn)
    return shares[round(0.025 * (BOOTSTRAPS - 1))], shares[round(0.975 * (BOOTSTRAPS - 1))]


def effective(counts: Sequence[tuple[int, int]]) -> float:
    """Return by how much clustering shrinks the number of pairs: the variance of the share by clusters (linearised) over
    that of independent pairs, no less than 1 (Korn and Graubard 1998). 1 where no pair or every pair is an event."""
    k, n, m = sum(a for a, _ in counts), sum(b for _, b in counts), len(counts)
    p = k / n
    if m < 2 or p in (0.0, 1.0):
        return 1.0
    by_cluster = m / (m - 1) * sum((a - p * b) ** 2 for a, b in counts) / (n * n)
    return max(1.0, by_cluster / (p * (1 - p) / n))


def exact_bounds(k: float, n: float, alpha: float = 0.05) -> tuple[float, float]:
    """Return the Clopper-Pearson interval, also for numbers that are no integers (effective ones)."""
    low = 0.0 if k <= 0 else float(beta.ppf(alpha / 2, k, n - k + 1))
    high = 1.0 if k >= n else float(beta.ppf(1 - alpha / 2, k + 1, n - k))
    return low, high
