"""Many items in the air at once: all come back, no more than allowed, none left behind when one fails."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from agenther.jobs.flights import Flights


class Air:
    """Counts who is in the air."""

    def __init__(self) -> None:
        self.now = self.most = self.cancelled = self.closed = 0

    async def fly(self, n: int) -> int:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0.001 * (n % 3))
            if n < 0:
                raise ValueError(n)
            return n
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.now -= 1

    async def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("width", [1, 7, 100])
def test_every_item_comes_back_and_no_more_are_in_the_air_than_allowed(width: int) -> None:
    air = Air()
    assert sorted(Flights(air.fly, width, air.close).map(range(50))) == list(range(50))
    assert air.most == min(width, 50)
    assert air.closed == 1


def test_nothing_to_do_is_done() -> None:
    assert list(Flights(Air().fly, 3).map(())) == []


def test_items_are_taken_only_as_there_is_room() -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for n in range(100):
            taken.append(n)
            yield n

    back = Flights(Air().fly, 4).map(source())
    next(back)
    assert len(taken) <= 8
    back.close()


def test_an_error_ends_what_is_under_way() -> None:
    air = Air()
    with pytest.raises(ValueError):
        list(Flights(air.fly, 4, air.close).map([2, 5, -3, 8]))
    assert air.now == 0
    assert air.closed == 1


def test_stopping_early_lands_everybody() -> None:
    air = Air()
    back = Flights(air.fly, 8, air.close).map(range(100))
    next(back)
    back.close()
    assert air.now == 0
    assert air.closed == 1


def test_an_error_that_befalls_all_at_once_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def crash(_: int) -> int:
        raise ValueError("all crash")

    with pytest.raises(ValueError, match="all crash"):
        list(Flights(crash, 8).map(range(20)))
    gc.collect()
    assert caplog.records == []
