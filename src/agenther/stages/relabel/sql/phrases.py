"""Say in English what the parts of a query are: its columns, its rows, its conditions.

Every fragment carries the words of the query that it says, so that the goal can be bound to the characters.
"""

from __future__ import annotations

from collections.abc import Iterable

from agenther.stages.language.sql.joins import Link, child_table, entity_words, key_words, link_of, links_of
from agenther.stages.language.sql.run import Known
from agenther.stages.language.sql.shape import Column, Condition, Item, Join, Select, Unspeakable
from agenther.stages.language.sql.words import (
    column_phrase,
    is_date,
    is_flag,
    is_identifier,
    is_measure,
    name_words,
    one,
    table_noun,
)
from agenther.stages.relabel.sql.pairs import as_a
from agenther.stages.relabel.sql.says import (
    COMPARED,
    COUNTED,
    FUNCTION_WORDS,
    Phrase,
    Said,
    is_flag_value,
    join_phrases,
    owned,
    plain,
    predicate,
    shown,
)


def resolved(select: Select, known: Known) -> Select:
    """Give each column of a join its table, where the run saw that only one table has it.

    Raises:
        Unspeakable: it cannot be told whose a column is.
    """
    if len(select.tables) < 2:
        return select

    def owner(column: Column) -> Column:
        if column.table:
            return column
        tables = [t for t in select.tables if known.column(t, column.name)]
        if len(tables) != 1 or any(t.lower() not in known.columns for t in select.tables):
            raise Unspeakable("a column of a join does not say its table")
        return Column(tables[0], column.name)

    return select.with_columns(owner)


