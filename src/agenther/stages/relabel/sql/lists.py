"""Write the request for columns of rows: lists, look-ups, the first few in an order."""

from __future__ import annotations

from agenther.stages.language.sql.joins import entity_words
from agenther.stages.language.sql.rows import SHOWN_IN_PART, Row
from agenther.stages.language.sql.shape import Column, Order, Select, Unspeakable
from agenther.stages.language.sql.words import is_date, is_identifier, is_measure, one, phrase_plural
from agenther.stages.relabel.sql.pairs import as_a
from agenther.stages.relabel.sql.phrases import Speaker
from agenther.stages.relabel.sql.says import TIE, Phrase, Said, join_phrases, plain


def list_rows(speaker: Speaker, rows: tuple[Row, ...], question: bool) -> Phrase:
    """Ask for columns of rows."""
    select = speaker.select
    if select.limit is not None and not select.order:
        raise Unspeakable("takes a few rows in no order")
    if len(select.order) > 1:
        raise Unspeakable("orders by several columns")
    if any(item.column is None for item in select.items):
        return _details(speaker, rows)
    if speaker.about_rows() and not select.order and not speaker.links:
        return _for_which(speaker, rows, question)
    columns = [item.column for item in select.items if item.column is not None]
    if len({(c.table.lower(), c.name.lower()) for c in columns}) < len(columns):
        raise Unspeakable("asks a column twice")
    given = [
        c.item.column
        for c in select.conditions
        if c.operator in ("=", "null", "not null") and c.inner is None and c.item.column
    ]
    if not select.any_of and all(any(column.same(other) for other in given) for column in columns):
        raise Unspeakable("asks what a condition gives")
    subject = _subject_of(speaker, columns)
    names = [asked_column(speaker, column, rows, i, subject) for i, column in enumerate(columns)]
    single = len(rows) == 1 and not select.distinct and (_pins_one(select) or select.limit == 1)
    rows_said, tail = _rows_said(speaker, subject, single)
    if len(columns) == 1 and select.limit is None and one(rows_said[0].text).split(" ")[-1] == names[0]:
        return _things(columns[0], names[0], rows_said[1:], tail, question=question, distinct=select.distinct)
    noun = one(rows_said[0].text)
    if len(columns) > 1 and (noun in names or (speaker.owned(subject) and noun.split(" ")[-1] in names)):
        raise Unspeakable("asks what the rows are beside other columns")
    if select.distinct and len(columns) > 1:
        raise Unspeakable("asks for different combinations")
    many = len(columns) > 1
    if single or many:
        asked = join_phrases([(Said(name, "value", (c.name,)),) for name, c in zip(names, columns, strict=True)])
    else:
        asked = (Said(phrase_plural(names[0]), "value", (columns[0].name,)),)
    if select.distinct and not single:
        asked = (Said("different "), *asked)
    ask_plural = many or not single
    verb = f"What {'are' if ask_plural else 'is'} the " if question else ("Find the " if single else "List the ")
    of = (
        " of "
        if tail and not single and not select.limit
        else " of the "
        if single or not many or select.limit
        else " of each "
    )
    if not single and not many and not tail and select.limit is None:
        of = " of all "
        if rows_said[1:]:
            of = " of the "
    if not single and many and select.limit is None:
        of = " of each "
        rows_said = (Said(one(rows_said[0].text), rows_said[0].kind, rows_said[0].says), *_in_singular(rows_said[1:]))
    end = "?" if question else "."
    tie = plain(TIE) if select.limit is not None else ()
    return (*plain(verb), *asked, *plain(of), *rows_said, *tail, *plain(end), *tie)


def _things(column: Column, name: str, where: Phrase, tail: Phrase, *, question: bool, distinct: bool) -> Phrase:
    """Say `List the languages whose ...` where the asked column is what the rows are."""
    said = Said(phrase_plural(name), "value", (column.name,))
    verb = ("What are the " if question else "List the ") + ("different " if distinct else "")
    return (
        *plain(verb if where or distinct else verb.replace("the ", "all ")),
        said,
        *where,
        *tail,
        *plain("?" if question else "."),
    )


def _for_which(speaker: Speaker, rows: tuple[Row, ...], question: bool) -> Phrase:
    """Say `List the country codes for which the language is ...`, where a condition says what the rows are."""
    select = speaker.select
    if select.limit is not None or select.any_of or len(select.items) > 2:
        raise Unspeakable("a condition on what the rows are")
    if any(
        c.operator not in ("=", "in", ">", "<", ">=", "<=", "between", "like") or c.inner for c in select.conditions
    ):
        raise Unspeakable("a condition on what the rows are, negated or of an inner query")
    columns = [item.column for item in select.items if item.column is not None]
    names = [asked_column(speaker, column, rows, i, speaker.table) for i, column in enumerate(columns)]
    asked = join_phrases(
        [(Said(phrase_plural(name), "value", (c.name,)),) for name, c in zip(names, columns, strict=True)]
    )
    verb = "What are the " if question else "List the "
    different = plain("different ") if select.distinct else ()
    return (*plain(verb), *different, *asked, *plain(" for which "), *speaker.given(), *plain("?" if question else "."))


def _in_singular(phrase: Phrase) -> Phrase:
    return tuple(Said(s.text.replace("that have ", "that has ", 1), s.kind, s.says) for s in phrase)


