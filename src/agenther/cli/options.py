"""Options that commands share, and what is wrong with the values they are given."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

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


def _made_ready(context: click.Context, option: click.Parameter, n_workers: int) -> int:
    """Return no more processes than can be of use, and have them made ready while the command imports what it needs."""
    n_useful = min(n_workers, 4 * (os.cpu_count() or 1))
    if n_useful > 1 and not context.resilient_parsing:  # a shell that asks how the line may go on runs nothing
        from agenther.jobs.workers import start_server

        start_server()
    return n_useful


workers_option = click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    callback=_made_ready,
    help="Processes to use; the output is the same for any number.",
)


def consumers_option(*, required: bool = False) -> Callable[..., Any]:
    """Return the option that names the consumers for whom training files are written."""
    by_default = "" if required else "  [default: trl,sharegpt]"
    return click.option(
        "--for",
        "consumers",
        metavar="NAME[,NAME]",
        required=required,
        callback=_known_consumers,
        help=f"Whom training files are for: trl, sharegpt, swift, llamafactory, axolotl, openai, atif.{by_default}",
    )


def _known_consumers(context: click.Context, option: click.Parameter, names: str | None) -> tuple[str, ...]:
    """Return the consumers that are named, and say which kinds of files they have no place for; refuse unknown names."""
    from agenther.writers import DEFAULT, WRITERS, known_consumers

    if names is None:
        return DEFAULT
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in WRITERS]:
        raise click.BadParameter(f"no consumer is named {one_line(unknown[0], 60)!r}; there are {', '.join(WRITERS)}")
    if not wanted:
        raise click.BadParameter(f"no consumer is named; there are {', '.join(WRITERS)}")
    for name in wanted:
        for kind, why in WRITERS[name].refuses.items():
            click.echo(f"note: {name} has no {kind}: {why}", err=True)
    return known_consumers(wanted)


weights_option = click.option(
    "--weights",
    type=click.Choice(("act", "ignore")),
    help="act: where a trainer has no weight for single rows, draw them by the severity weight w; ignore: write all rows, "
    "and have trainers leave w alone.  [default: act]",
)


def length_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how long rows may be, and who counts."""
    most = click.option(
        "--max-tokens",
        type=click.IntRange(0),
        metavar="N",
        help="Most tokens of a row: longer examples become windows that begin with the goal, longer preferences are set "
        "aside, and all of it is counted. 0: no limit.  [default: 0]",
    )
    tokenizer = click.option(
        "--tokenizer",
        metavar="PATH",
        help="tokenizer.json that counts them, or the folder of a model with one; `estimate`: by characters, rather too many "
        "than too few.  [default: estimate]",
    )
    return most(tokenizer(command))


def replay_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of replay; it takes them as one argument `replay`, whether to replay under `on`."""

    @wraps(command)
    def with_choice(no_replay: bool, environment: str | None, policy: Path | None, **others: Any) -> Any:
        chosen = {"on": False if no_replay else None, "environment": environment, "policy": policy}
        return command(replay=chosen, **others)

    off = click.option("--no-replay", is_flag=True, help="Make no calls again, also where an environment is at hand.")
    which = click.option(
        "--environment",
        metavar="NAME[=FILE]",
        help="Environment of runs that name none, and a JSON file of their initial states by task id; "
        "`agenther environments` lists names.",
    )
    policy = click.option(
        "--policy",
        type=click.Path(path_type=Path),
        metavar="FILE.toml",
        help="Side effects that refuse a replayed label, instead of those that come with AgentHER.",
    )
    return off(which(policy(with_choice)))


config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Settings; options win over it.",
)
limit_option = click.option("--limit", type=click.IntRange(1), metavar="N", help="Stop after N runs.")
