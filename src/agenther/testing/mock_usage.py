"""What the mock server counts: tokens by an estimate, a prefix cache such as providers keep, and what it was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from agenther.record import JsonObject

BYTES_PER_TOKEN = 4
"""Bytes of UTF-8 that count as one token: English prose has some 4, JSON and code 3. An estimate, not a tokenizer."""
TOKENS_PER_MESSAGE = 4
"""What each message of a prompt costs beside its text."""
BLOCK_TOKENS = 128
"""Grain of the prefix cache."""


def count_tokens(text: str) -> int:
    """Return how many tokens a text counts as."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def count_prompt(prompts: Sequence[str]) -> int:
    """Return how many tokens the texts of a request's messages count as."""
    return sum(TOKENS_PER_MESSAGE + count_tokens(prompt) for prompt in prompts)


def blocks_of(model: str, prompts: Sequence[str]) -> list[int]:
    """Return a number for each whole block of a prompt, made of the model and all text up to the block's end."""
    text = "\0".join(prompts).encode()
    size = BLOCK_TOKENS * BYTES_PER_TOKEN
    numbers: list[int] = []
    number = hash(model)
    for start in range(0, len(text) - size + 1, size):
        number = hash((number, text[start : start + size]))
        numbers.append(number)
    return numbers


class PrefixCache:
    """Remembers the prefixes of answered prompts in blocks, the oldest forgotten first."""

    def __init__(self, most_blocks: int = 1_000_000) -> None:
        self._blocks: dict[int, None] = {}
        self._most = most_blocks

    def take(self, blocks: Sequence[int]) -> int:
        """Return how many tokens of a prompt's beginning an earlier prompt had too, and remember this one."""
        known = sum(1 for _ in takewhile(self._blocks.__contains__, blocks))
        for block in blocks:
            self._blocks.pop(block, None)
            self._blocks[block] = None
        while len(self._blocks) > self._most:
            del self._blocks[next(iter(self._blocks))]
        return known * BLOCK_TOKENS


@dataclass
class FormCounts:
    """What was asked in one form."""

    requests: int = 0
    answered: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@dataclass
class Body:
    """What became of one body."""

    came: int = 0
    in_flight: int = 0
    answered: bool = False


@dataclass
class Counts:
    """What the server was asked since it started."""

    statuses: Counter[int] = field(default_factory=Counter[int])
    by_form: dict[str, FormCounts] = field(default_factory=dict[str, FormCounts])
    struck: Counter[str] = field(default_factory=Counter[str])
    abandoned: int = 0
    _bodies: dict[bytes, Body] = field(default_factory=dict[bytes, Body])
    _again: Counter[str] = field(default_factory=Counter[str])
    _in_flight: int = 0
    _peak: int = 0

    def arrived(self, digest: bytes, form: str) -> int:
        """Count a request in; return how often its body came before."""
        self._in_flight += 1
        self._peak = max(self._peak, self._in_flight)
        self.by_form.setdefault(form, FormCounts()).requests += 1
        body = self._bodies.setdefault(digest, Body())
        if body.answered:
            self._again["after_answer"] += 1
        elif body.in_flight:
            self._again["in_flight"] += 1
        elif body.came:
            self._again["after_failure"] += 1
        body.in_flight += 1
        body.came += 1
        return body.came - 1

    def left(self, digest: bytes) -> None:
        """Count a request out."""
        self._in_flight -= 1
        self._bodies[digest].in_flight -= 1

    def answered(self, digest: bytes, form: str, prompt: int, cached: int, completion: int) -> None:
        """Count an answer and its tokens."""
        self.statuses[200] += 1
        self._bodies[digest].answered = True
        counts = self.by_form[form]
        counts.answered += 1
        counts.prompt_tokens += prompt
        counts.cached_tokens += cached
        counts.completion_tokens += completion

    def to_json(self) -> JsonObject:
        """Return all counts."""
        forms = self.by_form
        return {
            "requests": sum(form.requests for form in forms.values()),
            "answered": self.statuses[200],
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "forms": {name: {**vars(form)} for name, form in sorted(forms.items())},
            "in_flight": self._in_flight,
            "peak_in_flight": self._peak,
            "different_bodies": len(self._bodies),
            "same_body_again": {when: self._again[when] for when in ("after_answer", "in_flight", "after_failure")},
            "abandoned": self.abandoned,
            "bad": self.struck["bad"],
            "low": self.struck["low"],
            "refused": self.struck["no"],
            "prompt_tokens": sum(form.prompt_tokens for form in forms.values()),
            "cached_tokens": sum(form.cached_tokens for form in forms.values()),
            "completion_tokens": sum(form.completion_tokens for form in forms.values()),
        }
