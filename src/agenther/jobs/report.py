"""What a job tells a person: a progress bar while it runs, a short account when it is done."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from agenther.jobs.job import Job, Tick, Watch, count_pieces
from agenther.jobs.manifest import Summary
from agenther.record import JsonObject
from agenther.texts import path_text

if TYPE_CHECKING:
    from agenther.llm.ledger import Ledger


class RateColumn(ProgressColumn):
    """Shows runs per second."""

    def render(self, task: Task) -> Text:
        """Render the rate of one task."""
        return Text(f"{task.speed or 0:.0f} runs/s")


class SpentColumn(ProgressColumn):
    """Shows what models were asked so far, and what it cost."""

    def __init__(self) -> None:
        super().__init__()
        self._ledger: Ledger | None = None

    def watch(self, ledger: Ledger) -> None:
        """Show this ledger from now on."""
        self._ledger = ledger

    def render(self, task: Task) -> Text:
        """Render the totals."""
        if self._ledger is None:
            return Text("")
        total = self._ledger.total
        price = "+?" if self._ledger.unpriced else ""
        return Text(f"{total.requests} requests, ${total.cost_usd:.4f}{price}")


class Shown(NamedTuple):
    """What tells a person how far a job is."""

    tick: Tick
    watch: Watch


@contextmanager
def show_progress(job: Job) -> Generator[Shown]:
    """Show a bar with rate and time left on a terminal, nothing elsewhere; standard input is not counted ahead.

    Before it stands what a bound of dollars does not bind.
    """
    console = Console(stderr=True)
    if unbounded := job.asking.unbounded:
        said = f"warning: no price is known of {', '.join(unbounded)}: the bound of dollars does not hold it back"
        console.print(said, markup=False, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield Shown(lambda: None, SpentColumn().watch)
        return
    total = None if "-" in job.inputs else count_pieces(job)
    spent = SpentColumn()
    columns = (TextColumn("relabeling"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn(), spent)
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("relabeling", total=total)
        yield Shown(lambda: progress.advance(task), spent.watch)


def print_summary(summary: Summary, out: Path, console: Console) -> None:
    """Print what went in, what came out and where the rest stayed."""
    counts = summary.counts
    console.print(
        f"[bold]{counts['read']}[/] runs read: {counts['failed']} failed, {counts['succeeded']} succeeded, "
        f"{counts['unlabelled']} without a label; {counts['unreadable']} pieces could not be read"
    )
    n_examples = sum(tally["labels"] for tally in summary.by_domain.values())
    n_goals = sum(tally["goals"] for tally in summary.by_domain.values())
    console.print(
        f"[bold green]{counts['accepted']}[/] runs relabeled: {n_examples} examples with {n_goals} distinct goals "
        f"({counts['merged_examples']} near-duplicates left out)"
    )
    if counts["unverified"]:
        console.print(f"{counts['unverified']} of them in unverified.jsonl and no training file: no judge was asked")
    if summary.replays:
        counted = ", ".join(f"{n} {name}" for name, n in sorted(summary.replays.items()))
        console.print(f"labels replayed in their environments: {escape(counted)}")
    if summary.unreplayed:
        counted = "; ".join(f"{n}: {name}" for name, n in sorted(summary.unreplayed.items()))
        console.print(
            f"[yellow]{summary.unreplayed.total()}[/] labels not replayed, though their runs have an environment "
            f"(`agenther environments` says which are ready): {escape(counted)}"
        )
    print_drops(summary.dropped, console)
    if summary.ledger:
        print_ledger(summary.ledger, console)
    if counts["open"]:
        console.print(f"[yellow]{counts['open']}[/] runs wait for an answer: {waiting_for(summary)}")
    for name, n_rows in sorted(summary.rows.items()):
        undrawn = summary.undrawn.get(name)
        note = f"  [dim]({undrawn.total()} not drawn by weight: --weights)[/]" if undrawn else ""
        fit = said.said(summary.max_tokens) if (said := summary.sizes.get(name)) else ""
        console.print(f"  {n_rows:6} rows  {escape(path_text(out / name))}{note}{fit}")
    if summary.dropped["detect.outcome_unknown"]:
        console.print(
            "hint: outcomes of unlabelled runs can be given with --labels FILE.csv (columns id, success or reward)"
        )
    name = escape(quote(path_text(out)))
    look = (
        f"agenther show {name}[/]  one label with its evidence"
        if n_examples
        else f"agenther stats {name}[/]  where runs went"
    )
    console.print(f"next: [bold]{look}")


def waiting_for(summary: Summary) -> str:
    """Say what takes up runs that wait."""
    if summary.batch:
        return "`agenther batch export OUT`, then `agenther batch import OUT RESULTS...`"
    return "the budget is spent; the same command with a larger one goes on"


def print_ledger(ledger: JsonObject, console: Console) -> None:
    """Print what models were asked, by stage and model, and what it cost."""
    table = Table(box=None, header_style="dim")
    table.add_column("asked by")
    table.add_column("model")
    for name in ("requests", "prompt tokens", "of them cached", "answer tokens", "US$"):
        table.add_column(name, justify="right")
    unpriced = cast(list[str], ledger["unpriced"])
    accounts = cast(list[JsonObject], ledger["accounts"])
    for account in (*accounts, {**ledger, "asked_by": "all", "model": ""}):
        price = "?" if account["model"] in unpriced else f"{cast(float, account['cost_usd']):.4f}"
        names = ("requests", "prompt_tokens", "cached_tokens", "completion_tokens")
        cells = (str(account["asked_by"]), str(account["model"]), *(str(account[name]) for name in names), price)
        table.add_row(*map(escape, cells))
    console.print(table)
    if unpriced:
        console.print(f"price not known, counted as 0: {escape(', '.join(unpriced))} (give it in a file for --models)")


def print_drops(dropped: Mapping[str, int], console: Console) -> None:
    """Print the reasons of drops, most frequent first; keys are `stage.reason`."""
    rows = sorted(dropped.items(), key=lambda item: (-item[1], item[0]))
    if not rows:
        return
    table = Table("dropped", "stage", "reason", box=None, header_style="dim")
    for name, n in rows:
        stage, reason = name.split(".")
        table.add_row(str(n), stage, reason)
    console.print(table)