class Speaker:
    """Speaks one query, given what the run knew of the schema."""

    def __init__(self, select: Select, known: Known) -> None:
        select = resolved(select, known)
        self.select, self.known = select, known
        first, *more = select.tables
        self.links: tuple[Link, ...] = links_of(select, known) if more else ()
        self.table = child_table(select, self.links) if self.links else first

    def rows_noun(self, table: str | None = None) -> str:
        """Return what the rows of a table are, in the plural: the languages of a country where the query names it."""
        table = table or self.table
        noun = table_noun(table)
        if noun is None:
            raise Unspeakable(f"the table {table} gives no English noun")
        words = noun.split(" ")
        if not self.owned(table):
            return noun
        if tuple(words[:-1]) in self._pinned(table):
            return words[-1]
        select = self.select
        items = [*select.items, *(o.item for o in select.order), *(h.item for h in select.having)]
        if any(item.function == "count" and not item.distinct for item in items):
            raise Unspeakable(f"counts {noun} of no one {' '.join(words[:-1])}")
        return noun

    def owned(self, table: str) -> bool:
        """Tell whether the rows of a table are called after an owner that the query names: country languages."""
        words = (table_noun(table) or "").split(" ")
        return len(words) > 1 and tuple(words[:-1]) in self._entities(table)

    def _entities(self, table: str) -> set[tuple[str, ...]]:
        """Return the entities that the query names beside a table's rows."""
        named = {key_words(c.name) for c in self.select.columns() if c.table.lower() == table.lower()}
        return named | {
            entity_words(link.parent.table) for link in self.links if link.child.table.lower() == table.lower()
        }

    def _pinned(self, table: str) -> set[tuple[str, ...]]:
        """Return the entities of which the query takes one at a time, by a condition or a group."""
        select = self.select
        one_each = [*select.group, *(c.item.column for c in select.conditions if c.operator == "=" and c.item.column)]
        keys = {key_words(c.name) for c in one_each if c.table.lower() == table.lower() and is_identifier(c.name)}
        parents = {
            c.table for c in one_each if is_identifier(c.name) or (name_words(c.name) or ("",))[-1].lower() == "name"
        }
        return keys | {entity_words(parent) for parent in parents if parent.lower() != table.lower()}

    def column(self, column: Column, *, subject: str | None = None) -> str:
        """Return a column in the singular, with the parent that it belongs to before it."""
        subject = subject or self.table
        info = self.known.column(column.table, column.name)
        name = info.name if info else column.name
        phrase = column_phrase(name)
        if phrase is None or is_flag(name):
            raise Unspeakable(f"the column {name} gives no English phrase")
        if phrase in COUNTED:
            phrase = f"number of {phrase}"
        if column.table.lower() == subject.lower() or not column.table:
            return phrase
        return self.of_parent(column.table, phrase, subject)

    def of_parent(self, table: str, phrase: str, subject: str) -> str:
        """Put the name of a joined table before a column phrase, by the words of the joining column."""
        link = next((link for link in self.links if link.parent.table.lower() == table.lower()), None)
        if link is None or link.child.table.lower() != subject.lower():
            owner = one(self.rows_noun(table))
            if link is None or link.role or any(other.role for other in self.links):
                raise Unspeakable("a joined table plays a role that cannot be told")
        else:
            owner = " ".join(link.words)
        return owned(owner, phrase)

    def asked(self, item: Item) -> str:
        """Return an aggregate of a column as a noun phrase."""
        if item.function == "count" or item.column is None or item.distinct:
            raise Unspeakable("counts beside other functions")
        ends = (name_words(item.column.name) or ("",))[-1].lower()
        if is_identifier(item.column.name) and (ends != "number" or item.function not in ("min", "max")):
            raise Unspeakable("computes with a key")
        phrase = self.column(item.column)
        if phrase == one(self.rows_noun()):
            raise Unspeakable("a function of what the rows are")
        function = item.function
        if is_date(item.column.name):
            words = {"min": "earliest", "max": "latest"}
            if function not in words:
                raise Unspeakable("averages dates")
            return f"{words[function]} {phrase}"
        word = FUNCTION_WORDS[function]
        if phrase.split(" ")[0] in ("average", "total", "highest", "lowest", "maximum", "minimum", "best", "worst"):
            raise Unspeakable("a function of a column that is one already")
        return f"{word} {phrase}"

    def where(self) -> Phrase:
        """Return all conditions, each opening with a space; empty when there are none."""
        if (owner := self.one_owner()) is not None:
            return (*plain(" of "), owner)
        return self.conditions(self.select.conditions, any_of=self.select.any_of, subject=self.table)

    def conditions(self, conditions: Iterable[Condition], *, any_of: bool, subject: str) -> Phrase:
        """Return conditions on the rows of one table; those that open a relative of their own come last."""
        listed = list(conditions)
        inner = [c for c in listed if c.inner is not None]
        if len([c for c in inner if c.inner and c.inner.conditions]) > 1 or (any_of and inner):
            raise Unspeakable("several inner queries")
        said: list[Phrase] = []
        seen: list[str] = []
        for condition in [*(c for c in listed if c.inner is None), *inner]:
            phrase = self._condition(condition, subject)
            text = "".join(part.text for part in phrase)
            if text in seen:
                raise Unspeakable("repeats a condition")
            seen.append(text)
            said.append(phrase)
        if not said:
            return ()
        if len(said) > 3:
            raise Unspeakable("over three conditions")
        return (Said(" "), *join_phrases(said, "or" if any_of else "and"))

    def one_owner(self) -> Said | None:
        """Return `the country with the code "NL"` where nothing but the owner of the rows is given."""
        condition, *others = self.select.conditions or (None,)
        column = condition.item.column if condition is not None else None
        if condition is None or others or column is None or condition.operator != "=" or condition.inner is not None:
            return None
        owner = key_words(column.name)
        own = column.table.lower() == self.table.lower() and is_identifier(column.name)
        if not own or not self.owned(self.table) or owner != tuple((table_noun(self.table) or "").split(" ")[:-1]):
            return None
        key = (name_words(column.name) or ("id",))[-1]
        text = f"the {' '.join(owner)} with the {key} {shown(condition.values[0])}"
        return Said(text, "condition", (column.name, condition.values[0].text))

    def about_rows(self) -> bool:
        """Tell whether a condition is on the column that says what the rows are: languages whose language is ..."""
        thing = one(self.rows_noun().split(" ")[-1])
        return any(
            c.item.column is not None and column_phrase(c.item.column.name) == thing for c in self.select.conditions
        )

    def given(self) -> Phrase:
        """Return the conditions without their rows: `the language is "Dutch" and the percentage is above 50`."""
        said: list[Phrase] = []
        for condition in self.select.conditions:
            column = condition.item.column
            if column is None or condition.item.function or is_flag(column.name):
                raise Unspeakable("a flag column")
            if any(is_flag_value(value) for value in condition.values):
                raise Unspeakable("a flag column")
            values = tuple(value.text for value in condition.values)
            text = f"the {self.column(column)} {predicate(condition, column)}"
            said.append((Said(text, "condition", (column.name, *values)),))
        return join_phrases(said)

    def _condition(self, condition: Condition, subject: str) -> Phrase:
        column = condition.item.column
        if condition.item.function or column is None:
            raise Unspeakable("a condition on a function")
        if condition.operator in (">", ">=", "<", "<=", "between") and is_identifier(column.name):
            raise Unspeakable("compares keys")
        if is_flag(column.name) or any(is_flag_value(value) for value in condition.values):
            raise Unspeakable("a flag column")
        if condition.inner is not None:
            return self._inner(condition, column, subject)
        if named := self._named(condition, column, subject):
            return named
        phrase = self.condition_column(condition, column, subject)
        if condition.operator in ("null", "not null"):
            text = f"that have {'no' if condition.operator == 'null' else 'a'} recorded {phrase}"
            return (Said(text, "condition", (column.name,)),)
        said = predicate(condition, column)
        values = tuple(value.text for value in condition.values)
        return (Said(f"whose {phrase} {said}", "condition", (column.name, *values)),)

    def condition_column(self, condition: Condition, column: Column, subject: str) -> str:
        """Return the column of a condition; a key in the place of a name is called an id."""
        phrase = self.column(column, subject=subject)
        noun = one(self.rows_noun(subject))
        named = condition.values and all(v.quoted for v in condition.values)
        if phrase == noun and named and self.known.column(subject, "name") is None:
            return "name"
        if phrase == noun.split(" ")[-1]:
            raise Unspeakable("a condition on what the rows are")
        numbers = [v for v in condition.values if not v.quoted]
        if numbers and not is_measure(column.name):
            if condition.operator not in ("=", "!=", "in", "not in"):
                raise Unspeakable(f"compares {column.name}, perhaps a key")
            return self.as_key(column, phrase)
        return phrase

    def as_key(self, column: Column, phrase: str) -> str:
        """Call a column that holds numbers where its name says an entity the id of that entity."""
        words = key_words(column.name)
        if words and any(entity_words(table)[-len(words) :] == words for table in self.known.tables):
            return f"{phrase} id"
        raise Unspeakable(f"whole numbers in {column.name}, perhaps a key")

    def _named(self, condition: Condition, column: Column, subject: str) -> Phrase | None:
        words = tuple(word.lower() for word in name_words(column.name) or ())
        own = column.table.lower() == subject.lower()
        if condition.operator != "=" or not own or not words:
            return None
        value = condition.values[0]
        entity = entity_words(subject)
        if words[-1] == "name" and words[:-1] in ((), entity) and value.quoted:
            return (Said(f'named "{value.text}"', "condition", (column.name, value.text)),)
        if words[-1] in ("id", "code") and words[:-1] in ((), entity):
            shown = f'"{value.text}"' if value.quoted else value.text
            return (Said(f"with the {words[-1]} {shown}", "condition", (column.name, value.text)),)
        return None

    def _inner(self, condition: Condition, column: Column, subject: str) -> Phrase:
        inner = condition.inner
        assert inner is not None
        if (
            inner.joins
            or inner.group
            or inner.having
            or inner.order
            or inner.limit is not None
            or len(inner.items) != 1
        ):
            raise Unspeakable("an inner query of more than one table, or grouped or ordered")
        item = inner.items[0]
        if item.function:
            return self._against(condition, column, inner, subject)
        if item.column is None or condition.operator not in ("in", "not in", "="):
            raise Unspeakable("an inner query of several columns")
        return self._member(condition, column, item.column, inner, subject)

    def _against(self, condition: Condition, column: Column, inner: Select, subject: str) -> Phrase:
        """Say a comparison with an aggregate of a whole table."""
        item = inner.items[0]
        if item.column is None or not item.column.same(column) or item.function not in ("avg", "min", "max"):
            raise Unspeakable("compares with a function of another column")
        if column.table.lower() != subject.lower() or is_identifier(column.name):
            raise Unspeakable("compares with a joined table or a key")
        phrase = self.column(column, subject=subject)
        word = Speaker(inner, self.known).asked(item).split(" ")[0]
        says = (column.name, item.function)
        rest = [c for c in self.select.conditions if c is not condition]
        inner_where = Speaker(inner, self.known).where()
        if condition.operator == "=" and item.function != "avg" and list(inner.conditions) == rest:
            return (Said(f"with the {word} {phrase}", "order", says),)
        if condition.operator not in (">", "<", ">=", "<=", "="):
            raise Unspeakable("compares in an unusual way")
        compared = COMPARED[condition.operator] if condition.operator != "=" else "equals"
        rows = (
            f" of all {self.rows_noun(inner.tables[0])}"
            if not inner_where
            else f" of the {self.rows_noun(inner.tables[0])}"
        )
        tail: Phrase = (Said(rows, "object", (inner.tables[0],)),) if inner_where or rest else ()
        return (Said(f"whose {phrase} {compared} the {word} {phrase}", "condition", says), *tail, *inner_where)

    def _member(self, condition: Condition, column: Column, other: Column, inner: Select, subject: str) -> Phrase:
        """Say that rows are among those that another table refers to, or refer to such rows."""
        link = link_of(Join(column, other), self.known)
        if column.table.lower() != subject.lower():
            raise Unspeakable("membership of a joined table")
        negated = condition.operator == "not in"
        inner_speaker = Speaker(inner, self.known)
        says = (column.name, inner.tables[0])
        if link.child.same(column):
            return self._of_referred(inner_speaker, " ".join(link.words), says, negated=negated)
        if link.role:
            raise Unspeakable("a referring column plays a role")
        noun = one(self.child_noun(inner.tables[0], subject))
        if (having := as_a(inner.conditions, noun, says, negated=negated)) is not None:
            return having
        quantity = "no" if negated else "at least one"
        return (Said(f"that have {quantity} {noun}", "condition", says), *inner_speaker.where())

    def _of_referred(self, inner: Speaker, owner: str, says: tuple[str, ...], *, negated: bool) -> Phrase:
        """Say the conditions on a row that is referred to as conditions on what refers to it."""
        conditions = inner.select.conditions
        if negated or len(conditions) != 1 or conditions[0].inner is not None:
            raise Unspeakable("refers to rows that are not, to any, or with several conditions")
        condition = conditions[0]
        column = condition.item.column
        if (
            column is None
            or condition.item.function
            or is_flag(column.name)
            or condition.operator in ("null", "not null")
        ):
            raise Unspeakable("refers to rows by a flag or a null")
        if any(is_flag_value(value) for value in condition.values):
            raise Unspeakable("a flag column")
        phrase = owned(owner, inner.condition_column(condition, column, inner.table))
        values = tuple(value.text for value in condition.values)
        return (Said(f"whose {phrase} {predicate(condition, column)}", "condition", (*says, column.name, *values)),)

    def child_noun(self, table: str, parent: str) -> str:
        """Return what the rows of a referring table are, without the parent's name in front."""
        noun, entity = self.rows_noun(table), " ".join(entity_words(parent))
        return noun.removeprefix(f"{entity} ")
