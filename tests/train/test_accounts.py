"""Rows are found again in what a framework made of them, and their tokens counted by who speaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agenther.errors import UserError
from agenther.train.accounts import Account, account_of
from agenther.train.encoders import Part
from agenther.train.speakers import Rendered, Stretch, find_texts, texts_of

NAMES = ("anchor", "beacon", "cutter", "dinghy")


def row(name: str) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "count", "arguments": {"thing": "7"}}}
    return {
        "prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"Count every {name}."}],
        "completion": [
            {"role": "assistant", "content": f"I look for a {name}.", "tool_calls": [call]},
            {"role": "tool", "content": "7", "tool_call_id": "c1", "name": "count"},
            {"role": "assistant", "content": f"There are seven of {name}."},
        ],
        "metadata": json.dumps({"id": f"id-{name}"}),
    }


def stretches(name: str, *, results_train: bool = False) -> list[Stretch]:
    """Return the row as a template writes it; a token is a character."""
    texts = [
        (False, f"[sys]Be brief.[user]Count every {name}.[agent]"),
        (True, f'I look for a {name}. count {{"thing": "7"}}[end]'),
        (results_train, "[tool]7[agent]"),
        (True, f"There are seven of {name}.[end]"),
    ]
    return [Stretch(trained, len(text), text) for trained, text in texts]


def rendered(number: int, made: list[Stretch]) -> Rendered:
    return Rendered(number, "", tuple(made), ())


def account(tmp_path: Path, made: list[list[Stretch]], limit: int | None = None) -> Account:
    part = Part(tmp_path, "trl", "sft", "train", "tiny")
    part.rows.parent.mkdir(parents=True)
    part.rows.write_text("".join(json.dumps(row(name)) + "\n" for name in NAMES), encoding="utf-8")
    return account_of(part, (rendered(n, one) for n, one in enumerate(made)), limit)


def test_tokens_are_counted_by_who_speaks(tmp_path: Path) -> None:
    one = account(tmp_path, [stretches(name) for name in NAMES])
    assert (one.rows, one.loaded, one.n_dropped, one.n_unlike) == (4, 4, 0, 0)
    yes, no = one.roles(True), one.roles(False)
    assert yes == {"system": 0, "user": 0, "tool": 0, "agent": one.trained}
    asked = sum(len(f"Count every {name}.") for name in NAMES)
    assert no == {"system": 36, "user": asked, "tool": 4, "agent": 0, "template": sum(no.values()) - asked - 40}
    assert sum(no.values()) == one.tokens - one.trained
    assert one.longest == max(sum(s.n_tokens for s in stretches(name)) for name in NAMES)


def test_a_trained_result_is_told_from_the_argument_that_it_repeats(tmp_path: Path) -> None:
    one = account(tmp_path, [stretches(name, results_train=True) for name in NAMES])
    assert one.roles(True)["tool"] == 4


def test_dropped_rows_are_named(tmp_path: Path) -> None:
    one = account(tmp_path, [stretches("beacon"), stretches("dinghy")])
    assert (one.loaded, one.n_dropped, one.dropped) == (2, 2, ["id-anchor", "id-cutter"])
    assert one.unlike == []


def test_rows_dropped_at_the_end_are_named(tmp_path: Path) -> None:
    assert account(tmp_path, [stretches("anchor")]).dropped == ["id-beacon", "id-cutter", "id-dinghy"]


def test_a_cut_row_is_loaded_and_named(tmp_path: Path) -> None:
    one = account(tmp_path, [stretches("anchor"), stretches("beacon")[:-1], *(stretches(n) for n in NAMES[2:])])
    assert (one.loaded, one.n_dropped, one.unlike) == (4, 0, ["id-beacon"])


def test_rows_after_the_limit_are_not_taken_for_dropped(tmp_path: Path) -> None:
    one = account(tmp_path, [stretches("anchor"), stretches("beacon")], limit=2)
    assert (one.rows, one.seen, one.loaded, one.n_dropped) == (4, 2, 2, 0)


def test_a_framework_that_makes_more_rows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="makes more"):
        account(tmp_path, [stretches("anchor")] * 5)


@pytest.mark.parametrize(
    ("dialect", "side"),
    [
        (
            {
                "system": "Be brief.",
                "conversations": [
                    {"from": "human", "value": "Count."},
                    {
                        "from": "function_call",
                        "value": 'Look.\n<tool_call>{"name": "count", "arguments": {}}</tool_call>',
                    },
                    {"from": "observation", "value": "seven"},
                ],
                "chosen": {"from": "gpt", "value": "Seven."},
            },
            "chosen",
        ),
        (
            {
                "messages": [{"role": "user", "content": "another"}],
                "rejected_messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "Count."},
                    {"role": "assistant", "content": "Look."},
                    {"role": "tool_call", "content": '{"name": "count", "arguments": {}}'},
                    {"role": "tool_response", "content": "seven"},
                    {"role": "assistant", "content": "Seven."},
                ],
            },
            "rejected",
        ),
        (
            {
                "system": "Be brief.",
                "conversations": [
                    {"from": "human", "value": "Count."},
                    {"from": "gpt", "value": "Look."},
                    {"from": "human", "value": "Observation: seven"},
                    {"from": "gpt", "value": "Seven."},
                ],
            },
            "",
        ),
    ],
)
def test_every_dialect_says_who_speaks(dialect: dict[str, Any], side: str) -> None:
    assert list(texts_of(dialect, side)) == [
        ("system", "Be brief."),
        ("user", "Count."),
        ("agent", "Look."),
        ("tool", "seven"),
        ("agent", "Seven."),
    ]


def test_texts_are_found_as_templates_and_tokenizers_write_them() -> None:
    composed = "caf\u00e9"
    made = f'[user]say "{composed}"[tool]"two\\nlines"[tool]17 of 7[agent]'
    texts = list(texts_of({"messages": [user('say "cafe\u0301"'), tool("two\nlines"), tool("7")]}, ""))
    places = find_texts(texts, rendered(0, [Stretch(False, 1, made)]))
    assert [made[a:b] for _, a, b in places.found] == [f'say "{composed}"', "two\\nlines", "7"]
    assert (places.n_missing, places.n_after) == (0, len("[agent]"))


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def tool(text: str) -> dict[str, str]:
    return {"role": "tool", "content": text}
