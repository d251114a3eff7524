from __future__ import annotations

from pathlib import Path

import datasets
import orjson
from tests.writers.writer_material import agent, call, example, result, user

from agenther.config import Config
from agenther.jobs.lines import example_row
from agenther.writers import WRITERS, dataset_card, row_line
from agenther.writers.card import EXAMPLE_COLUMNS


def test_every_file_loads_by_its_configuration(tmp_path: Path) -> None:
    one = example([user(1), agent(2, "7")])
    files = {
        "examples.jsonl": orjson.dumps(example_row(one, "train")) + b"\n",
        "train/trl/sft.jsonl": row_line(next(WRITERS["trl"].rows(one))),
        "test/trl/sft.jsonl": row_line(next(WRITERS["trl"].rows(one))),
        "train/sharegpt/sft.jsonl": row_line(next(WRITERS["sharegpt"].rows(one))),
        "train/trl/kto.jsonl": b"",
        "set_aside.jsonl": b'{"why":"no reason"}\n',
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    card = dataset_card({"files": {name: content.count(b"\n") for name, content in files.items()}})
    (tmp_path / "README.md").write_text(card, encoding="utf-8")

    cache = str(tmp_path / "cache")
    assert set(datasets.get_dataset_config_names(str(tmp_path), cache_dir=cache)) == {
        "examples",
        "trl-sft",
        "sharegpt-sft",
    }
    sft = datasets.load_dataset(str(tmp_path), "trl-sft", cache_dir=cache)
    assert set(sft) == {"train", "test"}
    assert datasets.load_dataset(str(tmp_path), cache_dir=cache)["labels"][0]["id"] == "e1"


def test_rows_of_another_shape_after_many_alike_still_load(tmp_path: Path) -> None:
    """Without the types in the card a loader takes those of the first rows, and refuses the file at the last one."""
    plain = example([user(1, "x" * 2000), agent(2, "7")])
    with_call = example([user(1), agent(2, "", call()), result(2), agent(3, "7")], (3,))
    lines = [row_line(next(WRITERS["trl"].rows(one))) for one in (plain, with_call)]
    (tmp_path / "train" / "trl").mkdir(parents=True)
    (tmp_path / "train" / "trl" / "sft.jsonl").write_bytes(lines[0] * 8000 + lines[1])
    (tmp_path / "README.md").write_text(dataset_card({"files": {"train/trl/sft.jsonl": 8001}}), encoding="utf-8")
    loaded = datasets.load_dataset(str(tmp_path), "trl-sft", split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded[8000]["prompt"][1]["tool_calls"][0]["function"]["name"] == "search"


def test_every_column_of_an_example_has_a_type() -> None:
    row = example_row(example([user(1), agent(2, "7")]), Config())
    assert list(row) == list(EXAMPLE_COLUMNS)


def test_the_card_tells_counts_and_limits() -> None:
    card = dataset_card(
        {
            "files": {"examples.jsonl": 3},
            "sources": {"intercode": 10},
            "strategies": {"final": 2, "future": 1},
            "drop_reasons": {"nothing|achieved": 7},
            "unknown": 1,
        }
    )
    assert card.startswith("---\n")
    for text in ("| intercode | 10 |", "| future | 1 |", "nothing\\|achieved", "not a probability", "Licence"):
        assert text in card


def test_an_empty_output_still_has_a_card() -> None:
    card = dataset_card({})
    assert "configs:" not in card
    assert "load_dataset" not in card


def test_the_card_says_whether_secrets_were_replaced() -> None:
    assert "were replaced by placeholders" in dataset_card({"redacted": True})
    assert "were NOT replaced" in dataset_card({"redacted": False})
