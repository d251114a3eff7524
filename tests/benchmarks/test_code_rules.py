"""The study that executes coding labels: its projects can be seeded, and a label that does not come true is found."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.stages.code_runs import run, shell

from agenther.conclusions import Example
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.stages.parts import rule_parts
from code_repos import REPOS, Repo
from code_rules import Truth, inside, kind_of
from code_sandbox import Sandbox


def label(command: str) -> Example:
    calls = (shell(command, ""), shell("cat todo.txt", "Oil the press\n"))
    config = Config(domains=("files",))
    (example,) = asyncio.run(relabel(run(*calls), rule_parts(config), config)).examples
    return example


@pytest.mark.parametrize("repo", REPOS, ids=lambda repo: repo.name)
def test_every_bug_can_be_seeded(repo: Repo) -> None:
    for bug in repo.bugs:
        assert repo.seeded((bug,)) != repo.files
        assert bug.right not in bug.attempts


def test_a_label_that_comes_true(tmp_path: Path) -> None:
    repo = REPOS[0]
    assert Truth(tmp_path, label("echo 'Oil the press' > todo.txt"), repo, repo.files, "plain").fault() is None


@pytest.mark.parametrize("other", ["Oil the pump", "Oil the press > notes.txt #"])
def test_a_label_that_does_not(tmp_path: Path, other: str) -> None:
    repo, honest = REPOS[0], label("echo 'Oil the press' > todo.txt")
    text = Example.model_validate_json(honest.model_dump_json().replace("'Oil the press'", f"'{other}'"))
    assert Truth(tmp_path, text, repo, repo.files | {"todo.txt": "old"}, "plain").fault() is not None


def test_the_shell_keeps_its_directory_and_shows_no_other(tmp_path: Path) -> None:
    box = Sandbox(tmp_path, REPOS[0].files, "footed")
    assert box.shell("cd orchard && pwd").startswith("/repo/orchard\n")
    assert box.shell("pwd").endswith("[Current working directory: /repo/orchard]")
    assert str(tmp_path) not in box.shell("ls -d /repo/*")


def test_what_a_goal_names() -> None:
    assert inside("/repo/a/b.py") == inside("a/b.py") == "a/b.py"
    assert inside("../b.py") == "../b.py"
    assert kind_of("Fix a.py so that `npm test` passes") == "a command"
    assert kind_of('Write the script a.py that prints "x"') == "a script"
