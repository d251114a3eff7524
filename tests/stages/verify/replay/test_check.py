"""A label whose calls are made again: an honest one stands, and each tampering with its evidence is refused."""

from __future__ import annotations

import itertools
import json
from typing import cast

import pytest
from tests.stages.replay_runs import (
    INITIAL,
    NEW,
    OLD,
    SETTING,
    Greenhouse,
    goal_for,
    in_greenhouse,
    label,
    watered,
    with_call,
    with_step,
)

from agenther.conclusions import Reason, Rewritten, Score
from agenther.environments.base import NotAtHand
from agenther.errors import ReplayError
from agenther.record import Json, JsonObject
from agenther.stages.relabel.rewrite import rewrite
from agenther.stages.verify.replay.check import NOT_AT_HAND, CheckReplay, without_secrets
from agenther.stages.verify.replay.policy import Policy, default_policy
from agenther.testing import assistant, make_trajectory, tool, tool_call, user
from agenther.trajectory import Observation, Trajectory

GOLD: list[Json] = [
    {"name": "plant_seed", "arguments": {"bed": "south", "kind": "sage"}},
    {"name": "open_valve", "arguments": {"bed": "south"}},
    {"name": "water_bed", "arguments": {"bed": "south", "litres": 9}},
]


def vote(rewritten: Rewritten, policy: Policy | None = None) -> Score:
    score = CheckReplay(in_greenhouse, policy or default_policy())(rewritten)
    assert score is not None
    return score


def labelled(gold: Json) -> JsonObject:
    return {"environment": SETTING.model_dump(mode="json"), "gold_calls": gold}


def observed(run: Trajectory, step_id: int, content: str) -> Trajectory:
    seen = run.step(step_id).observations[0]
    return with_step(run, step_id, observations=(seen.model_copy(update={"content": content}),))


def test_an_honest_label_stands_and_says_what_was_shown() -> None:
    score = vote(label())
    assert score.value == 1.0
    assert score.reason is None
    assert score.replay is not None
    assert "shown by execution" in score.explanation
    assert "by words alone" in score.explanation
    assert [score.replay.calls[n].name for n in score.replay.oracle] == ["open_valve", "water_bed"]
    paths = [change.path for change in score.replay.changes]
    assert [paths[n] for n in score.replay.named] == ["/beds/north/moisture"]
    assert [paths[n] for n in score.replay.side_effects] == ["/beds/north/valve"]
    assert {(c.name, c.expected) for c in score.replay.controls if c.found} == {("oracle", True)}


def test_without_an_environment_nothing_is_said() -> None:
    run = watered(labels={})
    assert CheckReplay(in_greenhouse, default_policy())(label(run)) is None


def test_a_label_whose_environment_is_not_at_hand_stands_and_says_so() -> None:
    missing = NotAtHand("greenhouse", "is not installed")
    score = CheckReplay(lambda run: missing, default_policy())(label())
    assert score is not None
    assert (score.by, score.value, score.replay) == (NOT_AT_HAND, 1.0, None)
    assert score.explanation == "abstains, not replayed: the environment 'greenhouse' is not installed"


@pytest.mark.parametrize(
    ("tampered", "reason"),
    [
        (with_call(watered(), 4, bed="south", litres=5), Reason.EVIDENCE_FAILED),  # the valve there is shut
        (observed(watered(), 4, '{"ok": false}'), Reason.EVIDENCE_FAILED),  # a write came back otherwise
        (observed(watered(), 3, '{"error": "stuck"}'), Reason.EVIDENCE_FAILED),
    ],
    ids=["other bed", "other answer of the write", "other answer of the means"],
)
def test_what_is_recorded_must_happen_again(tampered: Trajectory, reason: Reason) -> None:
    assert vote(label(tampered)).reason is reason


