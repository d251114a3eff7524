"""Speak of tables whose rows pair an owner with a thing: the languages of countries, the amenities of hotels.

Only a key of two parts, which the run looked up, shows that no pair stands there twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agenther.stages.language.sql.joins import entity_words, key_words
from agenther.stages.language.sql.run import Known
from agenther.stages.language.sql.shape import Column, Condition, Select, Unspeakable
from agenther.stages.language.sql.words import (
    column_phrase,
    flag_adjective,
    is_identifier,
    is_measure,
    many,
    name_words,
    phrase_plural,
    table_noun,
)
from agenther.stages.relabel.sql.says import Phrase, Said, flag_says, listed, plain, predicate, shown


@dataclass(frozen=True)
class Pair:
    """What the rows of a table pair: the key of the owner, and the thing that it has."""

    key: str
    owner: str
    thing: str


def pair_of(table: str, known: Known) -> Pair | None:
    """Return what a table pairs, where its key is an owner's key and a thing."""
    keys = [info.name for info in known.columns.get(table.lower(), {}).values() if info.primary]
    noun = table_noun(table)
    owners = [key for key in keys if is_identifier(key) and key_words(key)]
    things = [key for key in keys if key not in owners]
    if noun is None or len(owners) != 1 or len(things) != 1:
        return None
    thing, owner = column_phrase(things[0]), key_words(owners[0])
    known_owner = any(entity_words(other) == owner for other in known.tables)
    if thing is None or not known_owner or many(noun.split(" ")[-1]) != many(thing):
        return None
    return Pair(owners[0], " ".join(owner), thing)


def speak_pairs(select: Select, known: Known, *, question: bool) -> Phrase | None:
    """Return a request about the owners that have a thing, or about how many have each; None where none fits."""
    if len(select.tables) != 1 or len(select.items) > 2 or select.order or select.limit is not None or select.having:
        return None
    pair = pair_of(select.tables[0], known)
    if pair is None or select.any_of:
        return None
    if select.group:
        return _owners_of_each(select, pair)
    return _owners(select, pair, question=question)


def _owners_of_each(select: Select, pair: Pair) -> Phrase | None:
    counts, shown_columns = select.aggregates, [item.column for item in select.plain if item.column]
    if [c.name.lower() for c in select.group] != [c.name.lower() for c in shown_columns] or select.conditions:
        return None
    if len(counts) != 1 or counts[0].function != "count" or column_phrase(select.group[0].name) != pair.thing:
        return None
    if counts[0].column is not None and counts[0].column.name.lower() not in (pair.key.lower(), pair.thing.lower()):
        return None
    if counts[0].distinct and (counts[0].column is None or counts[0].column.name.lower() != pair.key.lower()):
        return None
    return (
        *plain("For each "),
        Said(pair.thing, "value", (select.group[0].name,)),
        Said(", how many ", "quantity", ("count",)),
        Said(many(pair.owner), "object", (select.tables[0],)),
        *plain(" have it?"),
    )


def _owners(select: Select, pair: Pair, *, question: bool) -> Phrase | None:
    item, *more = select.items
    with_thing = [i for i in more if i.column and not i.function and column_phrase(i.column.name) == pair.thing]
    one_value = all(c.operator == "=" for c in select.conditions if _names(c, pair.thing))
    having = as_a(select.conditions, pair.thing, (select.tables[0],), negated=False)
    if (
        more != with_thing
        or (more and item.function)
        or having is None
        or any(c.operator == "!=" for c in select.conditions)
    ):
        return None
    by_key = item.column is not None and item.column.name.lower() == pair.key.lower()
    owners = Said(many(pair.owner), "object", (select.tables[0],))
    end = plain("?" if question else ".")
    if item.function == "count":
        if not (one_value and not item.distinct and (item.column is None or by_key)) and not (item.distinct and by_key):
            return None
        opening = Said("How many " if question else "Count the ", "quantity", ("count",))
        return (opening, owners, *(_after_owners(having) if question else (Said(" "), *having)), *end)
    if item.function or not by_key or not (one_value or select.distinct or more):
        return None
    too = (*plain(", together with that "), Said(pair.thing, "value", (pair.thing,))) if more else ()
    key = Said(phrase_plural((name_words(pair.key) or ("id",))[-1]), "value", (pair.key,))
    return (
        *plain("What are the " if question else "List the "),
        key,
        *plain(" of the "),
        owners,
        Said(" "),
        *having,
        *too,
        *end,
    )


def _after_owners(having: Phrase) -> Phrase:
    first, *rest = having
    return (Said(f" {first.text.removeprefix('that ')}", first.kind, first.says), *rest)


def _names(condition: Condition, noun: str) -> bool:
    return condition.item.column is not None and column_phrase(condition.item.column.name) == noun


def as_a(conditions: Sequence[Condition], noun: str, says: tuple[str, ...], *, negated: bool) -> Phrase | None:
    """Say `that have "Dutch" as an official language` where conditions are on what the rows of a table are."""
    if any(c.item.column is None or c.item.function or c.inner is not None for c in conditions):
        return None
    naming = [c for c in conditions if _names(c, noun)]
    others = [c for c in conditions if c not in naming]
    if len(naming) != 1 or not naming[0].values or not all(v.quoted for v in naming[0].values):
        return None
    condition, *_ = naming
    kind = _kind_of(others, noun, negated=negated)
    if kind is None:
        return None
    before, after, words = kind
    values = [shown(value) for value in condition.values]
    thing = f"{before}{noun}"
    article = "an" if thing[0] in "aeiou" else "a"
    match condition.operator:
        case "=" | "in" if negated:
            text = f"that do not have {listed(values, 'or')} as {article} {thing}"
        case "=" | "in":
            text = f"that have {listed(values, 'or')} as {article} {thing}{after}"
        case "!=" if not negated and not after:
            text = f"that have at least one {thing} other than {values[0]}"
        case _:
            return None
    column = condition.item.column
    assert column is not None
    return (Said(text, "condition", (*says, column.name, *(v.text for v in condition.values), *words)),)


def _kind_of(others: Sequence[Condition], noun: str, *, negated: bool) -> tuple[str, str, tuple[str, ...]] | None:
    """Return what further conditions say before and after the noun, and their words of the query."""
    if len(others) > 2:
        return None
    before, after = "", ""
    words: list[str] = []
    for other in others:
        column = other.item.column
        if column is None or len(other.values) != 1:
            return None
        words += [column.name, other.values[0].text]
        adjective = flag_adjective(column.name)
        if adjective is not None and other.operator == "=" and not before and "that is not" not in after:
            holds = flag_says(other.values[0])
            if holds is None or (negated and not holds):
                return None
            before, after = (f"{adjective} ", after) if holds else ("", f" that is not {adjective}{after}")
        elif not negated and "whose" not in after and is_measure(column.name) and not is_identifier(column.name):
            after += f" {'and ' if after else ''}whose {_phrase(column)} {predicate(other, column)}"
        else:
            return None
    return before, after, tuple(words)


def _phrase(column: Column) -> str:
    phrase = column_phrase(column.name)
    if phrase is None:
        raise Unspeakable(f"the column {column.name} gives no English phrase")
    return phrase
