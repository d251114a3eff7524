"""What holds for the windows of long examples, over runs of many shapes."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.writers.writer_material import agent, call, example, result, tokens_of, user

from agenther.conclusions import Example
from agenther.llm.counters import Estimate
from agenther.record import JsonObject
from agenther.stages.package.windows import Split, split
from agenther.writers import WRITERS, checked_rows
from agenther.writers.lengths import Measure

GOAL = "count the crates"
WORDS = st.lists(st.sampled_from("pear plum fig quince medlar sloe damson".split()), min_size=1, max_size=30).map(
    " ".join
)


@st.composite
def long_examples(draw: st.DrawFn) -> Example:
    """Draw runs of up to a dozen steps: parallel calls, words, turns of a user in between, masked steps, long results."""
    messages: list[JsonObject] = (
        [{"role": "system", "content": "You keep a store.", "step": 1}] if draw(st.booleans()) else []
    )
    messages.append(user(len(messages) + 1, f"Please {GOAL}."))
    for number in range(draw(st.integers(1, 12))):
        step = messages[-1]["step"] + 1
        kind = draw(st.sampled_from(["call", "call", "two calls", "words"]))
        if kind == "words":
            messages += [agent(step, draw(WORDS)), user(step if draw(st.booleans()) else step + 1, draw(WORDS))]
        else:
            ids = [f"c{number}-{i}" for i in range(2 if kind == "two calls" else 1)]
            calls = [call("look", {"at": draw(WORDS)}, i) for i in ids]
            messages += [agent(step, draw(st.just("") | WORDS), *calls), *(result(step, draw(WORDS), i) for i in ids)]
    messages.append(agent(messages[-1]["step"] + 1, draw(WORDS)))
    agents = [m["step"] for m in messages if m["role"] == "assistant"]
    train_on = tuple(s for s in agents[:-1] if draw(st.integers(0, 3))) + tuple(agents[-1:])
    tools = draw(
        st.sampled_from(["[]", '[{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}]'])
    )
    return example(messages, train_on, tools=tools, hindsight_goal=GOAL)


def made(record: Example, most: int) -> Split:
    return split(record, Measure(Estimate()), most)


def steps_of(messages: Any) -> list[int]:
    return [m["step"] for m in messages]


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(long_examples(), st.integers(80, 1200))
def test_every_trained_step_is_in_one_window_or_left_out_with_a_reason(record: Example, most: int) -> None:
    parts = made(record, most)
    trained = [step for window in parts.windows for step in window.example.train_on]
    left_out = [step for steps in parts.left_out.values() for step in steps]
    assert sorted(trained + left_out) == sorted(record.train_on)
    assert len({window.example.id for window in parts.windows}) == len(parts.windows)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(long_examples(), st.integers(80, 1200))
def test_windows_fit_begin_with_the_goal_and_keep_steps_whole(record: Example, most: int) -> None:
    first_agent = next(n for n, m in enumerate(record.messages) if m["role"] == "assistant")
    parts = made(record, most)
    for number, window in enumerate(parts.windows, 1):
        shown = window.example.messages
        assert shown[:first_agent] == record.messages[:first_agent]
        assert GOAL in str([m["content"] for m in shown if m["role"] != "assistant"])
        if window.facts:
            assert tokens_of(Measure(Estimate()), shown, record.tools) <= most
            assert window.facts == {"example": record.id, "window": number, "windows": len(parts.windows)}
        start = record.messages.index(shown[first_agent])
        end = start + len(shown) - first_agent
        assert record.messages[start]["role"] == "assistant"
        assert shown[first_agent:] == record.messages[start:end]


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(long_examples(), st.integers(80, 1200))
def test_every_window_is_in_order_for_each_consumer_that_took_the_whole(record: Example, most: int) -> None:
    for name in ("trl", "swift", "axolotl", "openai", "atif"):
        if any(not isinstance(row, dict) for row in checked_rows(WRITERS[name], record)):
            continue
        for window in made(record, most).windows:
            assert all(isinstance(row, dict) for row in checked_rows(WRITERS[name], window.example)), name


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(long_examples(), st.integers(80, 1200))
def test_what_a_window_trains_stands_in_it_or_nowhere_before(record: Example, most: int) -> None:
    for window in made(record, most).windows:
        at = {m["step"]: n for n, m in enumerate(record.messages) if m["role"] == "assistant"}
        shown = steps_of(window.example.messages)
        for step in window.example.train_on:
            hidden = [m for m in record.messages[: at[step]] if m["step"] not in shown]
            seen = json.dumps([m for m in record.messages[: at[step]] if m["step"] in shown])
            used = json.dumps([c["function"] for c in record.messages[at[step]].get("tool_calls", [])])  # type: ignore[union-attr, index]
            for word in set("pear plum fig quince medlar sloe damson".split()):
                assert not (word in used and word in json.dumps(hidden) and word not in seen)


def run_of(*texts: str, last: str) -> Example:
    messages: list[JsonObject] = [user(1, GOAL)]
    for number, text in enumerate(texts):
        messages += [agent(2 + number, "", call("look", {}, f"c{number}")), result(2 + number, text, f"c{number}")]
    return example([*messages, agent(20, "", call("open", {"crate": last}, "z"))], hindsight_goal=GOAL)


def test_a_step_that_uses_what_only_left_out_steps_say_is_not_trained() -> None:
    texts = ("crate 4711 " + "straw " * 200, *(f"{n} " + "hay " * 200 for n in ("one", "two", "three")))
    lost, kept = made(run_of(*texts, last="4711"), 400), made(run_of(*texts, last="three"), 400)
    assert lost.left_out == {"unseen": (20,)}
    assert kept.left_out == {}
    assert kept.windows[-1].example.train_on[-1] == 20


def test_a_window_shows_more_before_it_leaves_a_step_out() -> None:
    record = run_of("a " * 300, "crate 4711 " + "straw " * 60, "hay " * 90, "chaff " * 60, last="4711")
    all_but_last = tokens_of(Measure(Estimate()), record.messages[:-1], record.tools)
    parts = made(record, all_but_last)
    assert parts.left_out == {}
    assert [window.example.train_on for window in parts.windows] == [(2, 3, 4, 5), (20,)]
    assert "4711" in str(parts.windows[1].example.messages[:-1])


def test_a_turn_of_the_user_is_never_left_out() -> None:
    messages = [
        user(1, GOAL),
        agent(2, "pear " * 100),
        user(3, "no, the plums"),
        agent(4, "plum " * 100),
        user(5, "go on"),
    ]
    parts = made(example([*messages, agent(6, "fig " * 100)], hindsight_goal=GOAL), 300)
    assert parts.left_out == {"user_turn": (6,)} or parts.left_out == {"user_turn": (4, 6)}


def test_a_goal_that_does_not_fit_leaves_no_window() -> None:
    parts = made(example([user(1, GOAL * 500), agent(2, "x")], hindsight_goal=GOAL), 200)
    assert parts == Split((), {"too_long": (2,)})


def test_what_fits_stays_as_it_is() -> None:
    record = run_of("one", last="two")
    assert [(w.example, dict(w.facts)) for w in made(record, 10_000).windows] == [(record, {})]


def test_runs_of_many_hundreds_of_steps_are_split_in_little_time() -> None:
    messages = [user(1, f"Please {GOAL}.")]
    for step in range(2, 702):
        words = " ".join(f"crate{step * n}" for n in range(300))
        messages += [agent(step, "", call("look", {"at": f"shelf{step}"}, f"c{step}")), result(step, words, f"c{step}")]
    began = process_time()
    assert len(made(example(messages, tuple(range(2, 702)), hindsight_goal=GOAL), 4000).windows) > 10
    assert process_time() - began < 5
