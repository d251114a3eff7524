"""Runs an encoder in a process of its own: in this environment, or in another that has a consumer's framework."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from agenther.errors import MissingExtra, UserError
from agenther.train.encoders import ENCODERS, Part
from agenther.train.speakers import Rendered, Stretch

_ABSENT = 10
"""Exit status of a look for a module that is not there."""
_ERROR = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception|Missing\w*)): (.+)")


class Python(NamedTuple):
    """An environment with a framework."""

    path: str
    own: bool
    """Whether it is the one that this runs in."""


def refuse_absent(consumer: str, python: Python) -> None:
    """Raise an error if an environment lacks the code of a consumer.

    Raises:
        MissingExtra: it is not installed there.
        UserError: there is no such Python.
    """
    home = ENCODERS[consumer]
    look = "import importlib.util, sys; sys.exit(int(sys.argv[2]) * (importlib.util.find_spec(sys.argv[1]) is None))"
    try:
        command = [python.path, "-c", look, home.module, str(_ABSENT)]
        done = subprocess.run(command, env=_environ(), capture_output=True, check=False)  # noqa: S603
    except OSError as error:
        raise UserError(f"{python.path}: expected a Python, found none: {error.strerror}") from error
    if done.returncode == _ABSENT:
        where = "here" if python.own else f"for {python.path}"
        hint = f"{home.install}; in an environment of its own: --python PATH/TO/python"
        raise MissingExtra(f"{consumer}: its own code says which tokens train, and is not installed {where}", hint)
    if done.returncode:
        raise UserError(f"{python.path}: expected a Python that starts, found one that does not")


def render(parts: Sequence[Part], python: Python, limit: int | None = None) -> Generator[Rendered | None]:
    """Yield the rows of parts of one consumer as the framework makes them, in its order; None between two parts.

    Args:
        parts: they differ in kind and side alone.
        python: environment with the framework.
        limit: rows of each part after which it ends.

    Raises:
        UserError: the framework stopped at them.
    """
    first, number = parts[0], 0
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as said:
        named = [
            first.consumer,
            str(first.out),
            *(",".join(names) for names in zip(*(p[2:4] for p in parts), strict=True)),
        ]
        optional = [*([first.template] if first.template else []), *(["--limit", str(limit)] if limit else [])]
        command = [python.path, "-m", "agenther.train.encoders", *named, first.tokenizer, *optional]
        own = {"HF_DATASETS_CACHE": folder} | ({} if python.own else {"PYTHONPATH": _alone(Path(folder))})
        own |= {"HF_HUB_OFFLINE": "1"} if Path(first.tokenizer).exists() else {}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, env=_environ() | own) as process:  # noqa: S603
            try:
                for line in process.stdout or ():
                    one = _rendered(line)
                    number += one is None
                    yield one
            except GeneratorExit:
                process.kill()
                raise
        if process.returncode:
            hint = (
                "" if first.consumer == "trl" or first.template else "--template NAME says which chat template it takes"
            )
            raise UserError(f"{first.consumer} {parts[number].kind}, {parts[number].side}: {_last_error(said)}", hint)


def _environ() -> dict[str, str]:
    """Return the environment without what a folder of work might shadow: OUT/train has folders named like frameworks."""
    return {**os.environ, "PYTHONSAFEPATH": "1"}


def _alone(folder: Path) -> str:
    """Return a folder for PYTHONPATH that holds this package and nothing that is installed beside it."""
    beside = folder / "path"
    beside.mkdir()
    (beside / "agenther").symlink_to(Path(__file__).parents[1], target_is_directory=True)
    return str(beside)


def _rendered(line: bytes) -> Rendered | None:
    if (told := json.loads(line)) is None:
        return None
    stretches = tuple(Stretch(*stretch) for stretch in told["stretches"])
    return Rendered(told["row"], told["side"], stretches, tuple(told["scales"] or ()))


def _last_error(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").splitlines()
    for line in reversed(lines):
        if found := _ERROR.match(line):
            return f"{found[1]}: {found[2]}"[:400]
    return lines[-1][:400] if lines else "expected tokens, found a framework that ended without a word"
