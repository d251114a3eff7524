"""Write the request for something about every group of rows, or about the groups that stand out."""

from __future__ import annotations

from agenther.stages.language.sql.joins import entity_words, key_words
from agenther.stages.language.sql.rows import Row
from agenther.stages.language.sql.shape import Column, Unspeakable
from agenther.stages.language.sql.words import column_phrase, is_identifier, is_measure, one, phrase_plural
from agenther.stages.relabel.sql.counts import must_count_rows, names_of
from agenther.stages.relabel.sql.lists import asked_column, sorted_by
from agenther.stages.relabel.sql.phrases import Speaker
from agenther.stages.relabel.sql.says import TIE, Phrase, Said, join_phrases, plain


def list_groups(speaker: Speaker, rows: tuple[Row, ...], question: bool) -> Phrase:
    """Ask something of every group, or which groups stand out."""
    select = speaker.select
    key = _group_key(speaker, rows)
    aggregates = select.aggregates
    if any(item.distinct for item in aggregates) or select.distinct:
        raise Unspeakable("different values inside a group")
    rows_noun, where = Said(speaker.rows_noun(), "object", (speaker.table,)), speaker.where()
    if any(said.text == one(rows_noun.text.split(" ")[-1]) for said in key):
        raise Unspeakable("groups rows by what they are")
    for item in [*aggregates, *(o.item for o in select.order), *(h.item for h in select.having)]:
        if item.function == "count":
            must_count_rows(speaker, item)
    if select.limit is not None or select.having:
        return _which(speaker, key, rows_noun, where)
    if not aggregates:
        raise Unspeakable("a group without a function")
    ends = _group_order(speaker)
    counts = [item for item in aggregates if item.function == "count"]
    others = [item for item in aggregates if item.function != "count"]
    opening = (*plain("For each "), *key, *_that_has_any(speaker, key, rows_noun, counted=bool(counts)), *plain(", "))
    if (counts and others) or len(counts) > 1:
        raise Unspeakable("counts beside other functions")
    if counts:
        if not ends:
            return (
                *opening,
                Said("how many ", "quantity", ("count",)),
                rows_noun,
                *plain(" are there"),
                *where,
                *plain("?"),
            )
        return (*opening, Said("count ", "quantity", ("count",)), *plain("the "), rows_noun, *where, *ends, *plain("."))
    asked = join_phrases([(Said(speaker.asked(item), "value", names_of(item)),) for item in others])
    verb = f"what {'is' if len(others) == 1 else 'are'} the " if question and not ends else "find the "
    end = "?" if question and not ends else "."
    return (*opening, *plain(verb), *asked, *plain(" of the "), rows_noun, *where, *ends, *plain(end))


def _that_has_any(speaker: Speaker, key: Phrase, rows_noun: Said, *, counted: bool) -> Phrase:
    """Say that groups without a row are not counted: an inner join leaves them out, and so does a table that refers to them."""
    refers = any(said.text.split(" ")[-1] in ("id", "code") for said in key)
    if not counted or not (speaker.links or refers):
        return ()
    return (*plain(" with at least one "), Said(one(rows_noun.text), rows_noun.kind, rows_noun.says))


def _group_key(speaker: Speaker, rows: tuple[Row, ...]) -> Phrase:
    """Return the group's columns as they are shown: every group column but a hidden key of a shown parent."""
    select = speaker.select
    shown = [(i, item.column) for i, item in enumerate(select.items) if not item.function and item.column is not None]
    if not shown or len(shown) > 2 or any(item.column is None for item in select.plain):
        raise Unspeakable("a group that is not shown, or of many columns")
    for _, column in shown:
        if not any(column.same(group) for group in select.group) and not _depends_on_key(speaker, column):
            raise Unspeakable("shows a column that is not one for the group")
    hidden = [g for g in select.group if not any(g.same(column) for _, column in shown)]
    if any(not any(h.table.lower() == c.table.lower() for _, c in shown) or not speaker.links for h in hidden):
        raise Unspeakable("groups by a column that is not shown")
    keys = [g for g in select.group if g.table.lower() == speaker.table.lower()]
    if any(key_words(g.name) in ((), entity_words(speaker.table)) and is_identifier(g.name) for g in keys):
        raise Unspeakable("groups by the table's own key")
    said = [(Said(_key_column(speaker, column, rows, i), "value", (column.name,)),) for i, column in shown]
    return join_phrases(said)


