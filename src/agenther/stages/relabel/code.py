"""Goals of coding agents: repair a file so that tests pass which the run shows to fail before and to pass after.

Nothing else of a coding run can be told by rules: whether a patch does what an issue asks, only tests can say.
"""

from __future__ import annotations

import json
import keyword
import posixpath
import re
from collections.abc import Iterator

from agenther.conclusions import Claim, Proposal, Reason, Refusal, Stage
from agenther.stages.language.code.causes import (
    is_adrift,
    is_comment,
    moves_from,
    raised_nothing,
    speaks_of,
    told_by_test,
    told_of,
)
from agenther.stages.language.code.edits import Edit, Kind, deed_of, same_file
from agenther.stages.language.code.fixes import Fix, fails_later, find_fix, newly_failing
from agenther.stages.language.outcomes import failed
from agenther.stages.language.shell.calls import command_span, observation_of
from agenther.stages.language.words import content_stems
from agenther.stages.relabel.draft import Draft, listed
from agenther.stages.relabel.leakage import old_words
from agenther.trajectory import Step, Trajectory, whole_field

MOST_FILES = 2
"""Edited files that one request names."""
MOST_TESTS = 3
"""Tests that one request names."""
_OF_TESTS = re.compile(
    r"(?:\A|/)(?:tests?|__tests__|testing|specs?|fixtures?|testdata|__snapshots__|snapshots?"
    r"|test[-_]data|expected|goldens?|baselines?|cassettes|__fixtures__|__mocks__)/|(?:\A|/)(?:test_[^/]*|conftest)\.\w+\Z"
    r"|(?:\A|/|[._-])(?:test|tests|spec|expected|golden|snapshot)\.\w+\Z|\.(?:snap|golden|expected)\Z|Tests?\.\w+\Z",
)
_OF_SETTINGS = re.compile(
    r"(?:\A|/)(?:pytest\.ini|setup\.(?:cfg|py)|tox\.ini|pyproject\.toml|package(?:-lock)?\.json|[Mm]akefile|Cargo\.(?:toml|lock)"
    r"|go\.(?:mod|sum)|requirements[^/]*\.txt|noxfile\.py|(?:jest|vitest|babel)\.config\.\w+|\.[^/]+)\Z"
)
_CHEATS = re.compile(
    r"\bpytest\b|\bunittest\b|PYTEST_|\bskip(?:if|test)?\b|\bxfail\b|sys\.exit|os\._exit|process\.exit|\bsys\.modules\b"
    r"|\binspect\.stack\b|os\.Exit\b",
    re.IGNORECASE,
)
_ASKS_FOR_TESTS = re.compile(
    r"\btests?\b[^.\n]{0,60}\b(?:pass(?:es|ing)?|fail(?:s|ing|ed|ures?)?|green|broken|succeed)\b"
    r"|\b(?:failing|broken|failed) tests?\b",
    re.IGNORECASE,
)
OF_ANY_ISSUE = content_stems(
    """bug call case change class code command complete directory edit error example exist expect fail feature file fix follow
    folder function handle happen implement install issue line look make method mean message minimal module need necessary new
    ok package patch path please problem program project python read repo repository request require run script section see
    solve source step submit sure task terminal test text tool update version way work write"""
)
"""Words that any report and any harness's instructions share: beside the goal they tell nothing of it."""
_SYNTAX = content_stems(" ".join(keyword.kwlist))


def compose(trajectory: Trajectory, claims: tuple[Claim, ...]) -> Iterator[Proposal | Refusal]:
    """Yield the goal of the repair, or why it is none."""
    for claim in claims:
        fix = find_fix(trajectory)
        if fix is None:
            yield _refuse(claim, Reason.EVIDENCE_FAILED, "no tests failed before an edit and pass after it")
        elif (why := fix_fault(trajectory, fix)) is not None:
            yield _refuse(claim, *why)
        else:
            yield _propose(trajectory, claim, fix)


def _refuse(claim: Claim, reason: Reason, detail: str) -> Refusal:
    return Refusal(stage=Stage.PROPOSE, reason=reason, detail=detail, evidence=claim.evidence)


