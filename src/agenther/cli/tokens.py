"""`agenther tokens`: which tokens train, by the consumer's own code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agenther.cli.stats import load_manifest
from agenther.cli.terminal import make_console, one_line, safe
from agenther.errors import UserError
from agenther.record import JsonObject
from agenther.texts import path_text

if TYPE_CHECKING:
    from agenther.train.accounts import Account, Matched
    from agenther.train.encoders import Part
    from agenther.train.speakers import Rendered

TRAINED = "bold black on green"
MOST_UNTRAINED = 600
"""Characters shown of a stretch that does not train."""
_UNKNOWN = {
    "openai": "its provider alone knows which tokens train",
    "atif": "no trainer reads ATIF documents as they are",
}


@click.command("tokens", short_help="Show which tokens of the rows train, by the consumer's own code.")
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option("--for", "consumer", metavar="NAME", required=True, help="trl, sharegpt, swift, llamafactory or axolotl.")
@click.option(
    "--tokenizer",
    metavar="PATH",
    required=True,
    help="Folder or hub name of the model, with config.json and tokenizer.",
)
@click.option(
    "--template",
    metavar="NAME",
    help="The framework's name of the chat template.  [default: of the settings or the model]",
)
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND", help="sft, sft_last, dpo, kto or goal_contrast; repeatable."
)
@click.option(
    "--row", "wanted", metavar="ID", help="Id of the row that is shown, or its beginning.  [default: the first]"
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Look at the first N rows of each file alone.")
@click.option("--python", metavar="PATH", help="Python of another environment, which has the framework.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts, and the row whole, as JSON.")
def command(
    out: Path, consumer: str, tokenizer: str, template: str | None, kinds: tuple[str, ...], wanted: str | None,
    limit: int | None, python: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show how many tokens train and how many do not, and one row in colour, by the code that will train it.

    The rows of OUT are loaded by the consumer's own loader, with the settings beside them, and rendered by its own chat
    template. Rows that it drops or changes are named.

    \b
    agenther tokens out --for trl --tokenizer models/qwen2.5-7b
    agenther tokens out --for swift --tokenizer models/qwen2.5-7b --python ~/swift/bin/python
    agenther tokens out --for llamafactory --tokenizer models/qwen2.5-7b --template qwen --row 1f0c

    For trl the code is that of `agenther train`. Tokens of one speaker are found by the texts of the row; where
    neighbouring tokens of several speakers all train, or none, they are shared out by characters.
    """
    from agenther.train.accounts import account_of
    from agenther.train.rendering import Python, refuse_absent, render

    load_manifest(out)
    parts = _parts(out, consumer, kinds, tokenizer, template)
    row = Shown(_whole_id(parts, wanted))
    environment = Python(python or sys.executable, own=python is None)
    refuse_absent(consumer, environment)
    accounts: list[Account] = []
    with closing(render([part for part, _ in parts], environment, limit)) as rendered:
        for part, n_rows in parts:
            with _progress(f"{consumer} {part.kind}, {part.side}", min(n_rows, limit or n_rows)) as tick:
                own = _of_one_part(rendered, tick)
                accounts.append(account_of(part, own, limit, partial(row.see, part)))
    if as_json:
        told: JsonObject = {"consumer": consumer, "tokenizer": tokenizer, "files": [one.to_json() for one in accounts]}
        click.echo(orjson.dumps(told | {"row": row.to_json()}, option=orjson.OPT_INDENT_2).decode())
        return
    console = make_console()
    print_accounts(consumer, accounts, console)
    print_row(row, console)


def _parts(
    out: Path, consumer: str, kinds: tuple[str, ...], tokenizer: str, template: str | None
) -> list[tuple[Part, int]]:
    """Return the files that have rows, with their number.

    Raises:
        UserError: nothing can be said of what was asked for.
    """
    from agenther.train.accounts import count_rows
    from agenther.train.encoders import ENCODERS, Part
    from agenther.writers import WRITERS, known_consumers

    known_consumers([consumer])
    if consumer not in ENCODERS:
        raise UserError(f"{consumer}: {_UNKNOWN[consumer]}", "`--for trl` shows which tokens of the same labels should")
    writer = WRITERS[consumer]
    for kind in kinds:
        if kind not in writer.kinds:
            why = cast(Mapping[str, str], writer.refuses).get(kind) or f"it has {', '.join(writer.kinds)}"
            raise UserError(f"{consumer} has no {one_line(kind, 40)}: {why}")
    model = Path(tokenizer)
    if model.is_file():
        raise UserError(f"{tokenizer}: expected the folder of a model, found a file", f"perhaps {model.parent}")
    named = str(model.resolve()) if model.exists() else tokenizer
    whole = [
        Part(out.resolve(), consumer, kind, side, named, template)
        for kind in writer.kinds
        if kind in (kinds or writer.kinds)
        for side in ("train", "test")
    ]
    parts = [(part, n) for part in whole if (n := count_rows(part.rows))]
    if not parts:
        raise UserError(f"{path_text(out)}: no file for {consumer} has rows", f"`agenther stats {out}` says why")
    return parts


def _whole_id(parts: Sequence[tuple[Part, int]], wanted: str | None) -> str | None:
    """Return the first id that begins as wanted; None where none is wanted.

    Raises:
        UserError: no row has such an id.
    """
    from agenther.train.accounts import row_id
    from agenther.train.rows import read_lines

    if wanted is None:
        return None
    ids = (row_id(row) for part, _ in parts for _, row in read_lines(part.rows))
    if (found := next((one for one in ids if one.startswith(wanted)), None)) is None:
        raise UserError(f"no row for {parts[0][0].consumer} has an id that begins with {one_line(wanted, 60)!r}")
    return found