def _key_column(speaker: Speaker, column: Column, rows: tuple[Row, ...], place: int) -> str:
    """Return a group's column: `continent`, not `country's continent`, where the word stands for itself."""
    phrase = asked_column(speaker, column, rows, place, speaker.table)
    own = column_phrase(column.name)
    joined = column.table.lower() != speaker.table.lower()
    roles = any(link.role for link in speaker.links if link.parent.table.lower() == column.table.lower())
    if own is None or not joined or roles or not phrase.endswith(f"'s {own}") or is_measure(column.name):
        return phrase
    return own


def _depends_on_key(speaker: Speaker, column: Column) -> bool:
    parents = [link.parent for link in speaker.links if link.parent.table.lower() == column.table.lower()]
    referring = [link.child for link in speaker.links if link.parent.table.lower() == column.table.lower()]
    return any(g.same(p) for g in speaker.select.group for p in (*parents, *referring))


def _group_order(speaker: Speaker) -> Phrase:
    select = speaker.select
    if not select.order:
        return ()
    first, *more = select.order
    if more:
        raise Unspeakable("orders groups by several columns")
    item, descending = first.item, first.descending
    way = f"in {'descending' if descending else 'ascending'} order"
    if item.function and len(select.aggregates) != 1:
        raise Unspeakable("orders groups by one of several functions")
    if item.function:
        by = "their number" if item.function == "count" else speaker.asked(item)
        return (Said(f", sorted by {by} {way}", "order", ("order",)),)
    if item.column is None:
        raise Unspeakable("orders groups by nothing")
    return sorted_by(speaker, first, speaker.table)


def _entity_of(speaker: Speaker, key: Said) -> Said:
    """Say `country` for the name of a joined country."""
    column = next(item.column for item in speaker.select.items if item.column and not item.function)
    entity = " ".join(entity_words(column.table))
    if column.table.lower() != speaker.table.lower() and key.text == f"{entity} name":
        return Said(entity, key.kind, key.says)
    return key


def _which(speaker: Speaker, key: Phrase, rows: Said, where: Phrase) -> Phrase:
    """Say which groups are extreme, or hold enough rows."""
    select = speaker.select
    aggregates = select.aggregates
    shown, *others = key
    if others or len(aggregates) > 1:
        raise Unspeakable("several columns of an extreme group")
    name = _entity_of(speaker, shown)
    if select.having:
        having, *more = select.having
        if select.limit is not None or select.order or more or any(a.function != "count" for a in aggregates):
            raise Unspeakable("conditions on groups beside an order")
        if (
            having.item.function != "count"
            or having.inner is not None
            or having.operator not in (">", ">=", "<", "<=", "=")
        ):
            raise Unspeakable("a condition on groups that is no plain count")
        compared = {">": "more than", ">=": "at least", "<": "fewer than", "<=": "at most", "=": "exactly"}
        number = having.values[0].text
        few = Said(f"{compared[having.operator]} {number} ", "quantity", (number,))
        noun = one(rows.text) if number == "1" else rows.text
        groups = Said(phrase_plural(name.text), name.kind, name.says)
        tail = plain(", and how many do they have") if aggregates else ()
        return (
            *plain("Which "),
            groups,
            *plain(" have "),
            few,
            Said(noun, rows.kind, rows.says),
            *where,
            *tail,
            *plain("?"),
        )
    if len(select.order) != 1 or select.limit is None:
        raise Unspeakable("a few groups in no order")
    order = select.order[0]
    if not order.item.function or any(not order.item.same(a) for a in aggregates):
        raise Unspeakable("orders groups by what is not asked")
    several = select.limit > 1
    groups = f"{select.limit} {phrase_plural(name.text)}" if several else name.text
    opening: Phrase = (*plain("Which "), Said(groups, name.kind, (*name.says, str(select.limit))))
    has = " have " if several else " has "
    if order.item.function == "count":
        extreme = "the most " if order.descending else "the fewest "
        tail = plain(", and how many are there") if aggregates else ()
        said = (Said(extreme, "order", ("order",)), rows, *where)
    else:
        asked = Said(speaker.asked(order.item), "value", names_of(order.item))
        if order.item.function in ("min", "max"):
            raise Unspeakable("the extreme of extremes")
        extreme = "the highest " if order.descending else "the lowest "
        tail = plain(", and what is it") if aggregates else ()
        said = (
            Said(extreme, "order", ("order",)),
            asked,
            *plain(" of its " if not several else " of their "),
            rows,
            *where,
        )
    return (*opening, *plain(has), *said, *tail, *plain("?"), *plain(TIE))
