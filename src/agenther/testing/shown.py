"""A prompt read back: the run between its marks, step by step, and the code that must come back.

For whoever plays a model. How runs are shown belongs to `stages.showing`, the marks to `stages.fence`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

_OPENING = re.compile(r"<<<(?P<title>[^\n<>]*) (?P<mark>[0-9a-f]{16})>>>\n")
_CODE = re.compile(r"canary\W.{0,40}?\b([0-9a-f]{16})\b")
_STEP = re.compile(r"\n\[step (\d+)\] (system|user|agent)(?=\n|\Z)")
_LABEL = re.compile(r"\n(thought|message|call(?: \d+)?(?= )|observation(?: \d+)?)(?: ([^:\n]*))?: ")
_LIMIT = re.compile(r"steps up to (\d+) only")
_BY_ACTION = "the output of the last action is the answer"
_TASK = re.compile(r"\[task\] (.*(?:\n  .*)*)")


@dataclass(frozen=True)
class ShownText:
    """One text of a shown step."""

    kind: str
    """`thought`, `message`, `call` or `observation`."""
    name: str
    """Of a call, the function; else empty."""
    text: str


@dataclass(frozen=True)
class ShownStep:
    """One step of a shown run."""

    number: int
    source: str
    body: str

    @cached_property
    def texts(self) -> tuple[ShownText, ...]:
        """The texts of the step, in order."""
        return tuple(
            ShownText(label[1].split()[0], label[2] or "", text.replace("\n  ", "\n"))
            for label, text in _parted(_LABEL, self.body)
        )

    def all_of(self, kind: str) -> str:
        """Return the texts of one kind, joined."""
        return self._joined.get(kind, "")

    @cached_property
    def _joined(self) -> dict[str, str]:
        joined: dict[str, str] = {}
        for text in self.texts:
            joined[text.kind] = f"{joined[text.kind]}\n{text.text}" if text.kind in joined else text.text
        return joined

    @property
    def functions(self) -> str:
        """The names of the functions that it calls, joined."""
        return " ".join(text.name for text in self.texts if text.kind == "call")


@dataclass(frozen=True)
class ShownRun:
    """A run as a prompt shows it."""

    task: str
    """The goal that it was recorded for; empty where it is not shown."""
    steps: tuple[ShownStep, ...]
    last: int | None = None
    """The last step that may be used; None when all may."""
    by_action: bool = False
    """Whether the output of the last action is taken for the answer, so that none is told in words."""


def find_run(prompts: Sequence[str]) -> ShownRun:
    """Return the run that a request shows; one without steps when it shows none.

    Args:
        prompts: the texts of its messages.
    """
    text, instruction = _fenced(prompts)
    limit = _LIMIT.search(instruction)
    steps = tuple(ShownStep(int(head[1]), head[2], body) for head, body in _parted(_STEP, f"\n{text}"))
    task = _TASK.match(text)
    return ShownRun(
        task=task[1].replace("\n  ", "\n") if task else "",
        steps=steps,
        last=int(limit[1]) if limit else None,
        by_action=_BY_ACTION in instruction,
    )


def find_canary(prompts: Sequence[str]) -> str | None:
    """Return the code that a request wants back: the last one named `canary` after the run; None when there is none."""
    _, instruction = _fenced(prompts)
    codes = _CODE.findall(instruction)
    return codes[-1] if codes else None


def _fenced(prompts: Sequence[str]) -> tuple[str, str]:
    """Return what stands between the first marks, and what follows them in the same message."""
    for prompt in prompts:
        if opening := _OPENING.search(prompt):
            text, closing, instruction = prompt[opening.end() :].partition(
                f"\n<<<END {opening['title']} {opening['mark']}>>>"
            )
            if closing:
                return text, instruction
    return "", ""


def _parted(heading: re.Pattern[str], text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yield each heading in a text with all that follows it up to the next."""
    found = list(heading.finditer(text))
    for match, after in zip_longest(found, found[1:]):
        yield match, text[match.end() : after.start() if after else None]
