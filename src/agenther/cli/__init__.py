"""The command line. Each command is a file of its own, imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import cast

import click

from agenther import __version__
from agenther.errors import UserError

COMMANDS = (
    "run",
    "show",
    "stats",
    "read",
    "formats",
    "environments",
    "estimate",
    "batch",
    "export",
    "tasks",
    "train",
    "tokens",
)


INTERRUPTED = 130
"""Exit status of a command that was stopped from the keyboard, as shells have it."""


class LazyGroup(click.Group):
    """Imports a command's module when the command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name."""
        if cmd_name not in COMMANDS:
            return None
        return cast(click.Command, importlib.import_module(f"agenther.cli.{cmd_name}").command)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; one that is stopped from the keyboard ends with a word and the status of shells."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            sys.exit(INTERRUPTED)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "-V", "--version")
def group() -> None:
    """Turn failed LLM-agent runs into training data whose every label carries evidence.

    \b
    agenther run traces/ -o out     relabel failed runs, write training files
    agenther show out               look at one label with its evidence
    agenther stats out              what became of the runs, and why
    agenther read traces/           what is in a folder of traces
    agenther formats                the formats that are read, and how runs are labelled
    agenther environments           where runs can be made again, so that labels are seen instead of believed
    agenther estimate traces/       what asking language models would cost
    agenther batch                  ask language models by files
    agenther train sft ...          train a model on what a job wrote
    agenther export out --for swift files for further trainers, from what the job stored
    agenther tokens out --for trl   how many tokens of the rows train, and which, by the trainer's own code
    agenther tasks out --for harbor checkable tasks from the labels, with checker and solution

    Exit status: 0 the job finished (refusals are results), 1 something you can mend, 3 some input could not be
    read and the rest was done, 4 some runs wait for a larger budget or for a batch.
    """


def main() -> None:
    """Run the command line; an error that the user can mend is one line and a hint."""
    try:
        group()
    except UserError as error:
        _say(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        _say(error)
        sys.exit(1)


def _say(error: Exception) -> None:
    from agenther.cli.terminal import safe

    click.echo(f"error: {safe(str(error))}", err=True)
