"""Clusters of goals, and how original and hindsight goals spread over them.

Goals become vectors (TF-IDF of words and pairs of words, or whatever embedder the user names), vectors become clusters by
k-means, and the two distributions over the clusters are compared: entropy, Jensen-Shannon divergence, clusters that only
hindsight goals reach. Small samples of one distribution differ too; so the divergence stands beside that of goals whose
kinds were shuffled.
"""

# pyright: basic, reportMissingImports=false, reportMissingTypeStubs=false
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from agenther.errors import UserError

Embedder = Callable[[Sequence[str]], Any]
"""Turns n texts into an array of shape (n, d)."""

LEAST_GOALS = 4
"""Of each kind: fewer say nothing about a distribution."""
MOST_CLUSTERS = 50
SHUFFLES = 200
_TERMS = 3
_LARGE = 5_000
"""Goals from which k-means takes batches."""
_WORD = r"(?u)\b[^\W\d_][^\W_]+\b"


class Cluster(NamedTuple):
    """Goals that lie together."""

    name: str
    """Its weightiest terms."""
    original: int
    """Original goals in it."""
    hindsight: int
    """Hindsight goals in it."""


class Coverage(NamedTuple):
    """How two kinds of goals spread over common clusters. Entropies and divergences are in bits."""

    clusters: tuple[Cluster, ...]
    """Largest first."""
    entropy_original: float
    entropy_hindsight: float
    entropy_together: float
    divergence: float
    """Jensen-Shannon divergence of the two distributions over the clusters: 0 equal, 1 apart."""
    chance: tuple[float, float]
    """Mean and 95th percentile of the divergence when the kinds of the goals are shuffled."""

    @property
    def new(self) -> tuple[Cluster, ...]:
        """Clusters that no original goal reaches."""
        return tuple(cluster for cluster in self.clusters if cluster.hindsight and not cluster.original)


def measure(
    original: Sequence[str],
    hindsight: Sequence[str],
    k: int | None = None,
    seed: int = 0,
    embedder: Embedder | None = None,
) -> Coverage:
    """Cluster all goals together and compare the two kinds.

    Args:
        original: distinct original goals, at least `LEAST_GOALS`.
        hindsight: distinct hindsight goals, as many at least.
        k: number of clusters; None: the root of half the number of goals, at most `MOST_CLUSTERS`.
        seed: of k-means and of the shuffles.
        embedder: gives vectors; None: TF-IDF.

    Raises:
        UserError: the embedder gives something else.
    """
    texts = [*original, *hindsight]
    is_hindsight = np.arange(len(texts)) >= len(original)
    k = min(k or min(MOST_CLUSTERS, round(math.sqrt(len(texts) / 2))), len(set(texts)))
    words, by_words = _fitted(texts)
    vectors = by_words if embedder is None else _embedded(texts, embedder)
    labels = _means(len(texts), max(k, 1), seed).fit_predict(vectors)
    counts = _counts(labels, is_hindsight, k)
    shuffle = np.random.default_rng(seed)
    by_chance = [divergence(*_counts(labels, shuffle.permutation(is_hindsight), k)) for _ in range(SHUFFLES)]
    return Coverage(
        clusters=_named(labels, counts, by_words, words),
        entropy_original=entropy(counts[0]),
        entropy_hindsight=entropy(counts[1]),
        entropy_together=entropy(counts.sum(axis=0)),
        divergence=divergence(*counts),
        chance=(float(np.mean(by_chance)), float(np.percentile(by_chance, 95))),
    )


def _embedded(texts: Sequence[str], embedder: Embedder) -> Any:
    given = embedder(texts)
    try:
        vectors = np.asarray(given, dtype=float)
    except (TypeError, ValueError) as error:
        raise UserError(f"the embedder returned no array of numbers: {error}") from error
    if vectors.ndim != 2 or vectors.shape[0] != len(texts) or not vectors.shape[1]:
        raise UserError(f"the embedder returned an array of shape {vectors.shape}, expected ({len(texts)}, d)")
    if not np.isfinite(vectors).all():
        raise UserError("the embedder returned numbers that are not finite")
    return normalize(vectors)


def entropy(counts: Any) -> float:
    """Return the Shannon entropy of a distribution given by counts, in bits; 0 when there are none."""
    shares = np.asarray(counts, dtype=float)
    shares = shares[shares > 0] / max(shares.sum(), 1)
    return abs(float(-(shares * np.log2(shares)).sum()))


def divergence(one: Any, other: Any) -> float:
    """Return the Jensen-Shannon divergence of two distributions given by counts, in bits (Lin 1991)."""
    p, q = (np.asarray(counts, dtype=float) / max(np.sum(counts), 1) for counts in (one, other))
    return max(0.0, entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2)


def _means(n: int, k: int, seed: int) -> Any:
    settings: dict[str, Any] = {"n_clusters": k, "n_init": 5, "random_state": seed}
    return MiniBatchKMeans(**settings) if n > _LARGE else KMeans(**settings)


def _fitted(texts: Sequence[str]) -> tuple[TfidfVectorizer, Any]:
    """Return a vectorizer with the vectors of the texts: of their characters when no text has a word."""
    words = TfidfVectorizer(
        sublinear_tf=True, stop_words="english", ngram_range=(1, 2), token_pattern=_WORD, strip_accents="unicode"
    )
    try:
        return words, words.fit_transform(texts)
    except ValueError:
        characters = TfidfVectorizer(analyzer="char")
        return characters, characters.fit_transform(texts)


def _counts(labels: Any, is_hindsight: Any, k: int) -> Any:
    """Return how many goals of each kind each cluster has, as an array of shape (2, k)."""
    return np.stack([np.bincount(labels[is_hindsight == kind], minlength=k) for kind in (False, True)])


def _named(labels: Any, counts: Any, by_words: Any, words: TfidfVectorizer) -> tuple[Cluster, ...]:
    terms = words.get_feature_names_out()
    found = []
    for number in range(counts.shape[1]):
        members = by_words[labels == number]
        if members.shape[0]:
            weights = np.asarray(members.mean(axis=0)).ravel()
            best = _distinct(terms[place] for place in np.argsort(-weights, kind="stable")[: 4 * _TERMS])
            found.append(Cluster(", ".join(best), int(counts[0, number]), int(counts[1, number])))
    return tuple(sorted(found, key=lambda c: (-c.original - c.hindsight, c.name)))


def _distinct(terms: Any) -> list[str]:
    """Return the first terms, without those that only repeat words of others."""
    chosen: list[str] = []
    for term in terms:
        if not any(set(term.split()) & set(other.split()) for other in chosen):
            chosen.append(str(term))
    return chosen[:_TERMS]
