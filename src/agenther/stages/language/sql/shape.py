"""What a SELECT asks, as small values: tables, items, conditions, groups, order, limit. No parsing, no English."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

Function = Literal["", "count", "avg", "sum", "min", "max"]
Operator = Literal["=", "!=", ">", ">=", "<", "<=", "between", "like", "not like", "in", "not in", "null", "not null"]


class Unspeakable(Exception):
    """The query asks something for which there is no sentence; the message says what."""


@dataclass(frozen=True)
class Column:
    """A column, by the table's own name (not its alias); the table is empty where the query does not say."""

    table: str
    name: str

    def same(self, other: Column) -> bool:
        """Tell whether two columns are one, whatever the case of their letters."""
        return self.name.lower() == other.name.lower() and self.table.lower() == other.table.lower()


@dataclass(frozen=True)
class Value:
    """A literal, as the query has it."""

    text: str
    quoted: bool


@dataclass(frozen=True)
class Item:
    """A selected or ordering expression: a column, or a function of one; column None is `*`."""

    function: Function
    column: Column | None
    distinct: bool = False
    alias: str = ""

    def same(self, other: Item) -> bool:
        """Tell whether two items compute the same thing."""
        if self.function != other.function or self.distinct != other.distinct:
            return False
        if self.column is None or other.column is None:
            return self.column is other.column
        return self.column.same(other.column)


@dataclass(frozen=True)
class Condition:
    """One term of a WHERE, or of a HAVING when it is about an aggregate."""

    item: Item
    operator: Operator
    values: tuple[Value, ...] = ()
    inner: Select | None = None


@dataclass(frozen=True)
class Join:
    """An equality that joins two tables."""

    left: Column
    right: Column


@dataclass(frozen=True)
class Order:
    """One key of an ORDER BY."""

    item: Item
    descending: bool


@dataclass(frozen=True)
class Select:
    """A SELECT over joined tables."""

    items: tuple[Item, ...]
    tables: tuple[str, ...]
    joins: tuple[Join, ...] = ()
    conditions: tuple[Condition, ...] = ()
    any_of: bool = False
    group: tuple[Column, ...] = ()
    having: tuple[Condition, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    distinct: bool = False

    @property
    def aggregates(self) -> tuple[Item, ...]:
        """The items that are functions of many rows."""
        return tuple(item for item in self.items if item.function)

    @property
    def plain(self) -> tuple[Item, ...]:
        """The items that are columns."""
        return tuple(item for item in self.items if not item.function)

    def without_limit(self) -> Select:
        """Return the same question about all rows."""
        return replace(self, limit=None)

    def columns(self) -> Iterator[Column]:
        """Yield every column that the query names, those of inner queries too."""
        for item in (*self.items, *(o.item for o in self.order), *(h.item for h in self.having)):
            if item.column is not None:
                yield item.column
        yield from self.group
        for join in self.joins:
            yield from (join.left, join.right)
        for condition in self.conditions:
            if condition.item.column is not None:
                yield condition.item.column
            if condition.inner is not None:
                yield from condition.inner.columns()

    def with_columns(self, change: Callable[[Column], Column]) -> Select:
        """Return the query with every column of its own changed; inner queries stay."""

        def item_of(item: Item) -> Item:
            return replace(item, column=change(item.column)) if item.column is not None else item

        def condition_of(condition: Condition) -> Condition:
            return replace(condition, item=item_of(condition.item))

        return replace(
            self,
            items=tuple(map(item_of, self.items)),
            joins=tuple(Join(change(j.left), change(j.right)) for j in self.joins),
            conditions=tuple(map(condition_of, self.conditions)),
            group=tuple(map(change, self.group)),
            having=tuple(map(condition_of, self.having)),
            order=tuple(replace(o, item=item_of(o.item)) for o in self.order),
        )

    def all_conditions(self) -> Iterator[Condition]:
        """Yield the conditions of WHERE and HAVING, those of inner queries too."""
        for condition in (*self.conditions, *self.having):
            yield condition
            if condition.inner is not None:
                yield from condition.inner.all_conditions()

    def all_tables(self) -> tuple[str, ...]:
        """Return the tables, those of inner queries too."""
        inner = (t for c in self.conditions if c.inner is not None for t in c.inner.all_tables())
        return (*self.tables, *inner)
