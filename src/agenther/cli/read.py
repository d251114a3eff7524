"""`agenther read`: what is in a folder of traces, without concluding anything."""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from agenther.cli.options import format_option, labels_option, map_option
from agenther.cli.terminal import warn_broken_readers, warn_unmatched, warn_unmatched_paths
from agenther.errors import UserError


@click.command("read", short_help="Say what is in files and folders of traces.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@format_option
@map_option
@labels_option
@click.option("--runs", "each_run", is_flag=True, help="Print a line a run, with its id.")
@click.option(
    "--explain", is_flag=True, help="Print a line a file, and which keys of the records are used and ignored."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a run, then one with the summary.")
def command(
    inputs: tuple[str, ...],
    format_name: str | None,
    map_file: Path | None,
    labels: Path | None,
    each_run: bool,
    explain: bool,
    as_json: bool,
) -> None:
    """Read traces and say what they are: how many of each format, how they ended, what says so, what was passed over.

    \b
    agenther read traces/
    agenther read traces/ --runs | less
    agenther read traces/ --explain
    agenther read traces/ --json | jq -r 'select(.success == false) | .id'

    With --json --explain there is an object a file and one a format instead of one a run.
    """
    from agenther.cli.survey import Show, Survey
    from agenther.jobs.inputs import map_reader, read_files
    from agenther.readers.labels import Labeller

    _refuse_missing(inputs)
    labeller, reader = Labeller(labels), map_reader(map_file, format_name)
    survey = Survey(labeller, Show(as_json, each_run or (as_json and not explain), explain))
    for file in read_files(inputs, format=format_name, reader=reader, pass_over=survey.passed.add):
        for line in survey.read(file):
            click.echo(line)
    unmatched, unmatched_paths = labeller.unmatched(), reader.unmatched() if reader is not None else []
    if labels is not None:
        survey.total["labels_unmatched"] = len(unmatched)
    for line in survey.close():
        click.echo(line)
    warn_unmatched(labels, unmatched)
    warn_unmatched_paths(map_file, unmatched_paths)
    warn_broken_readers()
    if survey.is_empty():
        raise UserError(
            f"{' '.join(inputs)}: expected traces, found no file that could be one",
            "see `agenther formats`; what a job wrote is not read",
        )
    if survey.total["unreadable"]:
        sys.exit(3)


def _refuse_missing(inputs: Iterable[str]) -> None:
    """Refuse names that lead to nothing, as a job does: they are slips of the hand, not input that cannot be read."""
    for name in inputs:
        if name != "-" and not Path(name).exists() and not glob.glob(name, recursive=True):
            raise UserError(f"{name}: expected a file, a folder or a pattern that matches some, found nothing")
