"""Options that commands share, and what is wrong with the values they are given."""

from __future__ import annotations

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
