"""Invented Python projects with seeded bugs: the worlds in which the labels of coding runs are measured.

They have what makes labels go wrong: tests that pass only in company, tests that leave something on the disk, modules
that several tests use, two files of one name, data files, repairs that break another test.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Bug:
    """A line that is right in the project and wrong in a seeded copy."""

    path: str
    right: str
    wrong: str
    attempts: tuple[str, ...]
    """What an agent may write instead of the right line: wrong, or right for one test only."""


@dataclass(frozen=True)
class Repo:
    """A project."""

    name: str
    files: dict[str, str]
    bugs: tuple[Bug, ...]
    commands: tuple[str, ...]
    """Commands that run all tests, or some."""
    byproducts: tuple[str, ...]
    """Files that the tests themselves leave behind."""

    def seeded(self, bugs: tuple[Bug, ...]) -> dict[str, str]:
        """Return the files with these bugs in them."""
        files = dict(self.files)
        for bug in bugs:
            assert files[bug.path].count(bug.right) == 1, bug
            files[bug.path] = files[bug.path].replace(bug.right, bug.wrong)
        return files


def load() -> tuple[Repo, ...]:
    """Return the projects of the data file."""
    held: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["repo"]
    return tuple(
        Repo(
            name=one["name"],
            files=one["files"],
            bugs=tuple(Bug(**bug | {"attempts": tuple(bug["attempts"])}) for bug in one["bugs"]),
            commands=tuple(one["commands"]),
            byproducts=tuple(one["byproducts"]),
        )
        for one in held
    )


REPOS = load()
"""All projects."""
