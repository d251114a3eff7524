import tomllib
from pathlib import Path
from typing import Any

import pytest

from counts import FIGURES, KINDS, count, explained, report

RUN = '{"messages": [{"role": "user", "content": "Feed the cat"}], "success": %s}'


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    folder = tmp_path / "corpora" / "cats" / "tom"
    folder.mkdir(parents=True)
    (folder / "runs.jsonl").write_text("\n".join(RUN % outcome for outcome in ("true", "false", "null")) + "\nno run\n")
    (folder / "SOURCE.md").write_text("two runs")
    return tmp_path / "corpora"


def judged(corpora: Path, known: dict[str, Any]) -> tuple[str, list[str]]:
    page, wrong = report({"cats": count(corpora / "cats")}, known)
    return "\n".join(page), wrong


def test_equal_counts_need_no_reason(corpora: Path):
    page, wrong = judged(
        corpora, {"cats": {"figures": {"failed": 1, "succeeded": 1, "unlabelled": 1, "unreadable": 1}}}
    )
    assert wrong == []
    assert "| cats | 3 | 1 | 1 | 1 | 1 | 1 / 1 / 1 | none |" in page
    assert "| cats | tom | 3 | 1 | 1 | 1 | 1 |" in page
    assert "| cats | 1 | no trace |" in page


@pytest.mark.parametrize(
    ("change", "reason", "is_explained"),
    [
        ({"unlabelled": 1, "unreadable": 1}, "a cat is no dog", True),
        ({"unlabelled": 1, "unreadable": 1}, " ", False),
        ({"unlabelled": 1}, "a cat is no dog", False),
        ({"unlabelled": 2, "unreadable": 1}, "a cat is no dog", False),
    ],
)
def test_a_difference_needs_a_reason_for_exactly_it(
    corpora: Path, change: dict[str, int], reason: str, is_explained: bool
):
    because = [{"change": change, "reason": reason}]
    _, wrong = judged(corpora, {"cats": {"figures": {"failed": 1, "succeeded": 1}, "because": because}})
    assert (wrong == []) == is_explained


def test_sources_without_figures_and_figures_without_source_are_named(corpora: Path):
    _, wrong = judged(corpora, {"dogs": {"figures": {}}})
    assert wrong[0] == "dogs: not in the folder"
    assert "cats: counts.toml has no figures" in wrong


def test_the_figures_are_well_formed():
    for own in tomllib.loads(FIGURES.read_text()).values():
        assert own.keys() <= {"figures", "because"}
        assert own["figures"].keys() <= set(KINDS)
        assert explained(own.get("because", [])).keys() <= set(KINDS)
