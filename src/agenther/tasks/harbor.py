"""Tasks as Harbor's folders: an image with the task's tools, a verifier of the standard library, the oracle as solution.

A task goes here when its tools can be called in a container: those of a recording, or of an environment that a package installs.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

from agenther.record import Json, canonical_json
from agenther.replay import Setting
from agenther.tasks import harness
from agenther.tasks.base import ORIGINAL, RECORDED, Rendered, SetAside, Task, Unfit
from agenther.tasks.check import decision

IMAGE = "python:3.12-slim"
_TOOL = """#!/bin/sh
# tool NAME 'ARGUMENTS AS A JSON OBJECT'; tool --list
folder="${TASK_FILES:-/opt/task}"
exec "${TASK_PYTHON:-/usr/local/bin/python3}" -I "$folder/harness.py" call "$folder/settings.json" "$@"
"""
_TEST = """#!/bin/sh
folder="$(cd "$(dirname "$0")" && pwd)"
exec "${TASK_PYTHON:-/usr/local/bin/python3}" -I "$folder/harness.py" verify "$folder/expected.json"
"""


class Harbor:
    """Task folders of Harbor.

    Args:
        requirements: what pip must install for environments by their kind.
    """

    name = "harbor"
    about = "a folder a task for Harbor: tools in a container, verifier, oracle"
    shared: tuple[str, ...] = ()
    readme = """# Harbor tasks

Each folder is a task: `harbor run -p FOLDER -a oracle` must give reward 1, an agent that does nothing gets 0.

In the container the agent calls `tool NAME 'JSON'` and, where an answer is asked for, writes `/app/answer.json`. Calls are
logged in `/app/calls.jsonl`; the verifier makes them again by itself. In a task over a recorded run the tools answer the calls
that the recorded agent made and say of all others that nothing is recorded; the recorded answers lie in the image, where an agent
that searches the file system can read them.
"""

    def __init__(self, requirements: Mapping[str, str] | None = None) -> None:
        self._requirements = dict(requirements or {})

    def render(self, task: Task, number: int) -> Rendered | SetAside:
        """Return the files of a task's folder."""
        del number
        if (why := self._unfit(task)) is not None:
            return why
        settings = {"tools": [*task.tools], "environment": _setting(task.environment)}
        files = {
            "task.toml": _toml(task),
            "instruction.md": _instruction(task),
            "environment/Dockerfile": _dockerfile(self._requirements.get(task.environment.kind)),
            "environment/harness.py": _source(),
            "environment/settings.json": _text(settings),
            "environment/tool": _TOOL,
            "tests/test.sh": _TEST,
            "tests/harness.py": _source(),
            "tests/expected.json": _text(decision(task)),
            "solution/solve.sh": _solution(task),
        }
        return Rendered(files={f"{task.id}/{path}": text for path, text in files.items()})

    def _unfit(self, task: Task) -> SetAside | None:
        kind = task.environment.kind
        if task.told_to == "simulated_user":
            return SetAside(
                Unfit.SPOKEN_BY_USER, "a simulated user has to speak, and Harbor's tasks have one instruction"
            )
        if task.checker.kind in ("url", "network"):
            return SetAside(Unfit.OTHER_KIND, "it needs the web site: `--for webarena-verified`")
        if kind == ORIGINAL:
            why = task.environment.initial.get("not_recorded")
            return SetAside(Unfit.NO_ENVIRONMENT, f"its environment is not recorded: {why}")
        if kind == RECORDED:
            return None
        if not entry_points(group=harness.GROUP, name=kind):
            return SetAside(Unfit.NO_ENVIRONMENT, f"no package that a container could install brings {kind!r}")
        if kind not in self._requirements:
            return SetAside(Unfit.NO_ENVIRONMENT, f"say what pip installs for it: --requirement {kind}=PACKAGE")
        return None


def _setting(setting: Setting) -> Json:
    return setting.model_dump(mode="json", include={"kind", "initial"})


def _source() -> str:
    return Path(harness.__file__).read_text(encoding="utf-8")


def _text(value: object) -> str:
    return canonical_json(value).decode() + "\n"


def _toml(task: Task) -> str:
    words = {"goal": task.goal, "run": task.source.trajectory_id, "example": task.source.example_id}
    words |= {"checker": task.checker.kind, "evidence": task.evidence, "domain": task.domain}
    about = "\n".join(f"{name} = {_quoted(text)}" for name, text in words.items())
    return f"""schema_version = "1.4"

[task]
name = "agenther/{task.id}"
description = {_quoted(task.goal)}

[metadata]
{about}

[agent]
timeout_sec = 900.0

[verifier]
timeout_sec = 120.0

[environment]
cpus = 1
memory_mb = 2048
"""


def _quoted(text: str) -> str:
    """Return a text as TOML has it, whose strings hold no surrogates and no raw control characters."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _instruction(task: Task) -> str:
    lines = [
        task.goal,
        "",
        "Your tools are called from the shell, and no other way to the data is part of the task:",
        "",
    ]
    lines += ["    tool --list", "    tool NAME 'ARGUMENTS AS A JSON OBJECT'", ""]
    if task.answer_format:
        lines.append(f"Write your answer to `/{harness.ANSWER}`, as JSON: {task.answer_format}.")
    else:
        lines.append("No answer is asked for: what the calls change decides.")
    return "\n".join([*lines, ""])


def _dockerfile(requirement: str | None) -> str:
    install = f"RUN pip install --no-cache-dir {shlex.quote(requirement)}\n" if requirement else ""
    return f"""FROM {IMAGE}
{install}COPY harness.py settings.json /opt/task/
COPY tool /usr/local/bin/tool
RUN chmod 755 /usr/local/bin/tool && mkdir -p /app /logs/verifier
WORKDIR /app
"""


def _solution(task: Task) -> str:
    lines = ["#!/bin/sh", "set -e"]
    for call in task.oracle.calls:
        arguments = json.dumps(call.arguments, ensure_ascii=False)
        lines.append(f"tool {shlex.quote(call.name)} {shlex.quote(arguments)}")
    if task.oracle.answer is not None:
        answer = shlex.quote(json.dumps(task.oracle.answer, ensure_ascii=False))
        place = f'"${{TASK_ROOT:-}}/{harness.ANSWER}"'
        lines += [f'mkdir -p "$(dirname {place})"', f"printf '%s\\n' {answer} > {place}"]
    return "\n".join([*lines, ""])
