"""Recorded text on a terminal: it is hostile, so nothing in it may act as a control sequence or as markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

PIPE_WIDTH = 120
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def safe(text: str) -> str:
    """Return the text with every control character but newline and tab shown as a visible code of the same length."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str, width: int) -> str:
    """Return the text on one line, cut to a width."""
    line = " ".join(safe(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def warn_unmatched(labels: Path | None, ids: Sequence[str]) -> None:
    """Say which ids of a labels file are those of no run."""
    if ids:
        some = ", ".join(one_line(own, 60) for own in ids[:3]) + (", …" if len(ids) > 3 else "")
        click.echo(f"warning: {labels}: {len(ids)} of its ids name no run: {some}", err=True)


def warn_unmatched_paths(map_file: Path | None, paths: Sequence[str]) -> None:
    """Say which paths of a map found nothing in all that was read."""
    for path in paths:
        click.echo(f"warning: {map_file}: {one_line(path, 100)}: found nothing in any record", err=True)


def warn_broken_readers() -> None:
    """Say which readers of other packages could not be used."""
    from agenther.readers.plugins import reader_problems

    for problem in reader_problems():
        click.echo(f"warning: {one_line(problem, 400)}", err=True)


def make_console() -> Console:
    """Return a console for standard output: plain and wide where it is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)
