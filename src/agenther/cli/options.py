"""Options that commands share, and what is wrong with the values they are given."""

from __future__ import annotations

from pathlib import Path

import click

from agenther.cli.terminal import one_line


def known_format(context: click.Context, option: click.Parameter, name: str | None) -> str | None:
    """Refuse a name that is no format's, before any file is opened."""
    if name is None:
        return None
    from agenther.readers.plugins import known_readers

    if name not in known_readers():
        raise click.BadParameter(f"no format is named {one_line(name, 60)!r}; `agenther formats` lists them")
    return name


format_option = click.option(
    "--format",
    "format_name",
    metavar="NAME",
    callback=known_format,
    help="Format of all inputs; found by looking when not given.",
)
map_option = click.option(
    "--map",
    "map_file",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Where the files hold what, for a format of your own; `agenther formats --map-template` prints one.",
)
labels_option = click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Outcomes kept elsewhere: id, success or reward.",
)
