"""`agenther export`: files for further consumers from a finished job."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from agenther.cli.options import consumers_option, length_options, weights_option, workers_option
from agenther.cli.stats import load_manifest
from agenther.config import WeightUse
from agenther.record import JsonObject
from agenther.texts import path_text


@click.command("export", short_help="Write training files of a finished job for further consumers.")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@consumers_option(required=True)
@weights_option
@length_options
@workers_option
def command(
    out: Path,
    consumers: tuple[str, ...],
    weights: WeightUse | None,
    max_tokens: int | None,
    tokenizer: str | None,
    workers: int,
) -> None:
    """Write training files for further consumers, from what the job of OUT stored. No run is read or judged again.

    \b
    agenther export out --for swift
    agenther export out --for llamafactory,axolotl
    agenther export out --for swift --max-tokens 4096 --tokenizer models/qwen2.5-7b

    OUT/train/NAME then holds the rows, the settings that train them as they are meant, and a README with the command, which
    says too what becomes of w, the severity weight of each failure. What --weights,
    --max-tokens and --tokenizer do not say is what the job was told; what they say holds for the files of earlier consumers
    as well, which are written anew.
    """
    from agenther.jobs.export import export
    from agenther.jobs.lines import SET_ASIDE

    manifest = load_manifest(out)
    told = {"weights": weights, "max_tokens": max_tokens, "tokenizer": tokenizer}
    before = cast(JsonObject, manifest.get("config", {}))
    summary = export(out, manifest, consumers, workers, **told)
    named = [[name] for name in consumers]
    anew = any(value is not None and value != before.get(name) for name, value in told.items())
    for path, n_rows in sorted(summary.rows.items()):
        if anew or path == SET_ASIDE or path.split("/")[1:2] in named:
            undrawn = summary.undrawn.get(path)
            note = f"  ({undrawn.total()} not drawn by weight)" if undrawn else ""
            fit = said.said(summary.max_tokens) if (said := summary.sizes.get(path)) else ""
            click.echo(f"{n_rows:7}  {path_text(out / path)}{note}{fit}")
