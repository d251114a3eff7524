"""`agenther formats`: what can be read."""

from __future__ import annotations

from importlib.resources import files

import click
import orjson


@click.command("formats")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--map-template", is_flag=True, help="Print a map for `--map FILE.toml`, every key explained.")
def command(as_json: bool, map_template: bool) -> None:
    """List the formats that are read, and what labels a run as failed in each.

    \b
    agenther formats --map-template > my-map.toml
    """
    from agenther.readers import READERS

    if map_template:
        click.echo(files("agenther.readers").joinpath("map_template.toml").read_text(encoding="utf-8"), nl=False)
        return
    if as_json:
        click.echo(
            orjson.dumps({name: reader.about for name, reader in READERS.items()}, option=orjson.OPT_INDENT_2).decode()
        )
        return
    width = max(len(name) for name in READERS)
    for name, reader in READERS.items():
        click.echo(f"{name:<{width}}  {reader.about}")
    click.echo(
        "any other JSON or JSONL: `--map FILE.toml`; `agenther formats --map-template` prints a map to start from"
    )
