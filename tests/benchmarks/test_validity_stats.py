"""Shares of pairs that come in clusters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validity_report import page
from validity_stats import effective, exact_bounds, share


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(0, 100, 0, 0.0362), (1, 100, 0.0003, 0.0545), (50, 100, 0.398, 0.602), (5, 5, 0.478, 1)],
)
def test_bounds_are_those_of_clopper_and_pearson(k: int, n: int, low: float, high: float) -> None:
    assert exact_bounds(k, n) == pytest.approx((low, high), abs=6e-4)


def test_no_event_still_has_an_upper_bound() -> None:
    found = share((f"t{n % 10}", False) for n in range(100))
    assert (found.k, found.n, found.low) == (0, 100, 0)
    assert found.high == pytest.approx(0.0362, abs=1e-3)
    assert found.worst == pytest.approx(0.3085, abs=1e-3)


def test_events_of_one_task_count_for_less() -> None:
    spread = share((f"t{n}", n % 10 == 0) for n in range(100))
    heaped = share((f"t{n // 10}", n // 10 == 0) for n in range(100))
    assert spread.k == heaped.k
    assert heaped.high > spread.high
    assert heaped.hit_clusters == 1
    assert effective([(10, 10), *[(0, 10)] * 9]) == pytest.approx(10 * 10 / 9)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.booleans()), min_size=1, max_size=40))
def test_a_share_lies_within_its_bounds(events: list[tuple[str, bool]]) -> None:
    found = share(events)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found == share(events)


def test_nothing_has_no_share() -> None:
    assert share([]).text() == "none"


def test_a_page_keeps_what_other_halves_and_people_wrote() -> None:
    order = ("One half", "Other half")
    both = page(page("", order[1], "two", order), order[0], "one", order) + "\n## What is wrong\n\nMuch.\n"
    again = page(both, order[1], "new", order)
    assert again.index("one") < again.index("new") < again.index("Much.")
    assert "two" not in again
