"""Turn the queries of a run into requests: which query, which steps lead to it, and where the words stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

from agenther.conclusions import Claim, GoalPart, Proposal, Reason, Refusal, Stage
from agenther.stages.language.sql.parse import changes_data, is_schema_lookup, parse_select
from agenther.stages.language.sql.run import SqlCall, known_schema, query_span, sql_calls
from agenther.stages.language.sql.shape import Select, Unspeakable
from agenther.stages.language.words import find_word
from agenther.stages.relabel.sql.goal import speak
from agenther.stages.relabel.sql.says import Phrase
from agenther.trajectory import Span, Step, ToolCall, Trajectory, find_text

MAX_GOALS = 6
"""A run offers at most this many goals to the checks."""
_QUESTION = re.compile(r"\s*(?:what|which|who|how|when|where|whose|is|are|does|do|did|in which)\b", re.IGNORECASE)
_READS = re.compile(
    r"(?:^|_)(?:get|list|search|read|find|look|lookup|fetch|show|describe|view|query|think|submit|finish)",
    re.IGNORECASE,
)


def compose(trajectory: Trajectory, claims: tuple[Claim, ...]) -> Iterator[Proposal | Refusal]:
    """Yield a goal for each query that can be said, earliest first, and why the others cannot."""
    calls = list(sql_calls(trajectory))
    by_place = {(call.step, call.call): call for call in calls}
    known = known_schema(calls)
    earlier: list[Select] = []
    made = 0
    for claim in claims:
        call = by_place[_number(claim, "step"), _number(claim, "call")]
        try:
            select = parse_select(call.query)
            if any(_adds_only_conditions(select, other) for other in earlier):
                continue
            phrase = speak(select, call.rows or (), known, question=bool(_QUESTION.match(trajectory.goal)))
            earlier.append(select)
        except Unspeakable as reason:
            yield _refusal(Reason.NO_NATURAL_GOAL, f"{reason}: {call.query[:120]}", claim.evidence)
            continue
        proposal = _proposal(trajectory, claim, calls, call, select, phrase)
        yield proposal
        made += isinstance(proposal, Proposal)
        if made == MAX_GOALS:
            return


def _number(claim: Claim, name: str) -> int:
    value = claim.data[name]
    assert isinstance(value, int)
    return value


def _refusal(reason: Reason, detail: str, evidence: tuple[Span, ...] = ()) -> Refusal:
    return Refusal(stage=Stage.PROPOSE, reason=reason, detail=detail, evidence=evidence)


def _adds_only_conditions(select: Select, other: Select) -> bool:
    """Tell whether a query is an earlier one with more conditions, or with other aliases: a model groping."""
    same = len(select.items) == len(other.items) and all(
        a.same(b) for a, b in zip(select.items, other.items, strict=True)
    )
    return (
        same
        and {t.lower() for t in select.tables} == {t.lower() for t in other.tables}
        and set(other.conditions) <= set(select.conditions)
        and bool(select.group) == bool(other.group)
        and [(o.item.function, o.descending) for o in select.order]
        == [(o.item.function, o.descending) for o in other.order]
        and select.limit == other.limit
        and len(select.having) >= len(other.having)
        and bool(other.having) == bool(select.having)
    )


def _proposal(
    trajectory: Trajectory, claim: Claim, calls: list[SqlCall], call: SqlCall, select: Select, phrase: Phrase
) -> Proposal | Refusal:
    plan = _plan(trajectory, calls, call, select)
    if isinstance(plan, Refusal):
        return plan
    drop, mask, useful = plan
    if len(useful) < 2 and all(item.column is None for item in select.plain) and not select.conditions and select.plain:
        return _refusal(Reason.TRIVIAL, "shows a whole table without a look at what there is")
    goal = "".join(said.text for said in phrase)
    answers = _answers(select, call)
    answer_step = None
    last = call.step
    if trajectory.answer_by == "message":
        answer_step = _answer_step(trajectory, call.step, answers)
        if answer_step is None:
            return _refusal(Reason.NO_RECORDED_ANSWER, "no message right after the query tells its result")
    elif (submit := _submit_after(trajectory, call.step)) is not None:
        last = submit
        useful = (*useful, submit)
    whole_run = max(last, answer_step or 0) >= trajectory.agent_steps[-1].step_id
    return Proposal(
        goal=goal,
        strategy="final" if whole_run else "future",
        domain="sql",
        claims=(claim,),
        parts=_parts(trajectory, call, phrase),
        last_step=last,
        answer_step=answer_step,
        drop_steps=drop,
        mask_steps=mask,
        useful_steps=useful if answer_step is None else (*useful, answer_step),
        answers=answers,
    )


def _plan(
    trajectory: Trajectory, calls: list[SqlCall], call: SqlCall, select: Select
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | Refusal:
    """Say of each agent step before the query whether it is left out, masked, or serves."""
    drop: list[int] = []
    mask: list[int] = []
    useful: list[int] = []
    seen: set[str] = set()
    tables = {table.lower() for table in select.all_tables()}
    by_step = {number: list(made) for number, made in groupby(calls, key=attrgetter("step"))}
    for step in trajectory.agent_steps:
        if step.step_id >= call.step:
            break
        statements = by_step.get(step.step_id, [])
        others = [c for i, c in enumerate(step.tool_calls) if i not in {s.call for s in statements}]
        texts = [s.query for s in statements] + ([step.message] if not step.tool_calls else [])
        if any(changes_data(text) for text in texts if _runs(text)):
            return _refusal(Reason.SIDE_EFFECT, f"step {step.step_id} changes data")
        others = [c for c in others if not _idle(c, trajectory.step(call.step).tool_calls[call.call].function_name)]
        if others:
            if any(not _READS.search(c.function_name) for c in others):
                return _refusal(Reason.SIDE_EFFECT, f"step {step.step_id} calls a tool that may change something")
            mask.append(step.step_id)
        elif statements and all(_serves(s, tables, seen) for s in statements):
            useful.append(step.step_id)
        else:
            drop.append(step.step_id)
    return tuple(drop), tuple(mask), (*useful, call.step)


def _idle(call: ToolCall, sql_tool: str) -> bool:
    """Tell whether a call gave the SQL tool a text that is no statement, which it can only have refused."""
    return call.function_name == sql_tool and not changes_data(call.arguments)


def _runs(text: str) -> bool:
    """Tell whether a text may have been run as a statement: prose that only says `update` was not."""
    return bool(re.match(r"\s*(?:execute\[)?\s*(?:--.*\n)*\s*[A-Z]{3,}\b", text, re.IGNORECASE))


def _serves(call: SqlCall, tables: set[str], seen: set[str]) -> bool:
    """Tell whether a statement is a first look at the tables, or at one that the query uses, and was answered."""
    text = " ".join(call.query.lower().rstrip("; ").split())
    if not is_schema_lookup(call.query) or text in seen or not call.rows:
        return False
    words = set(re.findall(r"\w+", text))
    listing = text.startswith("show tables") or "information_schema.tables" in text or "sqlite_master" in text
    if listing or words & tables:
        seen.add(text)
        return True
    return False


def _submit_after(trajectory: Trajectory, step_id: int) -> int | None:
    """Return the step that hands in the output of the query, when it comes at once."""
    following = next((s for s in trajectory.agent_steps if s.step_id > step_id), None)
    if following is None or [c.function_name for c in following.tool_calls] != ["submit"]:
        return None
    return following.step_id


def _answer_step(trajectory: Trajectory, step_id: int, answers: tuple[str, ...]) -> int | None:
    """Return the message that tells the result: the next thing the agent says to the user."""
    for step in trajectory.steps:
        if step.step_id <= step_id:
            continue
        if step.source != "agent" or step.tool_calls:
            return None
        if step.message.strip():
            told = step.message.lower()
            return step.step_id if any(answer.lower() in told for answer in answers) else None
    return None


def _answers(select: Select, call: SqlCall) -> tuple[str, ...]:
    """Return the values of the result that no condition of the query gave away."""
    given = {value.text.strip("% ").lower() for c in select.all_conditions() for value in c.values}
    cells = {str(cell).strip() for row in (call.rows or ())[:50] for cell in row if cell is not None}
    return tuple(sorted(cell for cell in cells if cell and cell.lower() not in given))


def _parts(trajectory: Trajectory, call: SqlCall, phrase: Phrase) -> tuple[GoalPart, ...]:
    """Bind every fragment that states something to the characters of the query that say it."""
    parts: list[GoalPart] = []
    at = 0
    for said in phrase:
        if said.kind:
            evidence = tuple(_place(trajectory.step(call.step), call, word) for word in said.says)
            whole = query_span(trajectory, call)
            body = said.text.strip()
            start = at + said.text.index(body)
            parts.append(
                GoalPart(
                    start=start, end=start + len(body), kind=said.kind, evidence=tuple(e or whole for e in evidence)
                )
            )
        at += len(said.text)
    return tuple(parts)


def _place(step: Step, call: SqlCall, word: str) -> Span | None:
    text = step.text_of(call.field)
    place = find_word(text, word)
    if place is not None:
        return Span(step=step.step_id, field=call.field, start=place[0], end=place[1])
    return find_text(step, call.field, word)
