"""`agenther stats`: what became of the runs, and why."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click
import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agenther.cli.terminal import make_console
from agenther.errors import UserError
from agenther.record import JsonObject

IN_ORDER = ("read", "failed", "succeeded", "unlabelled", "dropped", "errors", "accepted", "kept")
"""Columns of a table, as a run comes by them."""


@click.command("stats", short_help="Show what became of the runs of a job, and why.")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option("--coverage", is_flag=True, help="Also compare hindsight goals with original ones, by clusters.")
@click.option("--clusters", type=click.IntRange(2), metavar="K", help="Number of clusters.  [default: by the goals]")
@click.option("--embedder", metavar="MODULE:FUNCTION", help="Turns texts into vectors.  [default: TF-IDF]")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw the clusters (.png, .svg, .pdf).")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def command(
    out: Path, coverage: bool, clusters: int | None, embedder: str | None, plot: Path | None, as_json: bool
) -> None:
    """Show the funnel of a job: runs in, labels out, and where the rest stayed.

    With --coverage, or any of its options, also how far hindsight goals reach beyond the original ones; that needs
    `pip install 'agenther[coverage]'`.
    """

    manifest = load_manifest(out)
    reached = None
    if coverage or clusters or embedder or plot:
        from agenther.cli.coverage import measure_coverage

        reached = measure_coverage(out, manifest, clusters, embedder, plot)
    if as_json:
        chosen = {k: v for k, v in manifest.items() if k not in ("config", "inputs", "timings", "versions")}
        chosen |= {} if reached is None else {"coverage": reached}
        click.echo(orjson.dumps(chosen, option=orjson.OPT_INDENT_2).decode())
        return
    console = make_console()
    _funnel(manifest, console)
    for title, key in (("failure types of failed runs", "failure_types"), ("severity weight of examples", "weights")):
        _bars(title, cast(dict[str, int], manifest.get(key, {})), console)
    _tallies("by format", cast(dict[str, dict[str, int]], manifest["by_format"]), console)
    _tallies("examples by domain", cast(dict[str, dict[str, int]], manifest["by_domain"]), console)
    _bars("rows written", cast(dict[str, int], manifest["rows"]), console)
    unreplayed = cast(dict[str, int], manifest.get("unreplayed", {}))
    _bars(
        "labels not replayed, though their runs have an environment",
        {escape(k): n for k, n in unreplayed.items()},
        console,
    )
    _bars("pairs made, by kind", cast(dict[str, int], manifest.get("pairs", {})), console)
    _lengths(manifest, console)
    undrawn = cast(dict[str, dict[str, int]], manifest.get("undrawn", {}))
    left = {name: tally for name, tally in undrawn.items() if any(tally.values())}
    _tallies("rows not drawn, by severity weight", left, console)
    if reached is not None:
        from agenther.cli.coverage import print_coverage

        print_coverage(reached, console)


def load_manifest(out: Path) -> JsonObject:
    """Read the manifest of an output folder.

    Raises:
        UserError: the folder holds no finished job.
    """
    try:
        return cast(JsonObject, orjson.loads((out / "manifest.json").read_bytes()))
    except (OSError, orjson.JSONDecodeError) as error:
        begun = (out / "run.sqlite").exists()
        hint = (
            "the job is running or was interrupted: the same command goes on"
            if begun
            else "run `agenther run INPUT -o OUT` first"
        )
        raise UserError(
            f"{out}: expected the output of a finished job, found no readable manifest.json", hint
        ) from error


def _funnel(manifest: JsonObject, console: Console) -> None:

    counts, dropped = cast(dict[str, int], manifest["counts"]), cast(dict[str, int], manifest["dropped"])
    left = counts.get("read", 0)
    console.print(f"{left:7} runs read")
    for stage in ("detect", "extract", "propose", "rewrite", "check", "judge", "package"):
        reasons = sorted(
            ((n, name.split(".")[1]) for name, n in dropped.items() if name.startswith(f"{stage}.")), reverse=True
        )
        if not reasons:
            continue
        left -= sum(n for n, _ in reasons)
        console.print(f"{left:7} after [bold]{stage}[/]   dropped: " + ", ".join(f"{name} {n}" for n, name in reasons))
    console.print(f"{counts.get('kept', 0):7} runs kept")


def _lengths(manifest: JsonObject, console: Console) -> None:
    lengths = cast(JsonObject, manifest.get("lengths", {}))
    files = cast(dict[str, dict[str, int]], lengths.get("files", {}))
    most = f", at most {lengths['max_tokens']}" if lengths.get("max_tokens") else ""
    _tallies(f"tokens by {lengths.get('tokens_by')}{most}", files, console)


def _bars(title: str, values: dict[str, int], console: Console, width: int = 30) -> None:

    if not values:
        return
    console.print(f"\n[bold]{title}[/]")
    most = max(values.values()) or 1
    for name, n in values.items():
        console.print(f"{n:7}  {'█' * round(width * n / most):<{width}} {name}")


def _tallies(title: str, groups: dict[str, dict[str, int]], console: Console) -> None:

    if not groups:
        return
    present = {name for tally in groups.values() for name in tally}
    columns = [name for name in IN_ORDER if name in present] + sorted(present.difference(IN_ORDER))
    table = Table(title, *columns, box=None, header_style="bold")
    for name, tally in groups.items():
        table.add_row(name, *(str(tally.get(column, 0)) for column in columns))
    console.print()
    console.print(table)
