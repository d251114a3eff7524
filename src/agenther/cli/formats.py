"""`agenther formats`: what can be read."""

from __future__ import annotations

from importlib.resources import files

import click
import orjson

from agenther.cli.terminal import one_line, warn_broken_readers


@click.command("formats", short_help="List the formats that are read.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--map-template", is_flag=True, help="Print a map for `--map FILE.toml`, every key explained.")
def command(as_json: bool, map_template: bool) -> None:
    """List the formats that are read, and what labels a run as failed in each.

    \b
    agenther formats --map-template > my-map.toml
    """
    from agenther.readers.plugins import known_readers

    if map_template:
        click.echo(files("agenther.readers").joinpath("map_template.toml").read_text(encoding="utf-8"), nl=False)
        return
    known = known_readers()
    warn_broken_readers()
    if as_json:
        click.echo(
            orjson.dumps({name: reader.about for name, reader in known.items()}, option=orjson.OPT_INDENT_2).decode()
        )
        return
    width = max(len(name) for name in known)
    for name, reader in known.items():
        click.echo(f"{one_line(name, 40):<{width}}  {one_line(reader.about, 400)}")
    click.echo(
        "any other JSON or JSONL: `--map FILE.toml`; `agenther formats --map-template` prints a map to start from"
    )
