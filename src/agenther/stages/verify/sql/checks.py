"""Is a request made from a query true: does the goal say what the query computes, and do the rows bear it out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.language.sql.parse import parse_select
from agenther.stages.language.sql.rows import Cell, Row, is_number_text
from agenther.stages.language.sql.run import Known, SqlCall, known_schema, sql_calls
from agenther.stages.language.sql.shape import Item, Select, Unspeakable
from agenther.stages.language.sql.words import is_identifier, is_measure, name_words
from agenther.stages.language.words import content_stems, singular, split_name, stem, stems
from agenther.stages.relabel.sql.goal import speak
from agenther.stages.relabel.sql.says import TIE
from agenther.stages.verify.sql.novelty import query_step

MAX_LOOKED_AT = 50
"""Rows of an earlier result in which a number is looked for."""
_ALIAS_WORDS = frozenset(
    "num number count counts total sum avg average mean min minimum max maximum cnt no of the per n highest lowest most "
    "least frequency freq name result value amount".split()
)


def kept_call(rewritten: Rewritten) -> SqlCall | None:
    """Return the kept query that the goal was made from."""
    span = rewritten.proposal.claims[0].evidence[0]
    kept = {step.step_id for step in rewritten.steps}
    for call in sql_calls(rewritten.trajectory):
        if call.step == span.step and call.field == span.field and call.step in kept:
            return call
    return None


def _asked(rewritten: Rewritten) -> tuple[SqlCall, Select, tuple[Row, ...], Known] | str:
    """Return the query, its parsed form, its rows and the schema known by then, or why there is none."""
    call = kept_call(rewritten)
    if call is None:
        return "the query is not in the kept run"
    if not call.rows:
        return "the query returned no rows"
    try:
        select = parse_select(call.query)
    except Unspeakable as reason:
        return str(reason)
    calls = list(sql_calls(rewritten.trajectory))
    return call, select, call.rows, known_schema(calls)


Test = Callable[[Rewritten, Select, tuple[Row, ...], Known], str | None]


class SqlCheck:
    """A named check of a query and its rows; the test says what is wrong, or nothing."""

    def __init__(self, name: str, reason: Reason, good: str, test: Test) -> None:
        self._by, self._reason, self._good, self._test = f"check:sql_{name}", reason, good, test

    def __call__(self, rewritten: Rewritten) -> Score:
        """Vote."""
        asked = _asked(rewritten)
        if isinstance(asked, str):
            return refused(self._by, Reason.EVIDENCE_FAILED, asked)
        call, select, rows, known = asked
        evidence = [span for span in (call.answer_at,) if span is not None]
        wrong = self._test(rewritten, select, rows, known)
        if wrong is not None:
            return refused(self._by, self._reason, wrong, evidence)
        return passed(self._by, self._good, evidence)


def says_the_query(rewritten: Rewritten, select: Select, rows: tuple[Row, ...], known: Known) -> str | None:
    """The goal must be what the query says, word for word: nothing added, nothing left out."""
    for question in (True, False):
        try:
            said = "".join(part.text for part in speak(select, rows, known, question=question))
        except Unspeakable as reason:
            return str(reason)
        if said == rewritten.proposal.goal:
            return None
    return "the goal does not say what the query asks"


def has_result(rewritten: Rewritten, select: Select, rows: tuple[Row, ...], known: Known) -> str | None:
    """Zero, null and empty columns show nothing."""
    del rewritten, known
    counts = [i for i, item in enumerate(select.items) if item.function == "count"]
    if len(rows) == 1 and any(i < len(rows[0]) and rows[0][i] in (0, "0") for i in counts):
        return "the count is zero"
    star = any(item.column is None and not item.function for item in select.items)
    for place in range(len(rows[0])):
        empty = [row for row in rows if row[place] is None or row[place] == ""]
        if not star and len(empty) * 2 > len(rows):
            return "a column of the result is mostly empty"
        if not star and empty and (len(rows) == 1 or select.aggregates):
            return "the result holds a null"
    return None


def no_text_numbers(rewritten: Rewritten, select: Select, rows: tuple[Row, ...], known: Known) -> str | None:
    """Numbers stored as text have no true minimum, maximum, sum or order."""
    del rewritten
    ordered = [order.item for order in select.order]
    computed = [item for item in select.items if item.function in ("min", "max", "sum", "avg")]
    inner = [
        c.inner.items[0] for c in select.all_conditions() if c.inner and c.inner.items[0].function not in ("", "count")
    ]
    for item in (*ordered, *computed, *inner):
        if item.function == "count" or item.column is None:
            continue
        info = known.column(item.column.table, item.column.name)
        numeric = is_measure(item.column.name)
        if info is not None and info.is_text and (numeric or item.function in ("sum", "avg")):
            return f"{item.column.name} is stored as text"
        if any(is_number_text(cell) for cell in _cells(select, item, rows)):
            return f"{item.column.name} is stored as text"
    return None


def _cells(select: Select, item: Item, rows: tuple[Row, ...]) -> list[Cell]:
    place = next((i for i, shown in enumerate(select.items) if shown.same(item)), None)
    return [row[place] for row in rows if place < len(row)] if place is not None else []


def no_fan_out(rewritten: Rewritten, select: Select, rows: tuple[Row, ...], known: Known) -> str | None:
    """A join that repeats rows, and a group by the rows' own key, give no honest list or count."""
    del rewritten, known
    return fan_out(select, rows)


