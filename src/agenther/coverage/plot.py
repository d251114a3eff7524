"""The picture of a coverage: for each cluster, the shares of original and of hindsight goals in it."""

# pyright: basic, reportMissingImports=false, reportMissingTypeStubs=false
from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from agenther.coverage.clusters import Coverage
from agenther.errors import WriteError
from agenther.texts import path_text

_SHOWN = 40
"""Clusters that have room in a picture."""
_ORIGINAL, _HINDSIGHT = "#8a8f98", "#1f77b4"


def draw(coverage: Coverage, path: Path) -> None:
    """Draw into a file whose ending says the format (.png, .svg, .pdf).

    Raises:
        WriteError: it cannot be written, or has another ending.
    """
    shown = coverage.clusters[:_SHOWN]
    figure = Figure(figsize=(9, 1.6 + 0.32 * len(shown)), layout="constrained")
    axes = figure.subplots()
    n_original = max(sum(cluster.original for cluster in coverage.clusters), 1)
    n_hindsight = max(sum(cluster.hindsight for cluster in coverage.clusters), 1)
    places = range(len(shown))
    axes.barh([p - 0.2 for p in places], [c.original / n_original for c in shown], 0.38, color=_ORIGINAL)
    axes.barh([p + 0.2 for p in places], [c.hindsight / n_hindsight for c in shown], 0.38, color=_HINDSIGHT)
    axes.legend([f"original goals (n = {n_original})", f"hindsight goals (n = {n_hindsight})"], loc="lower right")
    axes.set_yticks(list(places), [_plain(cluster.name) + (" *" if not cluster.original else "") for cluster in shown])
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.set_xlabel("share of the goals of a kind        * no original goal there")
    axes.set_title(
        f"entropy {coverage.entropy_original:.2f} -> {coverage.entropy_together:.2f} bits, divergence "
        f"{coverage.divergence:.2f} (by chance {coverage.chance[0]:.2f})",
        fontsize=10,
    )
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise WriteError(
            f"{path_text(path)}: cannot be drawn: {error}", "end its name with .png, .svg or .pdf"
        ) from error


def _plain(text: str) -> str:
    """Keep a text from being read as a formula."""
    return text.replace("$", r"\$")
