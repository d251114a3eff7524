import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from agenther.readers import READERS
from agenther.readers.influence import KeyUse, find_key_use

CALL = {"id": "c1", "type": "function", "function": {"name": "ring", "arguments": "{}"}}
RUN: dict[str, Any] = {
    "id": "bell-1",
    "messages": [
        {"role": "user", "content": "Ring the bell"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "ding", "at": 17},
    ],
    "success": False,
    "note": None,
}


def use_of(path: Path, text: str) -> KeyUse:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    found = find_key_use(READERS["openai"], path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", json.dumps(RUN)),
        ("a.json", json.dumps([RUN, RUN])),
        ("a.jsonl", json.dumps(RUN)),
        ("a.jsonl.gz", f"{json.dumps(RUN)}\n{json.dumps(RUN)}"),
        ("a", json.dumps(RUN)),
    ],
)
def test_keys_are_told_apart_whatever_the_file(tmp_path: Path, name: str, text: str):
    found = use_of(tmp_path / name, text)
    assert found.ignored == {"messages[].at", "messages[].tool_calls[].type"}
    assert found.used >= {"id", "success", "messages[].role", "messages[].content", "messages[].tool_call_id"}
    assert "note" not in found.used | found.ignored
    assert not found.not_tried


def test_a_key_that_only_some_records_have_is_tried_and_counted(tmp_path: Path):
    runs = [RUN] * 9 + [{**RUN, "reward": 0.5, "weather": "fog"}]
    found = use_of(tmp_path / "a.json", json.dumps(runs))
    assert "reward" in found.used
    assert found.ignored >= {"weather"}
    assert (found.counts["weather"], found.counts["id"], found.n_records) == (1, 10, 10)


def test_a_key_is_used_when_its_value_matters_even_if_its_absence_does_not(tmp_path: Path):
    run = {**RUN, "success": None, "reward": 0.0, "metadata": {"place": "tower"}}
    assert {"reward", "metadata.place"} <= use_of(tmp_path / "a.json", json.dumps(run)).used


def test_keys_that_are_data_are_one_key(tmp_path: Path):
    query = {"dataset": "bells", "query": "How many?", "colour": "red"}
    path = tmp_path / "a.json"
    path.write_text((Path(__file__).parents[2] / "examples" / "runs" / "bakery-sql.json").read_text())
    episodes = json.loads(path.read_text())
    path.write_text(json.dumps({key: {**episode, "colour": query["colour"]} for key, episode in episodes.items()}))
    found = find_key_use(READERS["intercode"], path)
    assert found is not None
    assert "*.colour" in found.ignored
    assert "*.query" in found.used


def test_what_is_no_json_or_holds_no_run_is_not_tried(tmp_path: Path):
    path = tmp_path / "a.json"
    for text in ("no json", "", "[]", '{"messages": 3}'):
        path.write_text(text)
        assert find_key_use(READERS["openai"], path) is None


def test_deep_nesting_and_great_numbers_are_no_trouble(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(RUN)[:-1] + ', "deep": ' + "[" * 900 + "]" * 900 + "}")
    assert find_key_use(READERS["openai"], path) is None
    assert "great" in use_of(path, json.dumps({**RUN, "great": 2**64 - 1, "small": -(2**63)})).ignored


def test_files_together_a_key_used_in_one_is_used():
    together = KeyUse()
    together.add(KeyUse(1, used={"a"}, ignored={"b", "c"}))
    together.add(KeyUse(2, used={"b"}, ignored={"a"}))
    assert (together.n_records, together.used, together.ignored) == (3, {"a", "b"}, {"c"})
