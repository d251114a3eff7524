"""Write the request that a query answers. The patterns are in `counts`, `lists` and `groups`."""

from __future__ import annotations

from agenther.stages.language.sql.rows import Row
from agenther.stages.language.sql.run import Known
from agenther.stages.language.sql.shape import Select, Unspeakable
from agenther.stages.relabel.sql.counts import ask_numbers
from agenther.stages.relabel.sql.groups import list_groups
from agenther.stages.relabel.sql.lists import list_rows
from agenther.stages.relabel.sql.pairs import speak_pairs
from agenther.stages.relabel.sql.phrases import Speaker
from agenther.stages.relabel.sql.says import TIE, Phrase, plain

MAX_COLUMNS = 4


def speak(select: Select, rows: tuple[Row, ...], known: Known, *, question: bool) -> Phrase:
    """Return the request that a query answers.

    Args:
        select: what the query asks.
        rows: what it returned.
        known: what the run knew of the schema.
        question: whether the old goal was a question, to ask in the same manner.

    Raises:
        Unspeakable: no pattern fits.
    """
    if select.limit is not None and (len(rows) < select.limit or (select.limit == 1 and _names_extreme(select))):
        one_is_enough = plain(TIE) if len(rows) == select.limit else ()
        return (*speak(select.without_limit(), rows, known, question=question), *one_is_enough)
    if (pairs := speak_pairs(select, known, question=question)) is not None:
        return pairs
    speaker = Speaker(select, known)
    if len(select.tables) > 3 or len(select.items) > MAX_COLUMNS:
        raise Unspeakable("over 3 tables or 4 columns")
    if select.group:
        return list_groups(speaker, rows, question)
    if select.having:
        raise Unspeakable("HAVING without a group")
    if select.aggregates:
        return ask_numbers(speaker, question)
    return list_rows(speaker, rows, question)


def _names_extreme(select: Select) -> bool:
    """Tell whether a limit without an order picks one of the rows that hold an extreme value."""
    return (
        not select.order
        and not select.group
        and any(
            c.operator == "=" and c.inner is not None and c.inner.items[0].function in ("min", "max")
            for c in select.conditions
        )
    )
