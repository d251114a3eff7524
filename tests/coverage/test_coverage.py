from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from agenther.cli import group
from agenther.cli.coverage import load_embedder
from agenther.coverage.clusters import divergence, entropy, measure
from agenther.coverage.goals import read_goals
from agenther.errors import UserError
from agenther.jobs.job import Job, execute

SAMPLES = Path(__file__).parents[2] / "examples" / "runs"
KITCHEN = [f"put a clean {thing} on the kitchen table" for thing in ("mug", "plate", "pan", "fork", "spoon", "bowl")]
LIBRARY = [f"list the books by {name} in the library" for name in ("Ada", "Bo", "Cy", "Dee", "Eli", "Flo")]


def by_first_letter(texts: list[str]) -> list[list[float]]:
    return [[float(text[0] == "p"), float(text[0] != "p")] for text in texts]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8))
def test_entropy_lies_between_none_and_that_of_equal_shares(counts: list[int]) -> None:
    assert 0 <= entropy(counts) <= math.log2(len(counts)) + 1e-9


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8))
def test_divergence_is_symmetric_and_at_most_one_bit(counts: list[tuple[int, int]]) -> None:
    one, other = [a for a, _ in counts], [b for _, b in counts]
    if sum(one) and sum(other):
        assert divergence(one, other) == pytest.approx(divergence(other, one))
        assert 0 <= divergence(one, other) <= 1 + 1e-9
        assert divergence(one, [3 * n for n in one]) == pytest.approx(0, abs=1e-9)


def test_known_values() -> None:
    assert entropy([1, 1, 1, 1]) == pytest.approx(2)
    assert entropy([5, 0]) == 0
    assert divergence([4, 0], [0, 7]) == pytest.approx(1)
    assert divergence([1, 1], [2, 0]) == pytest.approx(0.311278, abs=1e-6)


def test_goals_of_another_matter_are_new_clusters_with_their_words() -> None:
    found = measure(KITCHEN, LIBRARY, k=2)
    assert sorted((c.original, c.hindsight) for c in found.clusters) == [(0, 6), (6, 0)]
    assert [c.name for c in found.new] == [next(c.name for c in found.clusters if c.hindsight)]
    assert "library" in found.new[0].name or "books" in found.new[0].name
    assert found.divergence == pytest.approx(1)
    assert found.divergence > found.chance[1]
    assert found.entropy_together == pytest.approx(1)


def test_goals_of_one_matter_lie_no_farther_apart_than_chance() -> None:
    goals = [*KITCHEN, *LIBRARY]
    random.Random(3).shuffle(goals)
    found = measure(goals[:6], goals[6:], k=2)
    assert found.divergence <= found.chance[1]
    assert not found.new


def test_an_embedder_takes_the_place_of_tf_idf() -> None:
    found = measure(KITCHEN[:4], LIBRARY[:4], k=2, embedder=by_first_letter)
    assert sorted((c.original, c.hindsight) for c in found.clusters) == [(0, 4), (4, 0)]


def test_goals_without_a_word_have_clusters_too() -> None:
    assert measure(["1", "2", "3", "4"], ["5", "6", "7", "8"]).clusters


@pytest.mark.parametrize(
    "given",
    [None, ["a"] * 8, [1.0] * 8, [[1.0]] * 7, [[math.nan]] * 8, [[math.inf]] * 8, [[]] * 8, [[1.0], [1.0, 2.0]] * 4],
)
def test_an_embedder_that_gives_no_vectors_is_said(given: object) -> None:
    with pytest.raises(UserError, match="the embedder returned"):
        measure(KITCHEN[:4], LIBRARY[:4], k=2, embedder=lambda _: given)


def test_an_embedder_that_is_none_is_refused_with_its_name() -> None:
    assert load_embedder("math:sqrt") is math.sqrt
    for name in ("math", "math:", "math:nothing", "no_such_module:f", ":f", "math:pi"):
        with pytest.raises(UserError, match="embedder"):
            load_embedder(name)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coverage") / "out"
    execute(Job((str(SAMPLES),), folder))
    return folder


def manifest_of(folder: Path) -> dict[str, object]:
    return json.loads((folder / "manifest.json").read_text())


def test_the_goals_are_those_of_all_runs_and_of_the_labels(out: Path) -> None:
    goals = read_goals(out, manifest_of(out))  # type: ignore[arg-type]
    rows = [json.loads(line) for line in (out / "examples.jsonl").read_text().splitlines()]
    assert set(goals.hindsight) == {" ".join(row["hindsight_goal"].split()) for row in rows}
    assert {" ".join(row["desired_goal"].split()) for row in rows} < set(goals.original)
    assert goals.n_hindsight == len(goals.hindsight)


def test_stats_prints_draws_and_gives_json(out: Path, tmp_path: Path) -> None:
    for name in ("a.png", "a.svg"):
        done = CliRunner().invoke(group, ["stats", str(out), "--plot", str(tmp_path / name)])
        assert done.exit_code == 0, done.output
        assert "Jensen-Shannon" in done.output
        assert (tmp_path / name).stat().st_size > 1000
    done = CliRunner().invoke(group, ["stats", str(out), "--coverage", "--clusters", "3", "--json"])
    coverage = json.loads(done.output)["coverage"]
    assert len(coverage["clusters"]) == 3
    assert sum(c["hindsight"] for c in coverage["clusters"]) == coverage["goals"]["hindsight"]
    again = CliRunner().invoke(group, ["stats", str(out), "--coverage", "--clusters", "3", "--json"])
    assert again.output == done.output


def test_a_picture_of_an_unknown_kind_is_refused(out: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(group, ["stats", str(out), "--plot", str(tmp_path / "a.txt")])
    assert isinstance(done.exception, UserError)


def test_too_few_goals_are_refused(tmp_path: Path) -> None:
    first = sorted(SAMPLES.glob("household*"))[0]
    execute(Job((str(first),), tmp_path / "few"))
    done = CliRunner().invoke(group, ["stats", str(tmp_path / "few"), "--coverage"])
    assert isinstance(done.exception, UserError)
    assert "at least 4 distinct goals of each kind" in str(done.exception)
