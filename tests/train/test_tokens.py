"""Trained are exactly the agent's unmasked turns: the texts say which those are."""

from __future__ import annotations

import itertools
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.train.tiny import LONGER, TRAINED, write_rows
from tests.writers.writer_material import agent, call, example, examples, result, user
from transformers import AutoTokenizer
from trl import chat_template_utils

from agenther.conclusions import Example
from agenther.errors import UserError, WriteError
from agenther.testing.tiny_model import make_tiny_model
from agenther.train.dataset import Tally, write_dataset
from agenther.train.job import training_template
from agenther.train.rows import Sample, read_samples, side_of_turns
from agenther.train.tokens import ChatTokens
from agenther.writers import WRITERS

pytestmark = pytest.mark.train


@pytest.fixture(scope="session")
def tokenizer(tiny: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny)


def trained_texts(tokenizer: Any, ids: list[int], trained: list[bool]) -> list[str]:
    """Return the stretches of trained tokens as text."""
    stretches = itertools.groupby(zip(ids, trained, strict=True), key=lambda one: one[1])
    return [tokenizer.decode([token for token, _ in group]) for yes, group in stretches if yes]


def texts_of(tokenizer: Any, one: Example, chat: ChatTokens) -> list[str]:
    found = []
    for row in WRITERS["trl"].rows(one):
        side = side_of_turns(row["prompt"], row["completion"])
        found += trained_texts(tokenizer, *chat(side.messages, json.loads(one.tools), side.trained))
    return found


def test_the_agents_unmasked_turns_are_trained_and_nothing_else(tokenizer: Any) -> None:
    chat = ChatTokens(tokenizer)
    assert texts_of(tokenizer, example(LONGER, train_on=(4, 6)), chat) == TRAINED
    whole = texts_of(tokenizer, example(LONGER), chat)
    assert whole == ['masked NO CALL look {"at": "NO"}<|end|>', *TRAINED]


@pytest.mark.parametrize("method", ["sft", "dpo", "kto"])
def test_rows_from_files_train_the_agent_only(tmp_path: Path, tokenizer: Any, method: Any) -> None:
    samples = read_samples(write_rows(tmp_path) / "train" / "trl" / f"{method}.jsonl", method)
    tally = Tally()
    rows = write_dataset(samples, ChatTokens(tokenizer), 4000, tmp_path / "rows.arrow", tally)
    assert len(rows) == tally.rows == 2
    texts = trained_texts(tokenizer, rows[0]["ids"], rows[0]["trained"])
    assert texts == TRAINED
    if method == "dpo":
        worse = trained_texts(tokenizer, rows[0]["other_ids"], rows[0]["other_trained"])
        assert worse == ['TRAINED worse CALL count {"thing": "TRAINED"}<|end|>', "TRAINED end<|end|>"]
    columns = [(row[f"{side}ids"], row[f"{side}trained"]) for row in rows for side in sides(method)]
    assert tally.trained_tokens == sum(sum(trained) for _, trained in columns)
    assert tally.tokens == sum(len(ids) for ids, _ in columns)


def sides(method: str) -> tuple[str, ...]:
    return ("", "other_") if method == "dpo" else ("",)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_example_trains_its_trained_turns(tiny_tokens: tuple[Any, ChatTokens], data: st.DataObject) -> None:
    tokenizer, chat = tiny_tokens
    one = data.draw(examples())
    expected = []  # normalised as the tokenizers of the Qwen family do
    for row in WRITERS["trl"].rows(one):
        expected += [rendered(m) for m in row["completion"] if m["role"] == "assistant"]
    assert texts_of(tokenizer, one, chat) == [unicodedata.normalize("NFC", text) for text in expected]


def rendered(message: dict[str, Any]) -> str:
    thought = f"({message['reasoning_content']}) " if message.get("reasoning_content") else ""
    calls = [
        f" CALL {c['function']['name']} {json.dumps(c['function']['arguments'], ensure_ascii=False)}"
        for c in message.get("tool_calls", [])
    ]
    return thought + message["content"] + "".join(calls) + "<|end|>"


