"""`agenther estimate`: what a job with models would ask and cost, before anything is asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import orjson

from agenther.cli.model_options import ModelChoice, model_options
from agenther.cli.options import config_option, format_option, labels_option, limit_option, map_option
from agenther.cli.terminal import make_console, one_line, warn_broken_readers, warn_unmatched, warn_unmatched_paths
from agenther.config import load_config
from agenther.record import JsonObject

if TYPE_CHECKING:
    from rich.console import Console

    from agenther.jobs.estimate import Estimate, Plan
    from agenther.llm.ledger import Ledger

MOST_REASONS = 6
"""Reasons of drops that are printed; with --json all are."""
_TYPICAL = "one round, one goal that passes the checks, each judge once"
_MOST = "every round, every goal judged by every judge, answers at full length, each asked for twice"


@click.command("estimate", short_help="Say what asking models would cost, and ask nothing.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the job, if it has begun: what it has paid for costs nothing more.",
)
@format_option
@map_option
@labels_option
@config_option
@model_options
@limit_option
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
def command(
    inputs: tuple[str, ...],
    out: Path | None,
    format_name: str | None,
    map_file: Path | None,
    labels: Path | None,
    config_file: Path | None,
    limit: int | None,
    as_json: bool,
    chosen: ModelChoice,
) -> None:
    """Say what `agenther run` with the same models would ask and cost. Nothing is asked and nothing written.

    \b
    agenther estimate traces/ --mode llm --model gpt-4o-mini --judge gpt-4.1-mini
    agenther estimate traces/ -o out --mode llm ...     what is left to pay of a job that was stopped

    The first request of each run is made and counted; what follows it depends on answers, and is assumed.
    """
    from agenther.jobs.estimate import Plan, estimate
    from agenther.llm.models import load_models

    config = load_config(config_file, **chosen.settings())
    models = load_models(chosen.named, chosen.models_file)
    plan = Plan(inputs, config, models, out, format_name, labels, map_file, limit)
    with _progress(plan) as tick:
        made = estimate(plan, tick)
    warn_unmatched(labels, made.unmatched_labels)
    warn_unmatched_paths(map_file, made.unmatched_paths)
    warn_broken_readers()
    if as_json:
        click.echo(orjson.dumps(made.to_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(made, config.prompt_tokens, make_console())
    if made.counts["unreadable"]:
        sys.exit(3)


@contextmanager
def _progress(plan: Plan) -> Generator[Callable[[], None]]:
    """Show a bar on a terminal, nothing elsewhere; standard input is not counted ahead."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from agenther.jobs.estimate import count_runs

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda: None
        return
    total = None if "-" in plan.inputs else count_runs(plan)
    columns = (TextColumn("estimating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("estimating", total=total)
        yield lambda: progress.advance(task)


def _print(made: Estimate, prompt_tokens: int, console: Console) -> None:
    from agenther.jobs.report import print_drops

    n = made.counts
    console.print(f"[bold]{n['read']}[/] runs read, {n['unreadable']} pieces could not be read")
    console.print(f"[bold]{n['ask']}[/] ask models, {n['dropped']} are dropped before any is asked")
    for name, what in (
        ("answered", "are answered for by what OUT has paid"),
        ("equal", "show models what an earlier one showed them, and share its answers"),
        ("kept", "are successes that are written as they are"),
        ("errors", "fail before any model is asked"),
    ):
        if n[name]:
            console.print(f"{n[name]} {what}")
    print_drops(dict(made.dropped.most_common(MOST_REASONS)), console)
    if len(made.dropped) > MOST_REASONS:
        console.print(f"and {len(made.dropped) - MOST_REASONS} more reasons: --json")
    _print_scenario("likely", _TYPICAL, made.likely, console)
    _print_scenario("at most", _MOST, made.at_most, console)
    if made.paid.total.requests:
        paid = made.paid.to_json()
        console.print(
            f"OUT has paid for {paid['requests']} requests so far, US$ {_dollars(paid)}: the above comes on top"
        )
    _print_longest(made, prompt_tokens, console)
    _print_advice(made, console)


def _print_scenario(title: str, what: str, ledger: Ledger, console: Console) -> None:
    from rich.markup import escape
    from rich.table import Table

    console.print(f"\n[bold]{title}[/]: {what}")
    table = Table(box=None, header_style="dim")
    table.add_column("asked by")
    table.add_column("model")
    for name in ("requests", "prompt tokens", "answer tokens", "US$"):
        table.add_column(name, justify="right")
    counted = ledger.to_json()
    for account in cast(list[JsonObject], counted["accounts"]):
        cells = str(account["asked_by"]), escape(one_line(str(account["model"]), 60)), *_tokens(account)
        table.add_row(*cells, "?" if account["model"] in ledger.unpriced else _dollars(account))
    table.add_row("all", "", *_tokens(counted), _dollars(counted))
    console.print(table)


def _tokens(account: JsonObject) -> tuple[str, ...]:
    return tuple(str(account[name]) for name in ("requests", "prompt_tokens", "completion_tokens"))


def _dollars(account: JsonObject) -> str:
    """Return dollars, with a mark where some of them are not known."""
    return f"{cast(float, account['cost_usd']):.4f}{' + ?' if account.get('unpriced') else ''}"


def _print_longest(made: Estimate, prompt_tokens: int, console: Console) -> None:
    from rich.markup import escape

    console.print()
    for name, tokens in sorted(made.longest.items()):
        context = made.models[name].context_tokens
        room = (
            f"of a context of {context}"
            if context
            else f"its context is not known, prompts are held to {prompt_tokens} (setting prompt_tokens)"
        )
        console.print(f"longest prompt to {escape(one_line(name, 60))}: {tokens} tokens, {room}")


def _print_advice(made: Estimate, console: Console) -> None:
    from rich.markup import escape

    from agenther.jobs.forecast import TYPICAL_TOKENS

    stages = {str(account["asked_by"]) for account in cast(list[JsonObject], made.likely.to_json()["accounts"])}
    typical = ", ".join(f"{stage} {tokens}" for stage, tokens in TYPICAL_TOKENS.items() if stage in stages)
    console.print(f"taken for the likely length of answers, in tokens: {typical or 'none is asked for'}")
    console.print("tokens of prompts are guessed from characters, rather too many; none is counted on to be cached")
    if made.unpriced:
        names = escape(", ".join(one_line(name, 60) for name in made.unpriced))
        console.print(f"[yellow]price not known[/]: {names}; give it in a file for --models")
        console.print("hint: without a price only `agenther run ... --max-requests N` sets a limit")
    if len(made.unpriced) < len(made.models):
        console.print("hint: `agenther run ... --max-cost-usd X` stops before OUT has cost more, and can go on later")