def _subject_of(speaker: Speaker, columns: list[Column]) -> str:
    """Return the table whose rows are listed; the parent when only its columns are asked."""
    tables = {column.table.lower() for column in columns} | {
        order.item.column.table.lower() for order in speaker.select.order if order.item.column is not None
    }
    links = speaker.links
    if (
        len(links) == 1
        and tables == {links[0].parent.table.lower()}
        and entity_words(links[0].parent.table) != ("person",)
    ):
        if speaker.links[0].role:
            raise Unspeakable("a referring column plays a role")
        return speaker.links[0].parent.table
    return speaker.table


def asked_column(speaker: Speaker, column: Column, rows: tuple[Row, ...], place: int, subject: str) -> str:
    """Return an asked column as a noun phrase; an id where its cells are keys."""
    phrase = speaker.column(column, subject=subject)
    cells = [row[place] for row in rows if place < len(row) and row[place] is not None]
    if cells and all(isinstance(cell, int) for cell in cells) and not is_measure(column.name):
        return speaker.as_key(column, phrase)
    return phrase


def _pins_one(select: Select) -> bool:
    """Tell whether a condition names one thing."""
    return any(
        condition.operator == "=" and condition.inner is None and not select.any_of for condition in select.conditions
    )


def _rows_said(speaker: Speaker, subject: str, single: bool) -> tuple[Phrase, Phrase]:
    """Return the rows with their conditions, and the order that follows them."""
    select = speaker.select
    noun = speaker.rows_noun(subject)
    noun = one(noun) if single else noun
    where = _where_of(speaker, subject)
    if single:
        where = _in_singular(where)
    said: Phrase = (Said(noun, "object", (subject,)), *where)
    if not select.order:
        return said, ()
    order = select.order[0]
    if select.limit is None:
        return said, sorted_by(speaker, order, subject)
    return _top(speaker, order, subject, noun, where), ()


def _where_of(speaker: Speaker, subject: str) -> Phrase:
    """Return the conditions; those on a referring table become `that have a ... whose ...`."""
    if subject.lower() == speaker.table.lower():
        return speaker.where()
    select = speaker.select
    child = speaker.child_noun(speaker.table, subject)
    own = [c for c in select.conditions if c.item.column and c.item.column.table.lower() == subject.lower()]
    others = [c for c in select.conditions if c not in own]
    if select.any_of and own:
        raise Unspeakable("mixes the tables in OR")
    noun = one(child)
    having = as_a(others, noun, (speaker.table,), negated=False) if not select.any_of else None
    outer = speaker.conditions(own, any_of=False, subject=subject)
    if having is not None:
        return (*outer, *plain(" and " if outer else " "), *having)
    said = Said(f"that have at least one {noun}", "condition", (speaker.table,))
    inner = speaker.conditions(others, any_of=select.any_of, subject=speaker.table)
    return (*outer, *plain(" and " if outer else " "), said, *inner)


def sorted_by(speaker: Speaker, order: Order, subject: str) -> Phrase:
    """Say the order of a whole list."""
    if order.item.function or order.item.column is None:
        raise Unspeakable("orders rows by a function")
    phrase = speaker.column(order.item.column, subject=subject)
    way = "descending" if order.descending else "ascending"
    return (*plain(", sorted by "), Said(phrase, "order", (order.item.column.name,)), *plain(f" in {way} order"))


def _top(speaker: Speaker, order: Order, subject: str, noun: str, where: Phrase) -> Phrase:
    """Say `city with the highest population`, or `3 cities with the highest population`."""
    column, limit = order.item.column, speaker.select.limit
    if order.item.function or column is None or limit is None:
        raise Unspeakable("orders rows by a function")
    if not is_measure(column.name) or is_identifier(column.name):
        raise Unspeakable("the first rows in the order of names or keys")
    phrase = speaker.column(column, subject=subject)
    if is_date(column.name):
        extreme = "latest" if order.descending else "earliest"
    else:
        extreme = "highest" if order.descending else "lowest"
    count = "" if limit == 1 else f"{limit} "
    rows = Said(f"{count}{noun if limit > 1 else one(noun)}", "object", (subject, str(limit)))
    way = Said(f" with the {extreme} {phrase}", "order", (column.name,))
    if where:
        return (Said(rows.text, rows.kind, rows.says), way, *plain(" among the "), Said(_plural(noun)), *where)
    return (rows, way)


def _plural(noun: str) -> str:
    return phrase_plural(one(noun))


def _details(speaker: Speaker, rows: tuple[Row, ...]) -> Phrase:
    """Say `Show all the details of the airports whose ...`; of all airports where the result is surely whole."""
    select = speaker.select
    if len(select.items) > 1 or speaker.links or select.order or select.limit is not None:
        raise Unspeakable("all columns of joined or ordered rows")
    if not select.conditions and not 1 < len(rows) < SHOWN_IN_PART:
        raise Unspeakable("all columns of a whole table, perhaps cut")
    noun, where = speaker.rows_noun(), speaker.where()
    if len(rows) == 1:
        noun, where = one(noun), _in_singular(where)
    which = "the " if where else "all "
    return (*plain(f"Show all the details of {which}"), Said(noun, "object", (speaker.table,)), *where, *plain("."))
