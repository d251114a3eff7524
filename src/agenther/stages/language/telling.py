"""What the agent tells the user: in a message, or in the call by which a harness takes the answer (`Finish`)."""

from __future__ import annotations

from agenther.stages.detect.signs import answer_call, prose
from agenther.trajectory import Step, ToolCall

_ANSWER_KEYS = ("final_answer", "answer", "text", "message", "response", "result", "content", "output")


def answering_call(step: Step) -> ToolCall | None:
    """Return the structured call by which a step answers; None when it does not."""
    number = answer_call(step)
    call = None if number is None else step.tool_calls[number]
    return call if call is not None and call.at is None and len(step.tool_calls) == 1 else None


def answer_in(step: Step) -> str:
    """Return the text that a step hands to the user: of its answering call, else its message, thoughts and all."""
    call = answering_call(step)
    return step.message if call is None else call.text(*_ANSWER_KEYS) or ""


def told_in(step: Step) -> str:
    """Return what a recorded step tells the user; empty when it thinks or acts instead."""
    if answering_call(step) is not None:
        return answer_in(step)
    return "" if step.tool_calls else " ".join(step.message[a:b] for a, b in prose(step))
