"""Prompts: slots are filled once and all of them, and the instruction stands after the run."""

from __future__ import annotations

from pathlib import Path

import pytest

import agenther
from agenther.stages.fence import Fencer
from agenther.stages.prompts import SYSTEM, Prompt, load_prompt, messages_for

SHIPPED = sorted(Path(agenther.__file__).parent.rglob("*.prompt.md"))


def test_slots_in_values_are_no_slots() -> None:
    assert Prompt("p", 1, "{{a}} and {{b}}").fill(a="{{b}}", b="two") == "{{b}} and two"


@pytest.mark.parametrize("values", [{}, {"a": "1"}, {"a": "1", "b": "2", "c": "3"}])
def test_missing_and_unknown_slots_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="expected values for"):
        Prompt("p", 1, "{{a}} {{b}}").fill(**values)


def test_a_file_begins_with_its_version(tmp_path: Path) -> None:
    (tmp_path / "ask.prompt.md").write_text("<!-- version 3 -->\nWhat is {{it}}?\n", encoding="utf-8")
    prompt = load_prompt(tmp_path / "ask.prompt.md")
    assert (prompt.name, prompt.version, prompt.text) == ("ask", 3, "What is {{it}}?")
    (tmp_path / "none.prompt.md").write_text("What is {{it}}?", encoding="utf-8")
    with pytest.raises(ValueError, match="version"):
        load_prompt(tmp_path / "none.prompt.md")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_shipped_prompts_demand_the_canary(path: Path) -> None:
    assert "{{canary}}" in load_prompt(path).text


def test_the_run_comes_first_and_the_instruction_last() -> None:
    fenced = Fencer(b"s").enclose("RUN", "a run")
    system, user = messages_for(fenced, "Do this.")
    assert (system.role, system.content) == ("system", SYSTEM)
    assert user.content.startswith(fenced.text)
    assert user.content.endswith("Do this.")
