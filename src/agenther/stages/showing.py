"""A run as text for a model: numbered steps, every line of a stranger indented, so that none can pass for a heading of ours.

A run that is longer than there is room for is fitted by these rules, in this order, and the text says so wherever it was cut:

1. every text over 4,000 characters is shown by its head and its tail, and by what stands around cited characters;
2. whole steps are left out. Kept before all others: the turns before the agent's first one, cited steps, the agent's last turn;
   then, as long as there is room, the later ones first;
3. what must be kept is cut to 1,000 characters a text;
4. what does not fit then is not shown at all: `too_long`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from agenther.conclusions import Reason, Refusal, Rewritten, Stage
from agenther.config import Config
from agenther.llm.models import Model
from agenther.llm.tokens import estimate_tokens
from agenther.stages.fence import escape
from agenther.trajectory import Span, Step, Trajectory

LONG_TEXT, SHORT_TEXT = 4_000, 1_000
"""Characters of a text that are shown when not all has room, and when even that is too much."""
AROUND_CITED = 120
"""Characters that are shown on each side of a cited place."""
INSTRUCTION_TOKENS = 3_000
"""Room for all of a prompt that is not the run: the system text, the instruction, earlier refusals, a repair turn."""
_MARK_TOKENS = 12
"""What a step may cost beside its text: the mark of a gap before it."""


def room_for_run(config: Config, *models: Model) -> int:
    """Return how many tokens of a run have room in a prompt to each of these models; the same for all stages."""
    prompts = [model.context_tokens - config.answer_tokens for model in models if model.context_tokens]
    return max(0, min([config.prompt_tokens, *prompts]) - INSTRUCTION_TOKENS)


def too_long(stage: Stage, most_tokens: int) -> Refusal:
    """Return the refusal of a run that has no room in a prompt."""
    detail = f"even its prompt, its last turn and what is cited do not fit into {most_tokens} tokens"
    return Refusal(stage=stage, reason=Reason.TOO_LONG, detail=detail)


def fit_run(trajectory: Trajectory, most_tokens: int) -> str | None:
    """Show a recorded run with its task at the head, in at most so many tokens; None when it cannot be.

    Every stage that asks about a recorded run shows it so, for equal texts share a prefix cache.
    """
    head = f"[task] {_indented(_shortened(trajectory.goal, LONG_TEXT, ()))}"
    shown = fit_steps(trajectory.steps, most_tokens - _cost(head))
    return None if shown is None else f"{head}\n{shown}"


def fit_rewritten(rewritten: Rewritten, most_tokens: int) -> str | None:
    """Show what would be trained on, what its goal cites before all else, in at most so many tokens; None when it cannot be."""
    proposal = rewritten.proposal
    parts = [span for part in proposal.parts for span in part.evidence]
    claims = [span for claim in proposal.claims for span in claim.evidence]
    return fit_steps(rewritten.steps, most_tokens, (*parts, *claims))


def show_steps(steps: Iterable[Step]) -> str:
    """Show steps whole."""
    return "\n".join(_show(step, None, ()) for step in steps)


def fit_steps(steps: Sequence[Step], most_tokens: int, cited: Collection[Span] = ()) -> str | None:
    """Show steps in at most so many tokens, by the rules of this module; None when they cannot be."""
    for bound in (None, LONG_TEXT):
        shown = [_show(step, bound, cited) for step in steps]
        if sum(map(_cost, shown)) <= most_tokens:
            return "\n".join(shown)
    for bound in (LONG_TEXT, SHORT_TEXT):
        shown = {step.step_id: _show(step, bound, cited) for step in steps}
        if (kept := _chosen(steps, shown, most_tokens, cited)) is not None:
            return "\n".join(_with_gaps(steps, shown, kept))
    return None


def _chosen(
    steps: Sequence[Step], shown: dict[int, str], most_tokens: int, cited: Collection[Span]
) -> frozenset[int] | None:
    """Return the steps that are shown: those that must be, and of the others as many as fit, later ones first."""
    costs = {number: _cost(text) + _MARK_TOKENS for number, text in shown.items()}
    agents = [step.step_id for step in steps if step.source == "agent"]
    opening = (step.step_id for step in steps if not agents or step.step_id < agents[0])
    kept = {*opening, *agents[-1:], *(span.step for span in cited if span.step in shown)}
    left = most_tokens - _MARK_TOKENS - sum(costs[number] for number in kept)
    if left < 0:
        return None
    for number in reversed(shown):
        if number not in kept and costs[number] <= left:
            kept.add(number)
            left -= costs[number]
    return frozenset(kept)


def _with_gaps(steps: Sequence[Step], shown: dict[int, str], kept: frozenset[int]) -> Iterator[str]:
    gap: list[int] = []
    for step in steps:
        if step.step_id not in kept:
            gap.append(step.step_id)
            continue
        yield from _gap(gap)
        gap = []
        yield shown[step.step_id]
    yield from _gap(gap)


def _gap(left_out: list[int]) -> Iterator[str]:
    if len(left_out) == 1:
        yield f"[step {left_out[0]} left out: no room]"
    elif left_out:
        yield f"[steps {left_out[0]}-{left_out[-1]} left out: no room]"


def _show(step: Step, bound: int | None, cited: Collection[Span]) -> str:
    lines = [f"[step {step.step_id}] {step.source}"]
    for label, field, text in _labelled(step):
        if text.strip():
            spans = [span for span in cited if span.step == step.step_id and span.field == field]
            lines.append(f"{label}: {_indented(_shortened(text, bound, spans))}")
    return "\n".join(lines)


def _labelled(step: Step) -> Iterator[tuple[str, str, str]]:
    """Yield the texts of a step with their labels and fields; a call written as text stays in its text."""
    several = len(step.tool_calls) > 1
    numbers = {call.tool_call_id: i for i, call in enumerate(step.tool_calls, start=1) if call.tool_call_id}
    for field, text in step.fields():
        kind, _, rest = field.partition("[")
        number = int(rest.split("]")[0]) if rest else 0
        match kind:
            case "reasoning":
                yield "thought", field, text
            case "tool_calls":
                call = step.tool_calls[number]
                name = " ".join(call.function_name.split())
                if call.at is None:
                    yield f"call{f' {number + 1}' if several else ''} {name}", field, text
            case "observations":
                answered = numbers.get(step.observations[number].source_call_id or "", number + 1)
                yield f"observation{f' {answered}' if several else ''}", field, text
            case _:
                yield "message", field, text


def _indented(text: str) -> str:
    """Return a text whose further lines begin with two spaces."""
    return text.replace("\n", "\n  ")


def _shortened(text: str, bound: int | None, cited: Collection[Span]) -> str:
    """Return the head and the tail of a text, and what stands around cited places, with a mark for each gap."""
    if bound is None or len(text) <= bound:
        return text
    tail = bound // 3
    wanted = [(0, bound - tail), (len(text) - tail, len(text))]
    wanted += [(max(0, span.start - AROUND_CITED), min(len(text), span.end + AROUND_CITED)) for span in cited]
    shown, at = "", 0
    for start, end in sorted(wanted):
        if start > at:
            shown += f" [... {start - at} characters left out ...] "
        shown += text[max(start, at) : end]
        at = max(at, end)
    return shown


def _cost(text: str) -> int:
    """Return how many tokens a text takes at most, escaped as it will be."""
    return estimate_tokens(escape(text)) + 1
