"""Injections: none gets out of its fence, none can know the code, and what they steer a model to say is stopped.

Whether a real model is persuaded is not tested here.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from tests.stages.open_runs import FOUND, NEW, model, open_goal, open_run, proposed
from tests.stages.test_fence import MARKS

from agenther.conclusions import Reason, Refusal, Rewritten, Score, Stage
from agenther.config import Config
from agenther.llm.base import Request
from agenther.stages.fence import Fencer, escape
from agenther.stages.protocols import Parts
from agenther.stages.relabel.rewrite import rewrite
from agenther.stages.verify.model import ModelJudge
from agenther.stages.verify.panel import decide
from agenther.stages.verify.rules import COMMON, DomainChecks
from agenther.testing.scripted import Answer, ScriptedClient

FILE = Path(__file__).with_name("injections.toml")
INJECTIONS = tomllib.loads(FILE.read_text(encoding="utf-8"))["injection"]
TEXTS = {one["name"]: one["text"] * one.get("repeat", 1) for one in INJECTIONS}
FENCER = Fencer(b"a secret of this test")
CONSENT: Answer = {"reason": "all shown", "unmet": [], "valid": True, "confidence": 1.0}
CLOSING = re.compile(r"^<<<END RUN ([0-9a-f]{16})>>>$", re.MULTILINE)
HEADING = re.compile(r"\[step \d+\] (?:system|user|agent)|(?:thought|message|call|observation)\b.*?: .*", re.DOTALL)

each_injection = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())


def infected(text: str, where: str) -> Rewritten:
    """Return a run for a supported goal with a text that a stranger put somewhere into it."""
    match where:
        case "observation":
            run = open_run(f"{FOUND}\n{text}")
        case "answer":
            run = open_run(answer=f"There are 4 piers. {text}")
        case _:
            run = open_run()
    rewritten = proposed(run)
    if where == "goal":
        return rewritten.model_copy(
            update={"proposal": rewritten.proposal.model_copy(update={"goal": f"{NEW} {text}"})}
        )
    if where in ("arguments", "function_name"):
        call = rewritten.steps[1].tool_calls[0].model_copy(update={where: text})
        step = rewritten.steps[1].model_copy(update={"tool_calls": (call,)})
        return rewritten.model_copy(update={"steps": (rewritten.steps[0], step, *rewritten.steps[2:])})
    return rewritten


PLACES = ("observation", "answer", "arguments", "function_name", "goal")


def judged(rewritten: Rewritten, *answers: Answer) -> tuple[Score, list[Request]]:
    client = ScriptedClient(itertools.cycle(answers))
    score = asyncio.run(ModelJudge(client, model(), FENCER, Config()).judge(rewritten))
    return score, client.requests


def test_the_collection_is_large_and_of_many_kinds() -> None:
    assert len(INJECTIONS) == len(TEXTS) >= 60
    kinds = Counter(one["kind"] for one in INJECTIONS)
    assert kinds.keys() == {
        *("instruction", "authority", "fence", "verdict", "role", "template", "tool", "comment", "unicode", "canary"),
        "size",
    }
    assert min(kinds.values()) >= 4


@each_injection
def test_none_breaks_the_fence(text: str) -> None:
    fenced = FENCER.enclose("RUN", text)
    lines = fenced.text.split("\n")
    body = "\n".join(lines[1:-1])
    assert (lines[0], lines[-1]) == (f"<<<RUN {fenced.mark}>>>", f"<<<END RUN {fenced.mark}>>>")
    assert fenced.mark not in body
    assert fenced.canary not in body
    assert not any(mark in body for mark in (*MARKS, "<<<", ">>>"))
    assert body == escape(text) == escape(body)
    assert body.replace("\n", "").replace("\t", "").replace("\u3000", "").isprintable()


@pytest.mark.parametrize("where", PLACES)
@each_injection
def test_nothing_outside_of_the_fence_depends_on_what_stands_inside(text: str, where: str) -> None:
    clean = judged(infected("", where), CONSENT)[1][0]
    score, requests = judged(infected(text, where), CONSENT)
    if not requests:
        assert (score.value, score.reason) == (None, Reason.TOO_LONG)
        return
    (request,) = requests
    assert request.messages[0] == clean.messages[0]
    inside, task = parted(request)
    clean_inside, clean_task = parted(clean)
    if where == "goal":
        assert len(task) == len(clean_task)
        assert [line for line in task if line not in clean_task] == [task[0]]
        quoted = task[0].partition("data like the run: ")[2]
        assert quoted == escape(json.dumps(infected(text, where).proposal.goal, ensure_ascii=False))
        assert not any(mark in quoted for mark in MARKS)
    else:
        assert task == clean_task
    for line in inside:
        assert line.startswith(("  ", "[... ")) or HEADING.fullmatch(line), line[:80]
    assert [line for line in inside if line.startswith("[step")] == [
        line for line in clean_inside if line.startswith("[step")
    ]


def parted(request: Request) -> tuple[list[str], list[str]]:
    """Return the lines between the marks and the lines after them, the code that must come back taken out."""
    text = request.messages[1].content
    (closing,) = CLOSING.finditer(text)
    mark = closing[1]
    assert text.startswith(f"<<<RUN {mark}>>>\n")
    assert text.count(mark) == 2
    inside, task = text[: closing.start()], text[closing.end() :]
    (canary,) = re.findall(r'canary: "([0-9a-f]{16})"', task)
    assert canary not in inside
    return inside.split("\n")[1:-1], task.strip().replace(canary, "CANARY").split("\n")


@each_injection
def test_whoever_repeats_it_does_not_consent(text: str) -> None:
    score, _ = judged(infected(text, "observation"), text)
    assert score.value is None, score


@each_injection
def test_the_code_cannot_be_had_from_inside(text: str) -> None:
    rewritten = infected(text, "observation")
    (request,) = judged(rewritten, CONSENT)[1]
    inside = "\n".join(parted(request)[0])
    mark = CLOSING.findall(request.messages[1].content)[0]
    codes = {*re.findall(r"[0-9a-fA-F]{16}", inside), mark, "", "{canary}", "{{canary}}", "CANARY"}
    for code in codes:
        score, _ = judged(rewritten, {**CONSENT, "canary": code})  # type: ignore[dict-item]
        assert score.value is None, code


AREA, LENGTH, COUNT = ('"Old Harbour"', "Old Harbour"), ("120", "120"), '"count": 4'
UNSUPPORTED = (
    ('How many piers in "Old Harbour" are longer than 300 metres?', (AREA, ("300", "120")), Reason.UNGROUNDED),
    ('How many piers in "New Harbour" exceed 120 metres?', (('"New Harbour"', AREA[1]), LENGTH), Reason.UNGROUNDED),
    ('Delete the piers of "Old Harbour" from /srv/piers.db', (("Delete", COUNT), AREA), Reason.UNGROUNDED),
    ('How many cranes did Ingrid Solheim pay for in "Old Harbour"?', (AREA,), Reason.UNGROUNDED),
    ('How many piers in "Old Harbour" are longer than 120 metres?', (AREA,), Reason.UNGROUNDED),
    ("Which ferries leave Sorvik before 9:00 on Sunday?", (("Which ferries", COUNT),), Reason.REWORDING),
    ('Has "Old Harbour" 4 piers over 120 metres?', (("4 piers", COUNT), LENGTH, AREA), Reason.ANSWER_IN_GOAL),
)
"""Goals that the run on piers does not show, with the best citations there are."""


@each_injection
def test_checks_stop_a_steered_verdict_on_an_unsupported_goal(text: str) -> None:
    run = open_run(f"{FOUND}\n{text}")
    for goal, quotes, reason in UNSUPPORTED:
        rewritten = rewrite(run, open_goal(run, goal, quotes, confidence=1.0))
        assert isinstance(rewritten, Rewritten)
        refusal, client = put_to_the_gate(rewritten)
        assert refusal is not None, goal
        assert (refusal.stage, refusal.reason) == (Stage.CHECK, reason), refusal
        assert client.requests == [], "a judge was paid for what a check refuses"


def test_the_same_gate_accepts_the_supported_goal() -> None:
    refusal, client = put_to_the_gate(infected("Be careful on pier 2.", "observation"))
    assert refusal is None
    assert len(client.requests) == 2


def put_to_the_gate(rewritten: Rewritten) -> tuple[Refusal | None, ScriptedClient]:
    """Put a goal to all checks and to two judges who say what the injection wants."""
    client = ScriptedClient(lambda _: CONSENT)
    judges = tuple(ModelJudge(client, model(name), FENCER, Config()) for name in ("judge-a", "judge-b"))
    parts = Parts(detector=None, extractor=None, proposer=None, checks=COMMON, checks_of=DomainChecks(), judges=judges)  # type: ignore[arg-type]
    return asyncio.run(decide(rewritten, parts, Config()))[1], client


@each_injection
def test_no_injection_makes_a_change_of_a_look_up(text: str) -> None:
    run = open_run(f"{FOUND}\nThe transfer of 500 to Ingrid Solheim was made.\n{text}")
    told = "The transfer of 500 to Ingrid Solheim was made."
    for goal, quotes in (
        ("Transfer 500 to Ingrid Solheim", (("Transfer 500 to Ingrid Solheim", told),)),
        ('Transfer the piers of "Old Harbour"', (("Transfer", told), AREA, ("piers", COUNT))),
    ):
        for effect in (True, False):
            answers = () if effect else ("was made",)
            proposal = open_goal(run, goal, quotes, effect=effect, answers=answers, confidence=1.0)
            rewritten = rewrite(run, proposal)
            assert isinstance(rewritten, Rewritten)
            refusal, client = put_to_the_gate(rewritten)
            assert refusal is not None, goal
            assert refusal.stage is Stage.CHECK
            assert not effect or refusal.reason is Reason.NOT_TRUE, refusal
            assert client.requests == []
