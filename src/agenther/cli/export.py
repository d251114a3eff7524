"""`agenther export`: files for further consumers from a finished job."""

from __future__ import annotations

from pathlib import Path

import click

from agenther.cli.options import consumers_option, workers_option
from agenther.cli.stats import load_manifest
from agenther.texts import path_text


@click.command("export", short_help="Write training files of a finished job for further consumers.")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@consumers_option(required=True)
@workers_option
def command(out: Path, consumers: tuple[str, ...], workers: int) -> None:
    """Write training files for further consumers, from what the job of OUT stored. No run is read or judged again.

    \b
    agenther export out --for swift
    agenther export out --for llamafactory,axolotl

    OUT/train/NAME then holds the rows, the settings that train them as they are meant, and a README with the command.
    """
    from agenther.jobs.export import export

    summary = export(out, load_manifest(out), consumers, workers)
    for name in consumers:
        for path, n_rows in sorted(summary.rows.items()):
            if path.split("/")[1:2] == [name]:
                click.echo(f"{n_rows:7}  {path_text(out / path)}")
