"""`agenther train`: train a model on what a job wrote."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, cast

import click
import orjson

from agenther.errors import ConfigError, MissingExtra
from agenther.presets import preset_names
from agenther.record import JsonObject
from agenther.texts import path_text
from agenther.train.settings import METHODS, Method, Settings, load_settings


@click.command("train", short_help="Train a model on what a job wrote (needs the extra `train`).")
@click.argument("method", type=click.Choice(METHODS))
@click.option("--model", metavar="PATH", help="Folder or hub name of the model. [default: the preset's]")
@click.option("--data", type=click.Path(path_type=Path), metavar="OUT", required=True, help="Folder of a finished job.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="DIR", required=True, help="Folder for the trained model."
)
@click.option("--preset", default="table4", show_default=True, help=f"Settings: {', '.join(preset_names())}.")
@click.option("--full", is_flag=True, help="Train all weights instead of LoRA adapters.")
@click.option("--unweighted", is_flag=True, help="Leave the severity weights w alone.")
@click.option("--same-run", is_flag=True, help="goal-contrast: only pairs whose sides train the same turns.")
@click.option("--epochs", type=float, help="Passes over the data.")
@click.option("--max-steps", type=int, help="End after so many steps.")
@click.option("--learning-rate", type=float)
@click.option("--beta", type=float, help="Pull towards the reference model (all but sft).")
@click.option("--batch", type=int, help="Rows of one step, over all devices.")
@click.option("--device-batch", type=int, help="Rows that a device takes at once.")
@click.option("--max-length", type=int, help="Leave rows with more tokens out; none is cut.")
@click.option("--save-steps", type=int, help="Steps from one checkpoint to the next.")
@click.option("--seed", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def command(
    method: str, model: str | None, data: Path, out: Path, preset: str, full: bool, unweighted: bool, same_run: bool,
    as_json: bool, **said: Any,
) -> None:  # fmt: skip
    """Train a model on the files of a finished job: weighted, on the agent's tokens only.

    \b
    sft             imitate runs that reached their goal
    dpo             prefer the better of two runs of one goal
    kto             single runs, desirable or not
    goal-contrast   prefer a run under the goal it reached to the same run under the one it failed

    The same command goes on after an interruption. DIR gets the model, its card `README.md`, `train.json`, the loss curve
    `loss.jsonl` (and `loss.png`, if matplotlib is installed) and the last two checkpoints.
    """
    said |= {"lora_targets": () if full else None, "weighted": not unweighted, "same_run": same_run}
    settings = load_settings(cast(Method, method), preset, said)
    if (named := model or settings.model) is None:
        raise ConfigError("--model: expected a folder or a hub name, found none", "a preset of a model names one too")
    done = _train(settings, named, data, out)
    click.echo(orjson.dumps(done, option=orjson.OPT_INDENT_2).decode() if as_json else _told(done, out))


def _train(settings: Settings, model: str, data: Path, out: Path) -> JsonObject:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    try:
        from agenther.train.job import Training
    except ModuleNotFoundError as error:
        raise MissingExtra(f"training needs {error.name}", "pip install 'agenther[train]'") from error
    with _ending_cleanly():
        return Training(settings, model, data, out).run()


@contextmanager
def _ending_cleanly() -> Generator[None]:
    """End by a signal as by an error, so that temporary files are removed."""

    def end(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _told(done: JsonObject, out: Path) -> str:
    data = cast(dict[str, Any], done["data"])
    lines = [
        f"{data['rows']} rows, {data['trained_tokens']} of {data['tokens']} tokens trained, {done['steps']} steps",
        *(f"of these: {kind}: {n}" for kind, n in data["kinds"].items()),
        *(f"left out: {why}: {n}" for why, n in data["left_out"].items()),
        f"loss {_short(done['first_loss'])} -> {_short(done['last_loss'])}",
        f"model: {path_text(out)}",
    ]
    return "\n".join(lines)


def _short(loss: Any) -> str:
    return "unknown" if loss is None else f"{loss:.4g}"