@pytest.fixture(scope="session")
def tiny_tokens(tokenizer: Any) -> tuple[Any, ChatTokens]:
    return tokenizer, ChatTokens(tokenizer)


@pytest.mark.parametrize("family", ["qwen2_5", "qwen3", "llama3_1", "llama3"])
def test_templates_of_real_families_train_the_same_turns(tmp_path: Path, family: str) -> None:
    other = AutoTokenizer.from_pretrained(make_tiny_model(tmp_path))
    other.chat_template = getattr(chat_template_utils, f"{family}_chat_template")
    marks = ["<|im_end|>", "<|im_start|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"]
    other.add_special_tokens({"additional_special_tokens": marks})
    texts = texts_of(other, example(LONGER, train_on=(4, 6)), ChatTokens(other, training_template(other)))
    assert len(texts) == 2
    assert "NO" not in "".join(texts)
    end = "<|im_end|>" if "qwen" in family else "<|eot_id|>"
    assert texts[1].endswith(f"TRAINED last{end}")
    if family != "llama3":
        assert '{"thing": "TRAINED"}' in texts[0]


def test_a_template_that_shows_no_results_is_refused(tokenizer: Any) -> None:
    chat = ChatTokens(tokenizer, chat_template_utils.phi3_chat_template)
    with pytest.raises(WriteError, match="shows results of tools"):
        texts_of(tokenizer, example(LONGER), chat)


def test_a_template_that_refuses_a_row_leaves_the_others_alone(tmp_path: Path, tokenizer: Any) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tokenizer.name_or_path)
    tokenizer.chat_template = chat_template_utils.llama3_1_chat_template
    calls = [call("look", {}, "c1"), call("look", {}, "c2")]
    parallel = [user(1), agent(2, "", *calls), result(2, "7", "c1"), result(2, "7", "c2"), agent(3, "TRAINED")]
    samples = [sample(parallel), sample([user(1), agent(2, "TRAINED")])]
    tally = Tally()
    rows = write_dataset(samples, ChatTokens(tokenizer), 4000, tmp_path / "rows.arrow", tally)
    assert len(rows) == 1
    (why,) = tally.left_out
    assert "the chat template takes" in why


def sample(messages: list[dict[str, Any]]) -> Sample:
    (row,) = WRITERS["trl"].rows(example(messages))
    return Sample("e1", (side_of_turns(row["prompt"], row["completion"]),), None, 1.0)


def test_a_template_that_rewrites_earlier_turns_is_noticed(tokenizer: Any) -> None:
    """Thoughts of all turns but the last are left out, as reasoning templates do."""
    forgets = (
        "{% for m in messages %}{{ m.role + ':' + (m.content if loop.last else '') + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    chat = ChatTokens(tokenizer, forgets)
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}] * 2
    with pytest.raises(WriteError, match=r"messages\[1\]"):
        chat(messages, None, (1, 3))


def test_too_long_rows_are_left_out_and_counted_never_cut(tmp_path: Path, tokenizer: Any) -> None:
    path = write_rows(tmp_path) / "train" / "trl" / "sft.jsonl"
    tally = Tally()
    rows = write_dataset(read_samples(path, "sft"), ChatTokens(tokenizer), 100, tmp_path / "rows.arrow", tally)
    assert (len(rows), tally.left_out) == (1, {"longer than 100 tokens": 1})
    with pytest.raises(UserError, match="nothing to train: longer than 5 tokens"):
        write_dataset(read_samples(path, "sft"), ChatTokens(tokenizer), 5, tmp_path / "none.arrow", Tally())


def test_a_tokenizer_without_a_template_is_refused(tokenizer: Any) -> None:
    bare = AutoTokenizer.from_pretrained(tokenizer.name_or_path)
    bare.chat_template = None
    with pytest.raises(UserError, match="no chat template"):
        ChatTokens(bare, training_template(bare))
