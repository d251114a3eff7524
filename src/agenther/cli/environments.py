"""`agenther environments`: where runs can be made again."""

from __future__ import annotations

import click
import orjson

from agenther.cli.terminal import one_line


@click.command("environments", short_help="List the environments in which runs can be made again.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(as_json: bool) -> None:
    """List the environments in which runs can be made again, and whether each of them is set up.

    A run names its environment and its initial state under the label `environment`. How to add one: docs/guides/environments.md.
    """
    from agenther.environments.plugins import environment_problems, known_environments, why_not_ready

    known = known_environments()
    for problem in environment_problems():
        click.echo(f"warning: {one_line(problem, 400)}", err=True)
    lacking = {name: why_not_ready(environment) for name, environment in known.items()}
    if as_json:
        listed = {name: {"about": env.about, "not_ready": lacking[name]} for name, env in known.items()}
        click.echo(orjson.dumps(listed, option=orjson.OPT_INDENT_2).decode())
        return
    width = max(len(name) for name in known)
    for name, environment in known.items():
        click.echo(f"{one_line(name, 40):<{width}}  {one_line(environment.about, 400)}")
        click.echo(f"{'':<{width}}  {one_line('not ready: ' + lacking[name] if lacking[name] else 'ready', 400)}")
