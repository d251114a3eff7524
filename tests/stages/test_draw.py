"""Rows that stay by their weight: how many, which, and that nothing else decides."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.writers.writer_material import agent, example, unpaired, user

from agenther.stages.package.draw import bucket_of, draw_of, stays

TURNS = [user(1), agent(2, "7")]
WEIGHTS = st.floats(0, 1)


def drawn(name: str, weight: float, heaviest: int, seed: int = 0) -> bool:
    draw = draw_of("sft", example(TURNS, id=name, weight=weight), seed)
    return stays(draw.tenths, draw.chance, heaviest)


@pytest.mark.parametrize(("weight", "share"), [(0.3, 3 / 7), (0.6, 6 / 7), (0.66, 1), (0.64, 6 / 7), (0.04, 0)])
def test_the_share_that_stays_is_the_bucket_over_the_heaviest(weight: float, share: float) -> None:
    n = 4000
    found = sum(drawn(f"e{number}", weight, 7) for number in range(n))
    assert abs(found - n * share) <= 4 * math.sqrt(n * share * (1 - share))


@given(name=st.text(), light=WEIGHTS, heavy=WEIGHTS, heaviest=st.integers(1, 10), seed=st.integers(0, 3))
def test_what_is_drawn_at_a_weight_is_drawn_at_a_higher_one(
    name: str, light: float, heavy: float, heaviest: int, seed: int
) -> None:
    light, heavy = sorted((light, heavy))
    assert drawn(name, light, heaviest, seed) <= drawn(name, heavy, heaviest, seed)


@given(name=st.text(), weight=st.floats(0.05, 1), seed=st.integers())
def test_the_heaviest_always_stay(name: str, weight: float, seed: int) -> None:
    assert drawn(name, weight, bucket_of(weight), seed)


def test_another_seed_draws_others() -> None:
    picks = [{n for n in range(300) if drawn(f"e{n}", 0.4, 8, seed)} for seed in (0, 0, 1)]
    assert picks[0] == picks[1] != picks[2]


def test_the_two_sides_of_a_labelled_run_share_their_draw() -> None:
    good, bad = (unpaired(TURNS[:1], TURNS[1:], label) for label in (True, False))
    assert draw_of("kto", good, 0) == draw_of("kto", bad.model_copy(update={"id": "k2"}), 0)