def test_a_look_up_that_drifts_is_told_but_refuses_only_where_it_is_cited() -> None:
    run = observed(watered(), 2, '{"moisture": 21}')
    score = vote(label(run))
    assert score.value == 1.0
    assert "1 look-ups came back otherwise" in score.explanation
    cited = goal_for(run).claims[0].evidence[0].model_copy(update={"step": 2})
    claim = goal_for(run).claims[0].model_copy(update={"evidence": (cited,)})
    assert vote(label(run, claims=(claim,))).reason is Reason.EVIDENCE_FAILED


@pytest.mark.parametrize(
    "goal",
    [
        "Water the north bed with 6 litres.",
        "Water the south bed with 5 litres.",
        "Water the north bed with 5 litres and plant sage there.",
        "Plant sage in the north bed.",
        "Order 5 bags of sage.",
    ],
)
def test_a_near_miss_is_refused(goal: str) -> None:
    assert vote(label(goal=goal)).value == 0.0


def test_what_nobody_asked_for_is_refused() -> None:
    run = with_step(
        watered(),
        2,
        tool_calls=(
            watered()
            .step(2)
            .tool_calls[0]
            .model_copy(update={"function_name": "plant_seed", "arguments": '{"bed": "north", "kind": "dill"}'}),
        ),
        observations=(Observation(content='{"ok": true}', source_call_id="call_1"),),
    )
    assert vote(label(run)).reason is Reason.SIDE_EFFECT
    assert vote(label(run), Policy(other="list")).value == 1.0
    assert vote(label(run), Policy(harmful=("plant_*",), other="list")).reason is Reason.SIDE_EFFECT


@pytest.mark.parametrize("pattern", ["open_*", "*/valve"])
def test_a_means_that_does_harm_is_refused(pattern: str) -> None:
    assert vote(label(), Policy(harmful=(pattern,))).reason is Reason.SIDE_EFFECT
    assert vote(label(), Policy()).value == 1.0


def test_a_step_that_was_left_out_may_have_changed_nothing() -> None:
    run = with_step(
        watered(),
        2,
        tool_calls=(
            watered()
            .step(2)
            .tool_calls[0]
            .model_copy(update={"function_name": "remove_plant", "arguments": '{"bed": "north", "kind": "mint"}'}),
        ),
    )
    assert "left out" in vote(label(run, drop_steps=(2,))).explanation
    assert vote(label(drop_steps=(2,))).value == 1.0


def test_a_change_must_change_something() -> None:
    run = make_trajectory(
        user("Plant sage in the south bed."),
        assistant("", tool_call("water_bed", bed="north", litres=5)),
        tool({"error": "the valve is shut"}),
        assistant("Done."),
        labels={"environment": SETTING.model_dump(mode="json")},
    )
    claim = goal_for(watered()).claims[0]
    spans = tuple(span.model_copy(update={"step": 2, "end": 5}) for span in claim.evidence)
    score = vote(label_at(run, spans_of=claim.model_copy(update={"evidence": spans})))
    assert score.reason is Reason.NOT_TRUE
    assert "doing nothing" in score.explanation


def label_at(run: Trajectory, spans_of: object) -> Rewritten:
    rewritten = rewrite(run, goal_for(watered(), last_step=3, claims=(spans_of,), useful_steps=(2, 3)))
    assert isinstance(rewritten, Rewritten)
    return rewritten


def test_the_right_calls_of_the_old_goal_must_not_reach_the_new_one() -> None:
    assert vote(label(watered(labels=labelled(GOLD)))).value == 1.0
    same: list[Json] = [
        {"name": c.function_name, "arguments": c.values} for n in (3, 4) for c in watered().step(n).tool_calls
    ]
    assert vote(label(watered(labels=labelled(same)))).reason is Reason.REWORDING


