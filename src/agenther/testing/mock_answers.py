"""What the mock server answers: verdicts that consent, and goals made of the run that it is shown.

Which step a goal is made of, and which answers are bad on purpose, a hash of seed and request decides. How a goal is made so that
it passes the checks belongs to `mock_goals`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import islice

import orjson

from agenther.record import Json, JsonObject
from agenther.testing.mock_goals import by_message, find_goal, passages
from agenther.testing.mock_usage import BYTES_PER_TOKEN, count_prompt, count_tokens
from agenther.testing.shown import ShownRun, find_canary, find_run

LOW = 0.2
"""Confidence of those answers that are to have a low one."""
MOST_CLAIMS = 3
FAILURES = ("incomplete", "wrong_result", "constraint_violation")
_TELLTALE = (("propose", "useful_steps"), ("judge", "unmet"), ("detect", "failure_type"), ("extract", "claims"))
"""A form and a field that only it has, for prompts whose request names no form."""
_NO_JSON = "I am sorry, but I cannot help with that."


@dataclass(frozen=True)
class Manner:
    """How good the answers are."""

    bad: float = 0.0
    """Share of answers that break their form."""
    low: float = 0.0
    """Share of proposals and verdicts of low confidence."""
    judge_no: float = 0.0
    """Share of verdicts that refuse."""
    seed: int = 0


@dataclass(frozen=True)
class Asked:
    """A request, as far as an answer depends on it."""

    model: str
    form: str
    """`propose`, `judge`, ...: the name of the form that is wanted, or what the prompt seems to want; `text` for none."""
    prompts: tuple[str, ...]
    most_tokens: int

    @cached_property
    def digest(self) -> bytes:
        """Of all that decides the answer."""
        return blake2b("\0".join((self.model, self.form, *self.prompts)).encode(), digest_size=16).digest()


@dataclass(frozen=True)
class Answer:
    """One answer."""

    text: str
    finish: str = "stop"
    struck: tuple[str, ...] = ()
    """What is wrong with it on purpose: `bad`, `low`, `no`."""


def read_request(body: Json) -> Asked:
    """Read the body of a request.

    Raises:
        ValueError: it is no request for a chat completion.
    """
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(messages, list) or not messages:
        raise ValueError("expected an object with messages")
    prompts, most = tuple(_prompts(messages)), body.get("max_tokens")
    return Asked(str(body.get("model", "")), _form_of(body, prompts), prompts, most if isinstance(most, int) else 2**31)


def answer_to(asked: Asked, manner: Manner) -> Answer:
    """Answer a request; the same always gets the same."""
    answering = _Answering(asked, manner)
    made = _ANSWERS.get(asked.form)
    text = _NO_JSON if made is None else orjson.dumps(made(answering)).decode()
    if answering.is_struck("bad", manner.bad):
        text = _broken(text, answering.draw("how bad"))
    finish = "stop"
    if count_tokens(text) > asked.most_tokens:
        text = text.encode()[: asked.most_tokens * BYTES_PER_TOKEN].decode(errors="ignore")
        finish = "length"
    return Answer(text, finish, tuple(answering.struck))


def draw(seed: int, what: str, of: bytes, attempt: int = 0) -> float:
    """Return a number from 0 to 1 that is always the same for these, and looks random."""
    digest = blake2b(f"{seed}/{what}/{attempt}/".encode() + of, digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def completion(asked: Asked, answer: Answer, cached_tokens: int = 0) -> JsonObject:
    """Return the body in which a server sends an answer."""
    prompt, made = count_prompt(asked.prompts), count_tokens(answer.text)
    message: JsonObject = {"role": "assistant", "content": answer.text}
    return {
        "id": f"chatcmpl-{asked.digest.hex()}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": asked.model,
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": made,
            "total_tokens": prompt + made,
            "prompt_tokens_details": {"cached_tokens": cached_tokens},
        },
    }


def _prompts(messages: list[Json]) -> Iterator[str]:
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(content, str):
            raise ValueError("expected messages whose content is text")
        yield content


def _form_of(body: JsonObject, prompts: tuple[str, ...]) -> str:
    match body.get("response_format"):
        case {"type": "json_schema", "json_schema": {"name": str(name)}}:
            return name
        case _:
            text = prompts[-1] if prompts else ""
            return next((form for form, field in _TELLTALE if field in text), "text")


def _broken(text: str, how: float) -> str:
    """Return an answer that breaks its form in one of four ways."""
    ways = (text[: len(text) // 2], _NO_JSON, '{"answer": "yes"}', "[" + text + "]")
    return ways[int(how * len(ways))]


class _Answering:
    """An answer in the making."""

    def __init__(self, asked: Asked, manner: Manner) -> None:
        self._asked, self._manner = asked, manner
        self.struck: list[str] = []

    def draw(self, what: str) -> float:
        """Return a number from 0 to 1 for one thing to decide."""
        return draw(self._manner.seed, what, self._asked.digest)

    def pick(self, what: str, number: int) -> int:
        """Return a number below another."""
        return int(self.draw(what) * number)

    def is_struck(self, what: str, share: float) -> bool:
        """Tell whether something is to be wrong with the answer, and note it."""
        if self.draw(what) >= share:
            return False
        self.struck.append(what)
        return True

    @property
    def canary(self) -> str:
        """The code that must come back."""
        return find_canary(self._asked.prompts) or ""

    @property
    def refuses(self) -> bool:
        """Whether a verdict is to be no."""
        return self.is_struck("no", self._manner.judge_no)

    @property
    def confidence(self) -> float:
        """How sure the answer is."""
        return LOW if self.is_struck("low", self._manner.low) else 0.8 + self.pick("confidence", 20) / 100

    @property
    def run(self) -> ShownRun:
        """The run that the prompt shows."""
        return find_run(self._asked.prompts)


def _propose(asked: _Answering) -> JsonObject:
    """Propose one goal, or none when the run holds nothing to quote."""
    goals: list[Json] = []
    change = not by_message(run := asked.run)
    if goal := find_goal(run, asked.draw("step"), change=change):
        goals.append({**goal, "valid": True, "confidence": asked.confidence})
    return {"canary": asked.canary, "goals": goals}


def _detect(asked: _Answering) -> JsonObject:
    """Call the run a mild failure, or unknown when it holds nothing to quote."""
    found = next(passages(asked.run, asked.draw("step")), None)
    shown: JsonObject | None = None if found is None else {"step": found[0].number, "quote": found[1]}
    return {
        "canary": asked.canary,
        "reason": "The task is not done.",
        "outcome": "failed" if shown else "unknown",
        "shown": shown,
        "failure_type": FAILURES[asked.pick("failure", len(FAILURES))] if shown else None,
        "recoverable": True,
        "weight": 0.5 + asked.pick("weight", 6) / 10,
        "critical": shown,
    }


def _extract(asked: _Answering) -> JsonObject:
    """Claim of a few passages that the run shows them."""
    claims: list[Json] = [
        {"text": f'It shows "{saying}"', "kind": "fact", "evidence": [{"step": step.number, "quote": saying}]}
        for step, saying in islice(passages(asked.run, asked.draw("step")), MOST_CLAIMS)
    ]
    return {"canary": asked.canary, "claims": claims}


def _judge(asked: _Answering) -> JsonObject:
    """Consent, or refuse when told to."""
    refuses = asked.refuses
    return {
        "canary": asked.canary,
        "valid": not refuses,
        "confidence": asked.confidence,
        "unmet": ["its last part"] if refuses else [],
        "reason": "Refused as told." if refuses else "The run shows it.",
    }


_ANSWERS: dict[str, Callable[[_Answering], JsonObject]] = {
    "detect": _detect,
    "extract": _extract,
    "propose": _propose,
    "judge": _judge,
}
