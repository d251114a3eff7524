"""The encoder of our own trainers, from files to counts: trained are the agent's unmasked turns, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.train.tiny import TRAINED, write_rows

from agenther.train.accounts import Matched, account_of
from agenther.train.encoders import Part, load_encoder
from agenther.train.encoders.__main__ import line_of
from agenther.train.speakers import Rendered, Stretch

pytestmark = pytest.mark.train


@pytest.mark.parametrize(("kind", "n_sides"), [("sft", 1), ("dpo", 2), ("kto", 1)])
def test_the_account_of_a_file_says_what_trains(tmp_path: Path, tiny: Path, kind: str, n_sides: int) -> None:
    part = Part(write_rows(tmp_path), "trl", kind, "train", str(tiny))
    seen: list[Matched] = []
    account = account_of(part, encoded(part), see=seen.append)
    assert (account.rows, account.loaded, account.n_dropped, account.n_unlike) == (2, 2, 0, 0)
    assert [stretch.text for stretch in seen[0].rendered.stretches if stretch.trained] == TRAINED
    assert len(seen) == 2 * n_sides
    assert account.roles(True) == {"system": 0, "user": 0, "tool": 0, "agent": account.trained}
    assert account.roles(False)["tool"] >= len("NO result")
    assert account.roles(False)["user"] >= len("NO goal")


def encoded(part: Part) -> Iterator[Rendered]:
    tokenizer, sides = load_encoder("trl").encode(part)
    for one in sides:
        told = line_of(one, tokenizer)
        yield Rendered(told["row"], told["side"], tuple(Stretch(*stretch) for stretch in told["stretches"]), ())