def test_a_call_that_can_be_left_out_must_be_asked_for() -> None:
    calls = [
        tool_call("plant_seed", "call_a", bed="north", kind="dill"),
        tool_call("remove_plant", "call_b", bed="north", kind="dill"),
    ]
    both = make_trajectory(user(OLD), assistant("", *calls), tool({"ok": True}, "call_a"), tool({"ok": True}, "call_b"))
    run = with_step(watered(), 2, tool_calls=both.step(2).tool_calls, observations=both.step(2).observations)
    assert vote(label(run)).reason is Reason.SIDE_EFFECT
    listed = vote(label(run), Policy(other="list"))
    assert listed.value == 1.0
    assert "could be left out" in listed.explanation


def test_what_breaks_the_environment_is_unscored_not_false() -> None:
    class Broken(Greenhouse):
        def call(self, name: str, arguments: JsonObject) -> Json:
            raise ReplayError("no such tool")

    check = CheckReplay(lambda run: (SETTING, Broken), default_policy())
    score = check(label())
    assert score is not None
    assert (score.value, score.reason) == (None, None)
    assert "cannot be replayed" in score.explanation
    broken = with_step(
        watered(), 3, tool_calls=(watered().step(3).tool_calls[0].model_copy(update={"arguments": "{"}),)
    )
    assert vote(label(broken)).value is None


@pytest.mark.parametrize("when", ["reset", "call"])
def test_a_state_that_is_another_each_time_is_said(when: str) -> None:
    ticks = itertools.count()

    class Clocked(Greenhouse):
        def reset(self, config: JsonObject) -> Json:
            return super().reset(config | {"clock": next(ticks) if when == "reset" else 0})

        def call(self, name: str, arguments: JsonObject) -> Json:
            cast(JsonObject, self._state)["clock"] = next(ticks)
            return super().call(name, arguments)

    score = CheckReplay(lambda run: (SETTING, Clocked), default_policy())(label())
    assert score is not None
    assert (score.value, score.reason) == (None, None)
    assert score.explanation.endswith("the environment is not deterministic: two equal replays differ in /clock")


def test_a_counter_of_all_calls_is_deterministic_and_refuses() -> None:
    class Counting(Greenhouse):
        def call(self, name: str, arguments: JsonObject) -> Json:
            state = cast(JsonObject, self._state)
            state["asked"] = cast(int, state.get("asked", 0)) + 1
            return super().call(name, arguments)

    score = CheckReplay(lambda run: (SETTING, Counting), Policy(other="list"))(label())
    assert score is not None
    assert "not deterministic" not in score.explanation


def test_a_question_abstains_and_says_so() -> None:
    run = watered()
    proposal = goal_for(run, "How moist is the north bed?", effect=False, last_step=2, useful_steps=(2,))
    evidence = tuple(span.model_copy(update={"step": 2, "end": 3}) for span in proposal.claims[0].evidence)
    claim = proposal.claims[0].model_copy(update={"kind": "open.fact", "evidence": evidence})
    rewritten = rewrite(run, proposal.model_copy(update={"claims": (claim,)}))
    assert isinstance(rewritten, Rewritten)
    score = vote(rewritten)
    assert score.value == 1.0
    assert score.explanation.startswith("abstains")
    assert score.replay is not None
    assert score.replay.changes == ()


def test_what_the_simulator_makes_up_is_redacted() -> None:
    class Gossip(Greenhouse):
        def call(self, name: str, arguments: JsonObject) -> Json:
            cast(JsonObject, self._state)["last"] = "asked by ada.lovelace@example.org"
            return super().call(name, arguments)

    for redact in (True, False):
        score = CheckReplay(lambda run: (SETTING, Gossip), Policy(other="list"), redact=redact)(label())
        assert score is not None
        assert score.replay is not None
        assert ("ada.lovelace" in score.model_dump_json()) is not redact
        assert without_secrets(score.replay).changes[-1].path == "/last"


def test_the_record_of_the_run_stays_as_it_was() -> None:
    before = json.dumps(INITIAL)
    run = watered()
    vote(label(run, NEW))
    assert json.dumps(INITIAL) == before
    assert run == watered()
