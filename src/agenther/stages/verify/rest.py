"""Checks of goals made from tool descriptions: a real request, the user's own words, a whole answer told truthfully."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.record import Json
from agenther.stages.extract.rest import answer_of, holds_something, leaves
from agenther.stages.language.descriptions import TECHNICAL, description_of, is_read_only, is_request
from agenther.stages.language.telling import answer_in, answering_call
from agenther.stages.language.words import content_stems, is_noun, stems, tokens
from agenther.stages.recording import error_code
from agenther.stages.relabel.rewrite import untold
from agenther.stages.verify.grounding import HARD, contains
from agenther.trajectory import Step, ToolCall

_PREPOSITION = re.compile(r"\b(?:of|for|in|at|on|from|to|by|with|between)\b", re.IGNORECASE)
LEAST_MORE = 3
"""Content words that the old goal must have beyond the new one; with fewer it asked for the same thing."""


def check_request(rewritten: Rewritten) -> Score:
    """Refuse when the tool's description is no short request, or the goal still speaks like a manual."""
    by, goal = "check:rest.request", rewritten.proposal.goal
    description = dict(description_of(t) for t in rewritten.trajectory.tools).get(_achieving(rewritten)[0], "")
    if not is_request(description):
        return refused(by, Reason.UNNATURAL, "the description of the tool is no short request")
    if found := TECHNICAL.search(goal):
        return refused(by, Reason.UNNATURAL, f"{found.group()!r} is no word of a user")
    return passed(by, "the description reads as a request")


def check_arguments(rewritten: Rewritten) -> Score:
    """Refuse when a kept call uses a value that is neither the user's nor from an earlier kept observation."""
    by, seen = "check:rest.arguments", [rewritten.trajectory.goal]
    for step in _kept(rewritten):
        for call in _look_ups(step):
            for name, value in call.values.items():
                if not any(contains(text, str(value)) for text in seen):
                    return refused(by, Reason.UNGROUNDED, f"step {step.step_id}: {name} {value!r} comes from nowhere")
        seen += [observation.content for observation in step.observations]
    return passed(by, "every argument comes from the user or an earlier answer")


def check_goal_is_asked(rewritten: Rewritten) -> Score:
    """Refuse when the goal leaves out an argument that narrowed the call."""
    by, goal = "check:rest.all_arguments", rewritten.proposal.goal
    step = rewritten.trajectory.step(rewritten.proposal.last_step)
    told = sum(part.kind == "value" for part in rewritten.proposal.parts)
    if told < len(step.tool_calls[0].values):
        return refused(by, Reason.UNGROUNDED, f"the goal {goal!r} does not say all that the call did")
    return passed(by, "the goal says every argument")


def check_whole_answer(rewritten: Rewritten) -> Score:
    """Refuse when the call failed, its answer is empty, or it is cut short so that it is no document any more."""
    by, evidence = "check:rest.whole_answer", rewritten.proposal.claims[0].evidence
    if not holds_something(answer_of(rewritten.trajectory.step(rewritten.proposal.last_step))):
        return refused(by, Reason.EVIDENCE_FAILED, "the answer of the tool is an error, empty or cut short", evidence)
    return passed(by, "the tool gave a whole answer", evidence)


def check_codes(rewritten: Rewritten) -> Score:
    """Refuse when the environment gave a kept call a code that says it failed, whatever its words were."""
    by = "check:rest.codes"
    for step in _kept(rewritten):
        if (code := error_code(rewritten.trajectory, step)) is not None:
            return refused(by, Reason.EVIDENCE_FAILED, f"the call of step {step.step_id} has the code {code}")
    return passed(by, "no kept call failed by its code")


def check_reads_only(rewritten: Rewritten) -> Score:
    """Refuse when the run, up to its answer, calls a tool that may change something."""
    by, described = "check:rest.reads_only", dict(description_of(tool) for tool in rewritten.trajectory.tools)
    for step in rewritten.trajectory.agent_steps:
        if step.step_id > (rewritten.proposal.answer_step or rewritten.proposal.last_step):
            break
        for call in _look_ups(step):
            if not is_read_only(call.function_name, described.get(call.function_name, "")):
                return refused(by, Reason.SIDE_EFFECT, f"step {step.step_id} calls {call.function_name}")
    return passed(by, "all calls look something up")


def check_answer_supported(rewritten: Rewritten) -> Score:
    """Refuse when the answer states a number or name that no kept observation shows."""
    by, kept = "check:rest.answer_supported", _kept(rewritten)
    seen = [o.content for step in kept for o in step.observations] + [rewritten.proposal.goal]
    told = _told(rewritten)
    for match in HARD.finditer(told):
        if not any(contains(text, match.group().strip('"“”.,')) for text in seen):
            return refused(
                by, Reason.NOT_TRUE, f"the answer says {match.group()!r}, which no kept answer of a tool shows"
            )
    return passed(by, "all that the answer states was seen")


