"""`agenther run`: the main job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from agenther.cli import INTERRUPTED
from agenther.cli.model_options import ModelChoice, model_options
from agenther.cli.options import (
    config_option,
    consumers_option,
    format_option,
    labels_option,
    length_options,
    limit_option,
    map_option,
    replay_options,
    weights_option,
    workers_option,
)
from agenther.cli.terminal import make_console, one_line, warn_broken_readers, warn_unmatched, warn_unmatched_paths
from agenther.config import DOMAINS_ON, DOMAINS_OPTIONAL, load_config
from agenther.errors import ConfigError

if TYPE_CHECKING:
    from agenther.jobs.manifest import Summary

WAITING = 4
"""Exit status of a job whose runs wait for a budget or a batch: all else is done."""
DOMAIN_HELP = (
    f"Relabel only this domain; repeat for several. By default: {', '.join(DOMAINS_ON)}. "
    f"Optional: {', '.join(DOMAINS_OPTIONAL)}."
)


@click.command("run")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder to write to; made if missing."
)
@format_option
@map_option
@labels_option
@config_option
@click.option(
    "--domain",
    "domains",
    multiple=True,
    metavar="NAME",
    help=DOMAIN_HELP,
)
@consumers_option()
@weights_option
@length_options
@click.option(
    "--include-successes", is_flag=True, default=None, help="Write successful runs too, marked origin=success."
)
@click.option(
    "--no-redact", is_flag=True, help="Keep secrets and personal data as they are: they WILL be in every output file."
)
@replay_options
@workers_option
@model_options
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    default=16,
    show_default=True,
    metavar="N",
    help="Requests in flight at once, at most; fewer while a server says it is too many.",
)
@click.option(
    "--max-cost-usd",
    type=click.FloatRange(0),
    metavar="X",
    help="Stop before OUT has cost more; go on with a larger X.",
)
@click.option("--max-requests", type=click.IntRange(0), metavar="N", help="Stop before OUT has cost more requests.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(1),
    default=120.0,
    metavar="S",
    help="Seconds to wait for one answer.  [default: 120]",
)
@click.option(
    "--patience",
    "patience_s",
    type=click.FloatRange(0),
    default=600.0,
    metavar="S",
    help="Seconds of nothing but failures after which a server is given up.  [default: 600]",
)
@click.option("--batch", is_flag=True, help="Ask nothing now: keep the requests for `agenther batch export OUT`.")
@limit_option
@click.option("--seed", type=int, help="Seed of the train/test split and of shuffles.")
@click.option("--strict", is_flag=True, help="Stop at the first input that cannot be read.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    inputs: tuple[str, ...],
    out: Path,
    format_name: str | None,
    map_file: Path | None,
    labels: Path | None,
    config_file: Path | None,
    domains: tuple[str, ...],
    consumers: tuple[str, ...],
    include_successes: bool | None,
    no_redact: bool,
    workers: int,
    limit: int | None,
    strict: bool,
    as_json: bool,
    chosen: ModelChoice,
    concurrency: int,
    max_cost_usd: float | None,
    max_requests: int | None,
    timeout_s: float,
    patience_s: float,
    batch: bool,
    replay: dict[str, Any],
    **of_the_pass: Any,
) -> None:
    """Relabel the failed runs of INPUT and write training files to OUT.

    INPUT is any number of files, folders and globs, or - for standard input. Formats are found by looking into the
    files. In rule mode nothing leaves this machine; with models, the redacted runs go to the endpoints that are named.

    \b
    agenther run traces/ -o out
    agenther run 'logs/**/*.jsonl' -o out --workers 4
    cat runs.jsonl | agenther run - -o out --labels outcomes.csv
    agenther run traces/ -o out --mode llm --model gpt-4o-mini --judge qwen3@http://host:8000/v1 --max-cost-usd 5

    Stopped or killed, the same command goes on where it was. OUT then holds examples.jsonl (labels with evidence),
    dropped.jsonl (why the others are none), errors.jsonl, train/ and test/ (rows for trainers), manifest.json and
    run.sqlite (every run as stored, which the evidence points into).
    """
    from agenther.jobs.asking import Asking
    from agenther.jobs.job import Job, execute
    from agenther.jobs.replaced import find_manifest, said_replaced
    from agenther.jobs.report import show_progress
    from agenther.jobs.resume import remember
    from agenther.llm.models import load_models

    config = load_config(
        config_file,
        domains=domains or None,
        include_successes=include_successes,
        redact=False if no_redact else None,
        replay=replay.pop("on"),
        **of_the_pass,
        **chosen.settings(),
    )
    models = load_models(chosen.named, chosen.models_file)
    asking = Asking(models, concurrency, max_cost_usd, max_requests, timeout_s, patience_s, batch)
    job = Job(inputs, out, config, format_name, labels, limit, workers, strict, map_file, asking, consumers, **replay)
    if batch and ("-" in inputs or not config.asks_models):
        found = "standard input, which cannot be read again" if "-" in inputs else "rules alone"
        raise ConfigError(f"--batch: expected files and a job that asks models, found {found}")
    before = find_manifest(out)
    try:
        with show_progress(job) as shown:
            summary = execute(job, shown.tick, shown.watch)
    except KeyboardInterrupt:
        click.echo("stopped: the same command goes on where it was", err=True)
        sys.exit(INTERRUPTED)
    remember(job)
    if before is not None and (replaced := said_replaced(out, before)):
        click.echo(f"note: {one_line(replaced, 600)}", err=True)
    warn_unmatched(labels, summary.unmatched_labels)
    warn_unmatched_paths(map_file, summary.unmatched_paths)
    warn_broken_readers()
    _tell(summary, out, as_json=as_json)
    if summary.counts["unreadable"] or summary.counts["errors"]:
        sys.exit(3)
    if summary.counts["open"]:
        sys.exit(WAITING)


def _tell(summary: Summary, out: Path, *, as_json: bool) -> None:
    """Print what the job did."""
    from agenther.jobs.report import print_summary

    if as_json:
        click.echo(orjson.dumps(summary.to_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        print_summary(summary, out, make_console())
        if summary.counts["unreadable"]:
            click.echo(f"what could not be read: {one_line(str(out / 'errors.jsonl'), 200)}", err=True)