def fix_fault(trajectory: Trajectory, fix: Fix) -> tuple[Reason, str] | None:
    """Return why a repair is no goal; None when nothing speaks against it."""
    for edit in fix.edits:
        if _OF_TESTS.search(edit.full_path) or _OF_SETTINGS.search(edit.full_path):
            return Reason.SIDE_EFFECT, f"{edit.path} belongs to the tests or decides how they run"
        if _CHEATS.search(edit.added):
            return Reason.NOT_TRUE, f"the new text of {edit.path} may leave tests out"
    if len(edited_files(fix)) > MOST_FILES:
        return Reason.NO_NATURAL_GOAL, f"{len(edited_files(fix))} edited files are too many for one request"
    if len(edited_files(fix)) > 1 and any(edit.silent for edit in fix.edits):
        return Reason.EVIDENCE_FAILED, "nothing shows which of the edited files was changed"
    if fails_later(trajectory, fix):
        return Reason.NOT_TRUE, "tests fail later though nothing was changed since"
    if newly_failing(trajectory, fix):
        return Reason.SIDE_EFFECT, "a test fails after the edits that did not fail before"
    if len(fix.names) > MOST_TESTS:
        return Reason.NO_NATURAL_GOAL, f"{len(fix.names)} tests are too many to name, and others still fail"
    return _chance(trajectory, fix) or same_request(trajectory.goal, fix)


def _chance(trajectory: Trajectory, fix: Fix) -> tuple[Reason, str] | None:
    """Return why the named files need not be what mended the tests; None when the run speaks for it."""
    paths = edited_files(fix)
    if (stranger := _unrelated(fix)) is not None:
        return Reason.BY_CHANCE, f"the failing tests do not speak of {stranger}"
    for path in paths:
        if all(is_comment(edit) for edit in fix.edits if same_file(edit.path, path)):
            return Reason.BY_CHANCE, f"only comments of {path} were edited"
    if len(paths) > 1 and (quiet := raised_nothing(fix, paths)) is not None:
        return Reason.BY_CHANCE, f"no failing test raised its error in {quiet}: another edit alone may have done it"
    if any(is_adrift(trajectory, edit, fix.after.suite.place) for edit in fix.edits):
        return Reason.AMBIGUOUS, "the shell moved, and an edited path is relative"
    return None


def same_request(old: str, fix: Fix) -> tuple[Reason, str] | None:
    """Return that the old goal asks for these tests too; None when it does not."""
    files = {posixpath.basename(path) for path in files_of_tests(fix)}
    names = {
        re.split(r"::|\[", name)[-1] if "[" not in name else name.split("::")[-1].split("[")[0]
        for name in fix.before.count.failing
    }
    for named in (*files, *names):
        if named and re.search(rf"(?<!\w){re.escape(named)}(?!\w)", old):
            return Reason.REWORDING, f"the old goal names {named}"
    asked = content_stems(old)
    told = [content_stems(re.sub(r"_|(?<=[a-z])(?=[A-Z])", " ", name)) - OF_ANY_ISSUE for name in names]
    if told and all(words and words <= asked for words in told):
        return Reason.REWORDING, f"the old goal speaks of what the tests are named after: {sorted(told[0])}"
    if _ASKS_FOR_TESTS.search(old):
        return Reason.REWORDING, "the old goal asks about tests that fail or pass"
    return None


def edited_files(fix: Fix) -> tuple[str, ...]:
    """Return the edited files, each once, as first written."""
    found: list[str] = []
    for path in fix.edited:
        if not any(same_file(path, other) for other in found):
            found.append(path)
    return tuple(found)


def files_of_tests(fix: Fix) -> frozenset[str]:
    """Return the files of tests that the command or its output names."""
    named = {target.split("::")[0] for target in fix.after.suite.targets}
    return frozenset(named | {name.split("::")[0] for name in fix.before.count.failing})


def _unrelated(fix: Fix) -> str | None:
    """Return an edited file that neither the failing run's output nor the names of its tests speak of."""
    said = told_of(fix)
    return next((path for path in edited_files(fix) if not speaks_of(said, path)), None)


def named_tests(fix: Fix) -> list[str]:
    """Return the mended tests that a goal may name: those that speak of an edited file, if any does."""
    names = sorted(fix.names or (fix.before.count.failing if not fix.before.count.errors else ()))
    told = [name for name in names if any(speaks_of(told_by_test(fix, name), path) for path in edited_files(fix))]
    return told or names


def _propose(trajectory: Trajectory, claim: Claim, fix: Fix) -> Proposal:
    draft = write_goal(trajectory, fix)
    dropped, masked = sort_steps(trajectory, fix, draft.text)
    last = fix.after.step
    useful = [s.step_id for s in trajectory.agent_steps if s.step_id <= last and s.step_id not in {*dropped, *masked}]
    return Proposal(
        goal=draft.text,
        strategy="final" if last == trajectory.steps[-1].step_id else "future",
        domain="code",
        claims=(claim,),
        parts=tuple(draft.parts),
        last_step=last,
        drop_steps=dropped,
        mask_steps=masked,
        useful_steps=tuple(useful),
        effect=True,
    )