@contextmanager
def _progress(what: str, n_rows: int) -> Generator[Callable[[int], None]]:
    """Show how many rows the framework has made, where somebody looks."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=n_rows)
        yield lambda done: progress.update(task, completed=done)


def _of_one_part(rendered: Iterator[Rendered | None], tick: Callable[[int], None]) -> Generator[Rendered]:
    """Yield what is made of the rows of a part: everything until None."""
    while (one := next(rendered, None)) is not None:
        tick(one.row + 1)
        yield one


class Shown:
    """The row that is shown: the first, or the first with an id."""

    def __init__(self, wanted: str | None) -> None:
        self.wanted = wanted
        self.part: Part | None = None
        self.sides: list[Matched] = []

    def see(self, part: Part, one: Matched) -> None:
        """Keep a side if it is of the row."""
        if self.wanted not in (None, one.id):
            return
        if not self.sides or (part == self.part and one.rendered.row == self.sides[0].rendered.row):
            self.part = part
            self.sides.append(one)

    def to_json(self) -> JsonObject | None:
        """Return it as JSON; None where the framework did not load it."""
        if self.part is None:
            return None
        sides: list[JsonObject] = [
            {"side": one.rendered.side, "stretches": [stretch._asdict() for stretch in one.rendered.stretches]}
            for one in self.sides
        ]
        return {"id": self.sides[0].id, "kind": self.part.kind, "file": self.part.side, "sides": [*sides]}


def print_accounts(consumer: str, accounts: Sequence[Account], console: Console) -> None:
    """Print how many tokens train, by file and speaker, and what the framework lost or changed."""
    loaded = _table("", "rows", "loaded", "tokens", "longest", "train", "of the agent", "of others")
    left = _table("do not train", "tokens", "system", "user", "results", "masked", "template")
    for one in accounts:
        yes, no, name = one.roles(True), one.roles(False), f"{one.kind}, {one.side}"
        others = sum(yes.values()) - yes["agent"]
        counts = (one.rows, one.loaded, one.tokens, one.longest, one.trained, yes["agent"])
        loaded.add_row(name, *map(str, counts), Text(str(others), "bold red" if others else ""))
        unsaid = (no[role] for role in ("system", "user", "tool", "agent", "template"))
        left.add_row(name, str(one.tokens - one.trained), *map(str, unsaid))
    console.print(loaded)
    console.print()
    console.print(left)
    for one in accounts:
        for note in _notes(consumer, one):
            console.print(Text(safe(note), "yellow"))


def _table(title: str, *names: str) -> Table:
    table = Table(title, *names, box=None, header_style="bold")
    for number, column in enumerate(table.columns):
        column.justify, column.no_wrap = ("right" if number else "left"), True
    return table


def _notes(consumer: str, one: Account) -> Generator[str]:
    where = f"{one.kind}, {one.side}:"
    if one.seen < one.rows:
        yield f"{where} the first {one.seen} of {one.rows} rows were looked at"
    if one.n_dropped:
        yield f"{where} {one.n_dropped} rows are not loaded by {consumer}: {_named(one.dropped, one.n_dropped)}"
    if one.n_unlike:
        yield f"{where} {one.n_unlike} rows with a text cut, left out or rewritten: {_named(one.unlike, one.n_unlike)}"
    for role, n in one.roles(True).items():
        if role != "agent" and n:
            yield f"{where} {n} tokens train that are no words of the agent ({'results' if role == 'tool' else role})"
    if one.scales - {1.0}:
        yield f"{where} losses are multiplied by {', '.join(f'{scale:g}' for scale in sorted(one.scales))}"


def _named(ids: Sequence[str], n: int) -> str:
    shown = ids[:5]
    return ", ".join(shown) + (", …" if n > len(shown) else "")


def print_row(row: Shown, console: Console) -> None:
    """Print a row whose trained tokens are in colour, or between ⟪ and ⟫ where there is none."""
    if row.part is None:
        console.print(Text(f"\nrow {safe(row.wanted or '')}: not among those that were loaded", "yellow"))
    for one in row.sides:
        stretches = one.rendered.stretches
        trained = sum(stretch.n_tokens for stretch in stretches if stretch.trained)
        side = f", {one.rendered.side}" if one.rendered.side else ""
        of = f"{row.part.kind}, {row.part.side}{side}" if row.part else ""
        n = sum(stretch.n_tokens for stretch in stretches)
        console.print(Text(f"\nrow {safe(one.id)} ({of}): {trained} of {n} tokens train", "bold"))
        console.print(coloured(one.rendered, marks=not console.is_terminal))


def coloured(rendered: Rendered, *, marks: bool) -> Text:
    """Return what the model reads, trained tokens in colour or between marks; long stretches that do not train are shortened."""
    result = Text()
    for trained, _, raw in rendered.stretches:
        text = safe(raw)
        if marks:
            text = text.translate({ord("⟪"): "\N{REPLACEMENT CHARACTER}", ord("⟫"): "\N{REPLACEMENT CHARACTER}"})
        if trained:
            result.append(f"⟪{text}⟫" if marks else text, TRAINED)
        elif len(text) > MOST_UNTRAINED:
            half = MOST_UNTRAINED // 2
            result.append(text[:half]).append(f" … ({len(text) - 2 * half} more characters) … ", "dim italic")
            result.append(text[-half:])
        else:
            result.append(text)
    return result