def fan_out(select: Select, rows: tuple[Row, ...]) -> str | None:
    """Return what repeats in a result that should not."""
    if len(set(rows)) < len(rows) and (select.joins or not select.aggregates):
        if any(item.column is not None and is_identifier(item.column.name) for item in select.plain):
            return "the list of keys repeats some"
        if select.joins:
            return "the join repeats rows"
        if len(set(rows)) * 2 < len(rows):
            return "the list repeats its rows"
    counts = [i for i, item in enumerate(select.items) if item.function == "count"]
    if select.group and counts and len(rows) > 1 and all(row[counts[0]] == 1 for row in rows):
        return "every group holds one row"
    return None


def keys_are_named(rewritten: Rewritten, select: Select, rows: tuple[Row, ...], known: Known) -> str | None:
    """Whole numbers in the place of names must be called ids."""
    del known
    for place, item in enumerate(select.items):
        if item.function or item.column is None or is_measure(item.column.name):
            continue
        cells = [row[place] for row in rows if place < len(row) and row[place] is not None]
        words = " ".join(name_words(item.column.name) or ())
        if (
            cells
            and all(isinstance(c, int) for c in cells)
            and not re.search(rf"{words}s? ids?\b", rewritten.proposal.goal)
        ):
            return f"{item.column.name} holds whole numbers, perhaps keys"
    return None


def tie_is_said(rewritten: Rewritten, select: Select, rows: tuple[Row, ...], known: Known) -> str | None:
    """A limit after an order must leave room for ties."""
    del known
    if select.limit is not None and len(rows) == select.limit and TIE.strip() not in rewritten.proposal.goal:
        return "a tie would make the answer one of several"
    return None


def aliases_are_clean(rewritten: Rewritten, select: Select, rows: tuple[Row, ...], known: Known) -> str | None:
    """An alias is a name that the agent chose: it must not name what the new goal does not ask."""
    del rows, known
    said = stems(rewritten.proposal.goal) | {stem(t) for column in select.columns() for t in _parts(column.name)}
    said |= {stem(t) for table in select.all_tables() for t in _parts(table)}
    for item in select.items:
        strange = {s for s in content_stems(item.alias) if s not in said and s not in _ALIAS_WORDS}
        if item.alias and strange:
            return f"the alias {item.alias} names something else"
    return None


def no_borrowed_number(rewritten: Rewritten, select: Select, rows: tuple[Row, ...], known: Known) -> str | None:
    """A number that the agent took from the result of a query now left out is a step of the old goal in disguise."""
    del rows, known
    given = {v.text for c in select.all_conditions() for v in c.values if not v.quoted and len(v.text) > 1}
    kept = {step.step_id for step in rewritten.steps}
    for call in sql_calls(rewritten.trajectory):
        if call.step >= query_step(rewritten) or call.step in kept or not call.rows:
            continue
        cells = [cell for row in call.rows[:MAX_LOOKED_AT] for cell in row if isinstance(cell, int | float)]
        for text in given:
            stated = re.search(rf"(?<![\d.]){re.escape(text)}(?![\d.])", rewritten.trajectory.goal)
            if not stated and any(abs(cell - float(text)) < 1 for cell in cells):
                return f"{text} was the result of step {call.step}, which is left out"
    return None


def has_no_rival(rewritten: Rewritten, select: Select, rows: tuple[Row, ...], known: Known) -> str | None:
    """Which of two tables of one name in two numbers is meant cannot be told, and a stray copy may be among them."""
    del rewritten, rows
    return rival(select, known.tables)


def rival(select: Select, tables: Iterable[str]) -> str | None:
    """Return that a table has the same name as a queried one but for the number of its words; None when none has."""
    for own in (table.lower() for table in select.all_tables()):
        for other in tables:
            if other != own and _named_alike(own) == _named_alike(other):
                return f"{own} or {other} may be meant"
    return None


def _named_alike(table: str) -> tuple[str, ...]:
    return tuple(singular(word.lower()) for word in split_name(table) if word != "_")


def _parts(name: str) -> tuple[str, ...]:
    return tuple(word for phrase in name_words(name) or () for word in phrase.split(" "))


CHECKS: tuple[SqlCheck, ...] = (
    SqlCheck("faithful", Reason.NOT_TRUE, "the goal says exactly what the query asks", says_the_query),
    SqlCheck("result", Reason.NOTHING_ACHIEVED, "the result is not empty, zero or null", has_result),
    SqlCheck("text_numbers", Reason.NOT_TRUE, "no number stored as text is ordered or computed", no_text_numbers),
    SqlCheck("fan_out", Reason.NOT_TRUE, "no row is repeated by a join", no_fan_out),
    SqlCheck("keys", Reason.NOT_TRUE, "no key stands where a name is asked", keys_are_named),
    SqlCheck("ties", Reason.AMBIGUOUS, "ties are allowed for", tie_is_said),
    SqlCheck("rival", Reason.AMBIGUOUS, "no other table bears the same name", has_no_rival),
    SqlCheck("borrowed", Reason.REWORDING, "no number comes from a query left out", no_borrowed_number),
    SqlCheck("aliases", Reason.STILL_SPEAKS_OF_OLD_GOAL, "aliases name what the goal asks", aliases_are_clean),
)
