"""`agenther tasks`: checkable tasks from the labels of a finished job."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import orjson

from agenther.cli.stats import load_manifest
from agenther.cli.terminal import one_line
from agenther.texts import path_text

if TYPE_CHECKING:
    from agenther.jobs.tasks import TaskSummary

_TARGETS = ("jsonl", "harbor", "webarena-verified")
MOST_SHOWN = 8


def _pairs(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Return what stands on both sides of the first equals sign; refuse a value without one."""
    pairs: dict[str, str] = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not (name and equals and rest):
            raise click.BadParameter(f"expected NAME=VALUE, found {one_line(value, 60)!r}")
        pairs[name] = rest
    return pairs


def _sites(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    from agenther.tasks.webarena import SITES

    sites = _pairs(context, option, values)
    if unknown := sorted(sites.keys() - SITES):
        raise click.BadParameter(f"no site is named {one_line(unknown[0], 60)!r}; there are {', '.join(sorted(SITES))}")
    return sites


@click.command("tasks", short_help="Make checkable tasks from the labels of a finished job.")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option(
    "--for", "target", type=click.Choice(_TARGETS), default="jsonl", show_default=True, help="Form of the tasks."
)
@click.option(
    "--requirement",
    "requirements",
    multiple=True,
    metavar="KIND=PACKAGE",
    callback=_pairs,
    help="harbor: what pip installs in the image for tasks of this environment; may be repeated.",
)
@click.option(
    "--site",
    "sites",
    multiple=True,
    metavar="NAME=URL",
    callback=_sites,
    help="webarena-verified: where the runs found a site, if not at the benchmark's port; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def command(out: Path, target: str, requirements: dict[str, str], sites: dict[str, str], as_json: bool) -> None:
    """Make checkable tasks from the labels of the job of OUT: a goal, what decides it, and a solution that passes.

    \b
    agenther tasks out                          neutral records, one a line
    agenther tasks out --for harbor             a folder a task, with tools, verifier and oracle
    agenther tasks out --for webarena-verified  tasks of web runs for that benchmark's evaluator

    Before a task is written its oracle must pass, and doing nothing, a near miss and, where it is known, the solution of
    the original goal must fail. OUT/tasks/NAME/set_aside.jsonl says of every other label why it makes no task.
    """
    from agenther.jobs.tasks import write_tasks
    from agenther.tasks.targets import make_target

    manifest = load_manifest(out)
    counts = cast(dict[str, int], manifest.get("counts", {}))
    with _progress(counts.get("read", 0), shown=not as_json) as tick:
        summary = write_tasks(out, manifest, make_target(target, requirements, sites), tick)
    if as_json:
        click.echo(orjson.dumps(summary.row(), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(summary)


@contextmanager
def _progress(n_runs: int, *, shown: bool) -> Generator[Callable[[], None]]:
    """Show how many runs were looked at, where somebody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    if not (shown and console.is_terminal):
        yield lambda: None
        return
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("runs", total=n_runs)
        yield lambda: progress.advance(task)


def _print(summary: TaskSummary) -> None:
    n_tasks, n_aside = sum(summary.written.values()), sum(summary.set_aside.values())
    click.echo(f"{summary.examples} labels: {n_tasks} tasks, {n_aside} set aside")
    for name, n in sorted(summary.written.items()):
        click.echo(f"{n:7}  decided by {name}")
    for name, n in summary.set_aside.most_common():
        click.echo(f"{n:7}  set aside: {name}")
    click.echo(f"next: {path_text(summary.folder / 'README.md')}  what is there and how to use it")
    if summary.set_aside:
        click.echo(f"      {path_text(summary.folder / 'set_aside.jsonl')}  why the others make no task")