def check_answer_admits_nothing(rewritten: Rewritten) -> Score:
    """Refuse when an answer that was handed in by a call speaks of the old goal or of failing: calls are never edited."""
    by, proposal = "check:rest.answer_admits_nothing", rewritten.proposal
    step = next((s for s in rewritten.steps if s.step_id == proposal.answer_step), None)
    if step is None or answering_call(step) is None:
        return passed(by, "the answer is no call")
    leaks = untold(rewritten.steps, rewritten.trajectory.goal, proposal)
    if (found := leaks.why(answer_in(step), step.step_id)) is not None:
        return refused(by, Reason.STILL_SPEAKS_OF_OLD_GOAL, f"the answer says {found}")
    return passed(by, "the answer speaks of this goal alone")


def check_answer_on_topic(rewritten: Rewritten) -> Score:
    """Refuse when the answer shares no word with what the goal asks for: the values may be there by chance."""
    by = "check:rest.answer_on_topic"
    told = _told(rewritten)
    common = content_stems(told) & content_stems(rewritten.proposal.goal)
    if not common:
        return refused(by, Reason.ANSWER_MISSES_GOAL, "the answer shares no word with the goal")
    return passed(by, f"the answer speaks of {sorted(common)}")


def check_complete(rewritten: Rewritten) -> Score:
    """Refuse when the answer leaves out members of a list that came back, or tells nothing that the goal names."""
    by, proposal = "check:rest.complete", rewritten.proposal
    document = answer_of(rewritten.trajectory.step(proposal.last_step))
    told = _told(rewritten)
    for member in _members(document):
        if not any(contains(told, leaf) for leaf in leaves(member) if not contains(proposal.goal, leaf)):
            return refused(by, Reason.ANSWER_MISSES_GOAL, "the answer leaves out members of the list that came back")
    asked = content_stems(_PREPOSITION.split(proposal.goal, maxsplit=1)[0])
    named = [leaf for key, leaf in _keyed(document) if stems(key) & asked]
    if named and not any(contains(told, leaf) for leaf in named):
        return refused(by, Reason.ANSWER_MISSES_GOAL, "the answer does not tell what the goal names")
    return passed(by, "the answer tells what was asked, all of it")


def check_more_was_asked(rewritten: Rewritten) -> Score:
    """Refuse when the old goal asks for hardly more than the new one: then the run failed this very goal."""
    by = "check:rest.more_was_asked"
    nouns = " ".join(word for word in tokens(rewritten.trajectory.goal) if is_noun(word) or word.isdigit())
    more = content_stems(nouns) - content_stems(rewritten.proposal.goal)
    if len(more) < LEAST_MORE:
        return refused(by, Reason.REWORDING, f"the old goal only adds {sorted(more)}")
    return passed(by, f"the old goal also asked about {sorted(more)[:5]}")


CHECKS = (
    check_request,
    check_arguments,
    check_goal_is_asked,
    check_whole_answer,
    check_codes,
    check_reads_only,
    check_answer_supported,
    check_answer_admits_nothing,
    check_answer_on_topic,
    check_complete,
    check_more_was_asked,
)


def _members(value: Json) -> list[Json]:
    """Return the members of all lists of a document that stand in no other list."""
    if isinstance(value, list):
        return value
    return [one for member in value.values() for one in _members(member)] if isinstance(value, dict) else []


def _keyed(value: Json, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts and numbers of a document, each with the key that it stands under."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _keyed(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from _keyed(member, key)
    else:
        yield from ((key, leaf) for leaf in leaves(value))


def _told(rewritten: Rewritten) -> str:
    """Return the answer as it would be trained on."""
    return next((answer_in(s) for s in rewritten.steps if s.step_id == rewritten.proposal.answer_step), "")


def _look_ups(step: Step) -> tuple[ToolCall, ...]:
    """Return the calls of a step that are not the answer itself."""
    return () if answering_call(step) is not None else step.tool_calls


def _kept(rewritten: Rewritten) -> list[Step]:
    return [rewritten.trajectory.step(step.step_id) for step in rewritten.steps if step.source == "agent"]


def _achieving(rewritten: Rewritten) -> tuple[str, ...]:
    calls = rewritten.trajectory.step(rewritten.proposal.last_step).tool_calls
    return tuple(call.function_name for call in calls) or ("",)
