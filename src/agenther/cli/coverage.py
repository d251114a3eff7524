"""`agenther stats --coverage`: how far hindsight goals reach beyond the original ones."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agenther.coverage.goals import Goals, read_goals
from agenther.errors import MissingExtra, UserError
from agenther.record import Json, JsonObject

if TYPE_CHECKING:
    from agenther.coverage.clusters import Coverage, Embedder


def measure_coverage(
    out: Path, manifest: JsonObject, clusters: int | None, embedder: str | None, plot: Path | None
) -> JsonObject:
    """Measure the coverage of a job's goals and return it as JSON.

    Args:
        out: folder of a finished job.
        manifest: its manifest.
        clusters: number of clusters; None: as many as the goals suggest.
        embedder: `module:function` that turns a list of texts into an array; None: TF-IDF.
        plot: picture to draw; None: none.

    Raises:
        UserError: there are too few goals, the embedder is none, the extra is missing.
    """
    try:
        from agenther.coverage.clusters import LEAST_GOALS, measure
    except ImportError as error:
        raise MissingExtra(f"coverage needs {error.name}", "pip install 'agenther[coverage]'") from error
    goals = read_goals(out, manifest)
    if min(len(goals.original), len(goals.hindsight)) < LEAST_GOALS:
        raise UserError(
            f"coverage compares at least {LEAST_GOALS} distinct goals of each kind, found {len(goals.original)} original "
            f"and {len(goals.hindsight)} hindsight goals"
        )
    seed = cast(int, cast(JsonObject, manifest["config"])["seed"])
    embed = None if embedder is None else load_embedder(embedder)
    found = measure(goals.original, goals.hindsight, clusters, seed, embed)
    if plot is not None:
        from agenther.coverage.plot import draw

        draw(found, plot)
    return _to_json(found, goals, embedder)


def load_embedder(name: str) -> Embedder:
    """Import the function that a user named.

    Raises:
        UserError: there is no such function.
    """
    module, _, function = name.partition(":")
    try:
        loaded = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"embedder {name!r} cannot be loaded: {error}",
            "name it MODULE:FUNCTION; it takes a list of texts and returns an array, one row a text",
        ) from error
    if not callable(loaded):
        raise UserError(f"embedder {name!r} is no function")
    return cast("Embedder", loaded)


def _to_json(found: Coverage, goals: Goals, embedder: str | None) -> JsonObject:
    clusters: list[Json] = [cast(Json, cluster._asdict()) for cluster in found.clusters]
    return {
        "goals": {"original": goals.n_original, "hindsight": goals.n_hindsight},
        "looked_at": {"original": len(goals.original), "hindsight": len(goals.hindsight)},
        "vectors": embedder or "tf-idf",
        "entropy_bits": {
            "original": found.entropy_original,
            "hindsight": found.entropy_hindsight,
            "together": found.entropy_together,
        },
        "divergence_bits": {
            "found": found.divergence,
            "by_chance_mean": found.chance[0],
            "by_chance_95th": found.chance[1],
        },
        "new_clusters": len(found.new),
        "clusters": clusters,
    }


def print_coverage(coverage: JsonObject, console: Console) -> None:
    """Print a coverage: numbers, then the clusters."""
    goals = cast(dict[str, int], coverage["goals"])
    entropy = cast(dict[str, float], coverage["entropy_bits"])
    apart = cast(dict[str, float], coverage["divergence_bits"])
    clusters = cast(list[JsonObject], coverage["clusters"])
    console.print(
        f"\n[bold]coverage of goals[/]  {goals['original']} distinct original goals, {goals['hindsight']} hindsight goals, "
        f"{len(clusters)} clusters of {escape(str(coverage['vectors']))} vectors"
    )
    console.print(
        f"  entropy in bits: original {entropy['original']:.2f}, hindsight {entropy['hindsight']:.2f}, "
        f"together {entropy['together']:.2f}"
    )
    console.print(
        f"  Jensen-Shannon divergence {apart['found']:.3f}; of shuffled kinds {apart['by_chance_mean']:.3f} on the average, "
        f"below {apart['by_chance_95th']:.3f} in 95 of 100"
    )
    table = Table("cluster", "original", "hindsight", "", box=None, header_style="dim")
    for cluster in clusters:
        new = "[green]new[/]" if not cluster["original"] else ""
        table.add_row(escape(str(cluster["name"])), str(cluster["original"]), str(cluster["hindsight"]), new)
    console.print(table)