def write_goal(trajectory: Trajectory, fix: Fix) -> Draft:
    """Write `Fix FILE so that TESTS pass`."""
    draft = Draft().say("Fix ")
    for joint, path in listed(list(edited_files(fix))):
        draft.say(joint).state(path, "object", [e.at for e in fix.edits if same_file(e.path, path)])
    draft.say(" so that ")
    suite, after = fix.after.suite, trajectory.step(fix.after.step)
    shown = command_span(after, fix.after.number, suite.command, 0, len(suite.command))
    whole = whole_field(after, f"tool_calls[{fix.after.number}].arguments")
    names = named_tests(fix)
    if names and len(names) <= MOST_TESTS and all("::" in name for name in names):
        for joint, name in listed(names):
            draft.say(joint).state(name, "condition", [fix.before.printed])
        return draft.say(" passes" if len(names) == 1 else " pass")
    files = [target for target in suite.targets if target.endswith(".py")]
    if (
        suite.runner == "pytest"
        and files
        and len(files) == len(suite.targets) <= MOST_FILES
        and not fix.after.count.other
    ):
        draft.say("all tests in ")
        for joint, path in listed(files):
            draft.say(joint).state(path, "condition", [whole, fix.after.printed])
        return draft.say(" pass")
    bare = " ".join(word for word in suite.command.split() if not word.startswith("-") or word == "-m")
    draft.state(f"`{bare}`", "condition", [shown, fix.after.printed])
    if suite.place.startswith("/"):
        draft.say(" in ").state(suite.place, "place", [whole])
    return draft.say(" passes")


def sort_steps(trajectory: Trajectory, fix: Fix, goal: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the steps to leave out and those that failed, which carry no loss.

    A step is left out when it only read, and nothing of this, while the shell stayed where it was.
    """
    names = {posixpath.basename(path) for path in (*edited_files(fix), *files_of_tests(fix))}
    runs = {fix.before.step, fix.after.step, *fix.edit_steps}
    dropped, masked = list[int](), list[int]()
    seen = content_stems(goal)
    for step in trajectory.agent_steps:
        if step.step_id > fix.after.step:
            break
        if step.step_id in runs or not step.tool_calls or moves_from(step, fix.after.suite.place):
            pass
        elif all(deed_of(step, n).kind is Kind.NOTHING for n in range(len(step.tool_calls))):
            masked.append(step.step_id)
        elif not _speaks_of(step, names) or unexplained(trajectory, step, goal, seen):
            dropped.append(step.step_id)
            continue
        if failed(step) and step.step_id not in masked:
            masked.append(step.step_id)
        seen |= stems_seen(step)
    return tuple(dropped), tuple(masked)


def _speaks_of(step: Step, names: set[str]) -> bool:
    texts = [call.arguments for call in step.tool_calls] + [seen.content for seen in step.observations]
    return any(names_file(text, name) for text in texts for name in names)


def names_file(text: str, name: str) -> bool:
    """Tell whether a text holds the name of a file, not as the end of another name."""
    return name in text and re.search(rf"(?<![\w.-]){re.escape(name)}(?!\w)", text) is not None


def stems_seen(step: Step) -> frozenset[str]:
    """Return the words that a step's results showed to the agent."""
    return frozenset(stem for seen in step.observations for stem in content_stems(seen.content))


def unexplained(trajectory: Trajectory, step: Step, goal: str, seen: frozenset[str]) -> frozenset[str]:
    """Return the words of a step's calls that come from the old goal alone: nothing that the agent saw before has them."""
    said = " ".join(str(value) for call in step.tool_calls for value in (call.values.values() or [call.arguments]))
    return (content_stems(said) & old_words(trajectory.goal, goal)) - seen - _SYNTAX


def unseen_edit(edit: Edit, before: list[Step]) -> str | None:
    """Return what of an edit the kept steps before it did not show: the file, or the text that is replaced."""
    base = posixpath.basename(edit.path)
    reads = [step for step in before if _speaks_of(step, {base}) and not failed(step)]
    if not reads:
        return f"{edit.path} was never looked at"
    lines = [line.strip() for line in edit.removed.splitlines() if line.strip()]
    texts = [seen.content for step in before for seen in step.observations]
    for line in lines[:1]:
        forms = (line, json.dumps(line, ensure_ascii=False)[1:-1], json.dumps(line)[1:-1])
        if not any(form in text for form in forms for text in texts):
            return f"the text {line[:40]!r} was never shown"
    if edit.whole and not any(_looked_at(step, base) for step in reads):
        return f"{edit.path} may be new"
    return None


def _looked_at(step: Step, name: str) -> bool:
    """Tell whether a call named a file and got something back."""
    answers = [(call, observation_of(step, n)) for n, call in enumerate(step.tool_calls)]
    return any(
        names_file(call.arguments, name) and seen is not None and seen[1].strip() != "" for call, seen in answers
    )
