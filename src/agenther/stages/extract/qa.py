"""Question answering with a search tool: the last search that was asked as a question, and the answer told after it.

Nothing is claimed unless the observation of that very search holds the answer: an answer that occurs somewhere else in
the run supports no question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agenther.conclusions import Claim
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.questions import is_question, is_short_answer
from agenther.stages.language.words import find_word
from agenther.trajectory import Span, Step, ToolCall, Trajectory, find_text, whole_field

_SEARCH = re.compile(r"(?:^|_|\b)(?:search|google|wikipedia|lookup|query_engine)", re.IGNORECASE)
_IN_CODE = re.compile(
    r"\s*(?:print\(\s*)?\w*search\w*\(\s*(['\"])(?P<query>(?:(?!\1).)+)\1\s*\)\s*\)?\s*\Z", re.IGNORECASE
)
_QUERY = ("query", "q", "question", "search_query", "input", "text", "keyword")
_ANSWER_CALL = re.compile(r"(?:finish|submit|solution|answer|final_answer|submit_answer)\Z", re.IGNORECASE)
_TOLD = re.compile(r"(?:the\s+)?(?:final\s+)?answer(?:\s+to\s+the\s+question)?\s*(?:is|:)+\s*:?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Search:
    """One search and what it gave."""

    step: int
    query: str
    asked: Span
    found: Span


def claims(trajectory: Trajectory) -> Iterator[Claim]:
    """Yield at most one claim: the answer that the last search before it gives to the question that was searched."""
    last: Search | None = None
    for step in trajectory.agent_steps:
        answer = told(step)
        if answer is not None and last is not None:
            yield from _claim(trajectory, last, step, answer)
            return
        last = search_of(step) or last


def search_of(step: Step) -> Search | None:
    """Return the search of a step that makes exactly one call and gets one answer."""
    if len(step.tool_calls) != 1 or len(step.observations) != 1 or is_error(step.observations[0].content):
        return None
    query = query_of(step.tool_calls[0])
    asked = find_text(step, "tool_calls[0].arguments", query) if query else None
    if query is None or asked is None:
        return None
    return Search(step.step_id, query, asked, whole_field(step, "observations[0].content"))


def query_of(call: ToolCall) -> str | None:
    """Return what a call searches for; of a program, only when the search is all it does."""
    code = call.text("code", "python", "source")
    if code is not None:
        match = _IN_CODE.match(code)
        return match["query"] if match else None
    return call.text(*_QUERY) if _SEARCH.search(call.function_name) else None


def told(step: Step) -> str | None:
    """Return the final answer that a step tells, without its frame; None when it tells none."""
    for call in step.tool_calls:
        if _ANSWER_CALL.match(call.function_name):
            value = next((value for value in call.values.values() if isinstance(value, str)), "")
            return _bare(value)
    if step.tool_calls or step.observations:
        return None
    return _bare(step.message)


def _bare(text: str) -> str:
    return _TOLD.sub("", text.strip(), count=1).strip().strip('"').rstrip(".").strip()


def _claim(trajectory: Trajectory, search: Search, step: Step, answer: str) -> Iterator[Claim]:
    if not (is_question(search.query) and is_short_answer(answer)):
        return
    given = answer_in(trajectory.text_at(search.found), answer)
    if given is None:
        return
    span = Span(step=search.step, field=search.found.field, start=given[0], end=given[1])
    yield Claim(
        text=f"{search.query} -> {answer}",
        kind="qa.answer",
        evidence=(span, search.asked),
        data={"question": search.query, "answer": answer, "search_step": search.step, "answer_step": step.step_id},
    )


def answer_in(text: str, answer: str) -> tuple[int, int] | None:
    """Return where a text holds an answer as whole words, whatever its case; None when it does not."""
    return find_word(text, answer)
