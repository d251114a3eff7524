"""Goals that ask for a short file, from a run that wrote it and showed what it holds or prints."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from agenther.conclusions import Claim, Proposal, Reason, Refusal, Stage
from agenther.stages.language.code.causes import is_adrift
from agenther.stages.language.code.written import Written, find_written
from agenther.stages.language.words import tokens
from agenther.stages.relabel.code import names_file
from agenther.stages.relabel.draft import Draft, listed
from agenther.trajectory import Trajectory

LEAST_WORDS = 3
"""Words that a file must hold: fewer are a try-out, not a request."""


def compose(trajectory: Trajectory, claims: tuple[Claim, ...]) -> Iterator[Proposal | Refusal]:
    """Yield the goal that asks for the file, or why there is none."""
    for claim in claims:
        written = find_written(trajectory)
        gone = (Reason.EVIDENCE_FAILED, "nothing shows what was written")
        why = gone if written is None else file_fault(trajectory, written)
        if written is not None and why is None:
            yield _propose(trajectory, claim, written)
        elif why is not None:
            yield Refusal(stage=Stage.PROPOSE, reason=why[0], detail=why[1], evidence=claim.evidence)


def file_fault(trajectory: Trajectory, written: Written) -> tuple[Reason, str] | None:
    """Return why a written file is no goal; None when nothing speaks against it."""
    if is_adrift(trajectory, written.edit):
        return Reason.AMBIGUOUS, "the shell moved, and the path is relative"
    if sum(len(tokens(line)) for line in written.lines) < LEAST_WORDS:
        return Reason.TRIVIAL, "a word or two are no text"
    return same_file_asked(trajectory.goal, written)


def same_file_asked(old: str, written: Written) -> tuple[Reason, str] | None:
    """Return that the old goal asks for this file or this text; None when it does not."""
    name = posixpath.basename(written.edit.path)
    if names_file(old, name):
        return Reason.REWORDING, f"the old goal names {name}"
    for line in written.lines:
        if line.casefold() in old.casefold():
            return Reason.REWORDING, f"the old goal holds {line!r}"
    return None


def write_goal(written: Written) -> Draft:
    """Write `Write "..." to the file F` or `Write the script F that prints "..."`."""
    draft, place = Draft(), [written.edit.at]
    if written.is_script:
        draft.say("Write the script ").state(written.edit.path, "place", place).say(" that prints ")
    else:
        draft.say("Write ")
    if len(written.lines) > 1:
        draft.say("the lines ")
    for joint, line in listed(list(written.lines)):
        draft.say(joint).state(f'"{line}"', "value", [written.call, written.shown])
    if not written.is_script:
        draft.say(" to the file ").state(written.edit.path, "place", place)
    return draft


def _propose(trajectory: Trajectory, claim: Claim, written: Written) -> Proposal:
    draft, last = write_goal(written), written.shown.step
    kept = {written.call.step, last}
    before = tuple(s.step_id for s in trajectory.agent_steps if s.step_id < last and s.step_id not in kept)
    return Proposal(
        goal=draft.text,
        strategy="final" if last == trajectory.steps[-1].step_id else "future",
        domain="files",
        claims=(claim,),
        parts=tuple(draft.parts),
        last_step=last,
        drop_steps=before,
        useful_steps=tuple(sorted(kept)),
        effect=True,
    )
