"""Write the request for one number about rows: how many, the average, the highest."""

from __future__ import annotations

from agenther.stages.language.sql.joins import entity_words, key_words
from agenther.stages.language.sql.shape import Column, Item, Unspeakable
from agenther.stages.language.sql.words import column_phrase, is_identifier, one, phrase_plural
from agenther.stages.relabel.sql.phrases import Speaker
from agenther.stages.relabel.sql.says import Phrase, Said, join_phrases, plain


def ask_numbers(speaker: Speaker, question: bool) -> Phrase:
    """Ask for a count, or for functions of columns over all rows."""
    select = speaker.select
    if select.plain or select.order or (select.limit is not None and select.limit > 1):
        raise Unspeakable("mixes a function with columns")
    first, *more = select.items
    if first.function == "count":
        counted = _count(speaker, first, question)
        return _and_among(speaker, counted, more, question) if more else counted
    says = [(Said(speaker.asked(item), "value", names_of(item)),) for item in select.items]
    if len({part[0].text for part in says}) < len(says):
        raise Unspeakable("asks the same thing twice")
    asked = join_phrases(says)
    verb = f"What {'is' if len(says) == 1 else 'are'} the " if question else "Find the "
    return (*plain(verb), *asked, *_of_rows(speaker), *plain("?" if question else "."))


def names_of(item: Item) -> tuple[str, ...]:
    """Return the words of the query that an item says."""
    return tuple(name for name in (item.function, item.column.name if item.column else "") if name)


def _of_rows(speaker: Speaker) -> Phrase:
    where = speaker.where()
    rows = speaker.rows_noun()
    return (*plain(" of the " if where else " of all "), Said(rows, "object", (speaker.table,)), *where)


def _count(speaker: Speaker, item: Item, question: bool) -> Phrase:
    where, rows = speaker.where(), Said(speaker.rows_noun(), "object", (speaker.table,))
    end = "?" if question else "."
    if not item.distinct:
        must_count_rows(speaker, item)
        if question and (owner := speaker.one_owner()) is not None:
            return (Said("How many ", "quantity", ("count",)), rows, *plain(" does "), owner, *plain(" have?"))
        if question:
            return (Said("How many ", "quantity", ("count",)), rows, *plain(" are there"), *where, *plain(end))
        return (Said("Count ", "quantity", ("count",)), *plain("the " if where else "all "), rows, *where, *plain(end))
    if item.column is None or item.column.table.lower() != speaker.table.lower():
        raise Unspeakable("counts the different values of a joined column")
    if key_words(item.column.name) == entity_words(speaker.table) or not key_words(item.column.name):
        raise Unspeakable("counts the different keys of a table")
    values = Said(phrase_plural(speaker.column(item.column)), "value", ("count", item.column.name))
    if values.text == rows.text:
        there = " are there" if question else ""
        return (
            *plain("How many different " if question else "Count the different "),
            values,
            *plain(there),
            *where,
            *plain(end),
        )
    opening = "How many different " if question else "Count the different "
    if (owners := _of_owners(speaker, item.column)) is not None:
        there = " are there among the " if question else " of the "
        return (*plain(opening), values, *plain(there), *owners, *plain(end))
    among = " are there among the " if question else " among the "
    return (*plain(opening), values, *plain(among), rows, *where, *plain(end))


def _and_among(speaker: Speaker, counted: Phrase, more: list[Item], question: bool) -> Phrase:
    """Say `How many loaves are there, and what is the highest weight among them?`."""
    if speaker.select.items[0].distinct or len(more) > 1:
        raise Unspeakable("counts beside several functions")
    asked = Said(speaker.asked(more[0]), "value", names_of(more[0]))
    verb = ", and what is the " if question else " and find the "
    return (*counted[:-1], *plain(verb), asked, *plain(" among them"), counted[-1])


def _of_owners(speaker: Speaker, column: Column) -> Phrase | None:
    """Say `the countries whose ...` where the different languages of countries are counted and only these are limited."""
    conditions = speaker.select.conditions
    if len(speaker.links) != 1 or speaker.links[0].role or speaker.select.any_of or not conditions:
        return None
    parent = speaker.links[0].parent.table
    if any(c.item.column is None or c.item.column.table.lower() != parent.lower() for c in conditions):
        return None
    words = speaker.rows_noun().split(" ")
    if len(words) < 2 or column_phrase(column.name) != one(words[-1]):
        return None
    where = speaker.conditions(conditions, any_of=False, subject=parent)
    return (Said(speaker.rows_noun(parent), "object", (parent,)), *where)


def must_count_rows(speaker: Speaker, item: Item) -> None:
    """Refuse to call a count of values a count of rows unless the column is a key, which is never null."""
    column = item.column
    if column is None:
        return
    joined = any(column.same(link.child) or column.same(link.parent) for link in speaker.links)
    grouped = any(column.same(group) for group in speaker.select.group)
    if column.table.lower() != speaker.table.lower() and not joined:
        raise Unspeakable("counts values of a joined column")
    noun = one(speaker.rows_noun().split(" ")[-1])
    own_key = is_identifier(column.name) and key_words(column.name) in ((), entity_words(speaker.table))
    if not (own_key or joined or grouped or key_words(column.name) == (noun,)):
        raise Unspeakable("counts the values of a column that may be null")
