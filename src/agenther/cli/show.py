"""`agenther show`: one label so that a person can judge it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import click
import orjson
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from agenther.cli.stats import load_manifest
from agenther.cli.terminal import make_console, one_line, safe
from agenther.conclusions import Example, Refusal
from agenther.errors import UserError
from agenther.jobs.store import Store, Stored
from agenther.record import JsonObject
from agenther.replay import Replay
from agenther.texts import path_text
from agenther.trajectory import Span, Step, Trajectory

EVIDENCE = "bold black on yellow"
MOST_CHANGES = 20
WINDOW = 160
"""Characters shown on either side of a piece of evidence in a long text."""


@click.command("show", short_help="Show one label with its evidence, or list all.")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.argument("wanted", required=False, metavar="[ID]")
@click.option("--list", "as_list", is_flag=True, help="Show every label on a few lines instead of one label whole.")
def command(out: Path, wanted: str | None, as_list: bool) -> None:
    """Show one label: the run, the goal before and after, the evidence in its place, and what carries loss.

    ID is the id of an example (its first characters are enough) or of a run, also of one that was dropped or failed.
    Without ID the first example is shown.

    \b
    ●  carries loss      ○  context only      ✂  left out of the example
    """
    console = make_console()
    manifest = load_manifest(out)
    examples = read_examples(out / "examples.jsonl")
    if as_list:
        empty = True
        for example in examples:
            _show_brief(example, console)
            empty = False
        if empty:
            console.print(Text(f"no labels; `agenther stats {path_text(out)}` says why"))
        console.print(Text(f"files: {path_text(out)}"))
        return
    chosen = _first(examples) if wanted is None else _first(e for e in examples if wanted in (e.id, e.trajectory_id))
    with Store(out / "run.sqlite", str(manifest.get("results_key", "")), read_only=True) as store:
        found = store.find(chosen.trajectory_id if chosen else wanted or "")
        if found is None and wanted:
            chosen = _first(e for e in read_examples(out / "examples.jsonl") if e.id.startswith(wanted))
            found = store.find(chosen.trajectory_id) if chosen else None
        if found is None:
            if not wanted:
                raise UserError(f"{out}: no examples", f"`agenther stats {out}` says why")
            raise UserError(
                f"{out}: no example or run {wanted!r}",
                f"`agenther show --list {out}` lists the labels; dropped.jsonl has the ids of the other runs",
            )
        if chosen is not None:
            _show_example(chosen, found.trajectory, console)
        else:
            _show_without_label(found, _drop_of(found, out), console)


def _first(examples: Iterable[Example]) -> Example | None:
    return next(iter(examples), None)


def read_examples(path: Path) -> Iterator[Example]:
    """Yield the examples of an output folder.

    Raises:
        UserError: the file is missing or holds something else.
    """
    for row in _rows(path):
        try:
            yield Example.model_validate({name: value for name, value in row.items() if name in Example.model_fields})
        except ValidationError as error:
            raise UserError(f"{path}: expected examples, found a row that is none") from error


def _rows(path: Path) -> Iterator[JsonObject]:
    try:
        with path.open("rb") as file:
            for line in file:
                yield cast(JsonObject, orjson.loads(line))
    except (OSError, orjson.JSONDecodeError) as error:
        raise UserError(
            f"{path}: expected a file of a finished job, found none that can be read: {error}",
            "run `agenther run INPUT -o OUT` first",
        ) from error


def _drop_of(found: Stored, out: Path) -> Refusal | None:
    """Return why a run is dropped: for its own sake, or (only the file knows) for that of a run before it."""
    if found.result.drop is not None or found.result.error is not None:
        return found.result.drop
    own = (row for row in _rows(out / "dropped.jsonl") if row.get("trajectory_id") == found.trajectory.id)
    fields = ("stage", "reason", "detail", "evidence")
    return next((Refusal.model_validate({name: row[name] for name in fields}) for row in own), None)


def _show_brief(example: Example, console: Console) -> None:
    evidence = "; ".join(claim.text for claim in example.claims)
    console.print(Text(f"{example.id[:8]}  {one_line(example.desired_goal, 110)}", style="dim"))
    console.print(Text.assemble("      → ", (one_line(example.hindsight_goal, 110), "bold green")))
    console.print(Text.assemble("        because ", (one_line(evidence, 100), "yellow")))
    detail = f"        w {example.weight:.2f}  {example.domain or example.origin}  {example.trajectory_id}"
    console.print(Text(safe(detail), style="dim"))


def _show_example(example: Example, run: Trajectory, console: Console) -> None:
    failure = example.detection.failure_type
    console.print(
        Text(f"example {example.id} of run {safe(run.id)} ({example.domain or example.origin}, {example.strategy})")
    )
    console.print(Text.assemble("goal before  ", (safe(example.desired_goal), "red")))
    console.print(Text.assemble("goal after   ", (safe(example.hindsight_goal), "bold green")))
    console.print(f"weight       {example.weight:.2f}" + (f" ({failure})" if failure else ""))
    for claim in example.claims:
        console.print(Text.assemble("claim        ", (safe(claim.text), "yellow")))
    for score in example.verdict.scores:
        console.print(Text(f"  ✓ {safe(score.by)}: {safe(score.explanation)}", style="dim"))
        if score.replay is not None:
            _show_replay(score.replay, console)
    console.print()
    spans = [span for claim in example.claims for span in claim.evidence]
    kept = {int(str(message["step"])) for message in example.messages}
    for step in run.steps:
        mark = "●" if step.step_id in example.train_on else "○" if step.step_id in kept else "✂"
        _show_step(step, mark, [s for s in spans if s.step == step.step_id], console, _trained(example, step))
    for repair in example.repairs:
        console.print(Text(f"repair: {safe(repair)}", style="cyan"))


def _show_replay(replay: Replay, console: Console) -> None:
    """Show what execution showed: the changes, those that the goal names marked, and the controls."""
    for number, change in enumerate(replay.changes[:MOST_CHANGES]):
        mark = "named      " if number in replay.named else "side effect"
        values = (
            f"{change.before!r} → {change.after!r}" if change.how == "replaced" else repr(change.after or change.before)
        )
        console.print(Text(f"      {mark} {one_line(f'{change.path} {change.how}: {values}', 160)}", style="cyan"))
    if len(replay.changes) > MOST_CHANGES:
        console.print(Text(f"      … {len(replay.changes) - MOST_CHANGES} more changes", style="cyan"))
    controls = ", ".join(f"{control.name} {'reaches' if control.found else 'misses'} it" for control in replay.controls)
    console.print(Text(f"      end state: {controls}", style="cyan"))


def _trained(example: Example, step: Step) -> dict[str, str]:
    """Return the texts of a step as they stand in the example, by field; only those that an edit can change."""
    own = next((m for m in example.messages if m["step"] == step.step_id), None)
    if own is None:
        return {}
    return {"message": str(own.get("content") or ""), "reasoning": str(own.get("reasoning_content") or "")}


def _show_without_label(found: Stored, drop: Refusal | None, console: Console) -> None:
    run = found.trajectory
    why = f"dropped at {drop.stage}: {drop.reason}. {drop.detail}".rstrip() if drop else "not dropped"
    if found.result.error is not None:
        why = f"failed: {found.result.error}"
    console.print(Text.assemble(f"run {safe(run.id)}: ", (safe(why), "red")))
    console.print(Text.assemble("goal  ", (safe(run.goal), "bold")))
    spans = drop.evidence if drop else ()
    for step in run.steps:
        _show_step(step, "✂", [s for s in spans if s.step == step.step_id], console, {})


def _show_step(step: Step, mark: str, spans: list[Span], console: Console, trained: dict[str, str]) -> None:
    dim = "dim" if mark == "✂" else ""
    console.print(Text(f"{mark} {step.step_id:>3} {step.source}", style=f"bold {dim}"))
    for field, text in step.fields():
        if not text:
            continue
        own = [s for s in spans if s.field == field]
        call = (
            step.tool_calls[int(field[11 : field.index("]")])].function_name + " " if field.startswith("tool") else ""
        )
        if trained.get(field, text) != text:
            console.print(Text(f"      {field} as recorded: {one_line(text, 300)}", style="dim strike"))
            text, own = trained[field], []
        line = highlighted(text, own, marks=not console.is_terminal)
        line.stylize(dim)
        console.print(Text.assemble((f"      {field}: ", "dim"), call, line))


def highlighted(text: str, spans: list[Span], *, marks: bool = False) -> Text:
    """Return a text with its evidence in colour, or between ⟪ and ⟫; what lies far from it in a long text is left out."""
    shown = Text(safe(text))
    places = _merged(spans)
    for start, end in places:
        shown.stylize(EVIDENCE, start, end)
    if len(text) <= 4 * WINDOW:
        windows = [(0, len(text))]
    else:
        windows = [(0, 2 * WINDOW), *((max(0, a - WINDOW), min(len(text), b + WINDOW)) for a, b in places)]
    result, at = Text(), 0
    for start, stop in sorted(windows):
        if start > at:
            result.append(" … ", "dim")
        result.append_text(_marked(shown, max(start, at), stop, places if marks else []))
        at = max(at, stop)
    if at < len(text):
        result.append(f" … ({len(text) - at} more characters)", "dim")
    return result


def _merged(spans: list[Span]) -> list[tuple[int, int]]:
    """Return the bounds of spans in order, overlapping ones as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((s.start, s.end) for s in spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _marked(shown: Text, start: int, stop: int, places: list[tuple[int, int]]) -> Text:
    result, at = Text(), start
    for a, b in places:
        if start <= a < b <= stop and a >= at:
            result.append_text(shown[at:a])
            result.append("⟪").append_text(shown[a:b]).append("⟫")
            at = b
    return result.append_text(shown[at:stop] if stop > at else Text())
