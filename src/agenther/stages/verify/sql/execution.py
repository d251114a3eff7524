"""Ask the database again: where the tables of a query are at hand, its rows, its ties and its joins can be proved.

Knows databases as protocols only (`databases`); who finds and loads them stands in `environments`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.language.sql.joins import child_table, links_of
from agenther.stages.language.sql.parse import parse_select
from agenther.stages.language.sql.rows import SHOWN_IN_PART, Cell, Row, is_number_text
from agenther.stages.language.sql.run import Known, known_schema, sql_calls
from agenther.stages.language.sql.shape import Column, Condition, Item, Select, Unspeakable, Value
from agenther.stages.language.sql.words import is_measure
from agenther.stages.relabel.sql.phrases import resolved
from agenther.stages.verify.sql.checks import fan_out, kept_call, rival
from agenther.stages.verify.sql.databases import Databases, Schema


class CheckExecution:
    """Runs the kept query on the databases that hold its tables. Abstains where none does."""

    def __init__(self, databases: Sequence[Databases]) -> None:
        self._databases = tuple(databases)

    def __call__(self, rewritten: Rewritten) -> Score | None:
        """Vote, or abstain."""
        by = "check:sql_execution"
        call = kept_call(rewritten)
        if call is None or not call.rows:
            return refused(by, Reason.EVIDENCE_FAILED, "no query with rows is kept")
        try:
            select = parse_select(call.query)
        except Unspeakable as reason:
            return refused(by, Reason.EVIDENCE_FAILED, str(reason))
        fitting = [schema for group in self._databases for schema in group.schemas if holds(schema, select)]
        if not fitting:
            alike = [rival(select, schema.columns) for group in self._databases for schema in group.schemas]
            stray = next((why for why in alike if why is not None), None)
            return refused(by, Reason.AMBIGUOUS, f"not in the databases: {stray}") if stray else None
        answers = [(schema, schema.rows(call.query)) for schema in fitting]
        agreeing = [schema for schema, rows in answers if rows is not None and same_rows(call.rows, rows)]
        evidence = [call.answer_at] if call.answer_at is not None else []
        if not agreeing:
            names = ", ".join(schema.name for schema in fitting)
            return refused(by, Reason.NOT_TRUE, f"executed on {names}: other rows than observed", evidence)
        known = known_schema(list(sql_calls(rewritten.trajectory)))
        for schema in agreeing:
            repeated = fan_out(select, schema.rows(call.query) or ())
            if repeated is not None:
                return refused(by, Reason.NOT_TRUE, f"executed on {schema.name}: {repeated}", evidence)
            wrong = _wrong(schema, resolved(select, known), known, len(call.rows))
            if wrong is not None:
                return refused(by, wrong[0], f"executed on {schema.name}: {wrong[1]}", evidence)
        return passed(by, f"executed on {agreeing[0].name}: the same rows, no tie, joins lose nothing", evidence)


def holds(schema: Schema, select: Select) -> bool:
    """Tell whether a database has every table and column that a query names."""
    tables = {table.lower() for table in select.all_tables()}
    if not tables <= set(schema.columns):
        return False
    return all(
        column.name.lower() in (schema.columns[column.table.lower()] if column.table else _any_of(schema, tables))
        for column in select.columns()
    )


def _any_of(schema: Schema, tables: set[str]) -> set[str]:
    return {name for table in tables for name in schema.columns[table]}


def same_rows(observed: Sequence[Row], executed: Sequence[Row]) -> bool:
    """Tell whether two results hold the same rows in any order; a long observed one may be the part of a longer one."""
    a, b = Counter(map(_comparable, observed)), Counter(map(_comparable, executed))
    if a == b:
        return True
    return SHOWN_IN_PART <= len(observed) < len(executed) and not a - b


def _comparable(row: Row) -> tuple[object, ...]:
    return tuple(_plain(cell) for cell in row)


def _plain(cell: Cell) -> object:
    if isinstance(cell, int | float):
        return float(f"{cell:.5g}")
    return cell.rstrip() if isinstance(cell, str) else None


def _wrong(schema: Schema, select: Select, known: Known, n_rows: int) -> tuple[Reason, str] | None:
    """Return what the database shows to be untrue of the request, or None."""
    for item in _weighed(select):
        column = item.column
        assert column is not None
        if _kind(schema, column) == "TEXT" and (item.function in ("sum", "avg") or is_measure(column.name)):
            return Reason.NOT_TRUE, f"{column.name} is stored as text"
    for condition in select.all_conditions():
        column = condition.item.column
        ranged = condition.operator in (">", "<", ">=", "<=", "between")
        if ranged and column is not None and not condition.item.function and condition.inner is None:
            numbers = any(not value.quoted for value in condition.values)
            if _kind(schema, column) == "TEXT" and numbers and _has_words(schema, column):
                return Reason.NOT_TRUE, f"{column.name} is compared as a number and holds words"
    if select.limit is not None and select.order and n_rows == select.limit:
        wrong = _edge(schema, select)
        if wrong is not None:
            return wrong
    return _joins(schema, select, known)


def _weighed(select: Select) -> list[Item]:
    """Return the items whose size matters: ordered, summed, averaged, extreme."""
    items = [order.item for order in select.order] + [i for i in select.items if i.function not in ("", "count")]
    items += [c.inner.items[0] for c in select.all_conditions() if c.inner is not None and c.inner.items[0].function]
    return [item for item in items if item.column is not None and item.function != "count"]


def _kind(schema: Schema, column: Column) -> str:
    tables = [column.table.lower()] if column.table else list(schema.columns)
    return next(
        (schema.columns[t][column.name.lower()] for t in tables if column.name.lower() in schema.columns[t]), ""
    )


def _has_words(schema: Schema, column: Column) -> bool:
    rows = schema.rows(to_sql(Select(items=(Item("", column),), tables=(column.table,), distinct=True)))
    return rows is None or any(isinstance(row[0], str) and not is_number_text(row[0]) for row in rows)


def _edge(schema: Schema, select: Select) -> tuple[Reason, str] | None:
    """Look at the last row inside a limit and the first outside: they must differ, and hold a value."""
    measured = Item(select.order[0].item.function, select.order[0].item.column, select.order[0].item.distinct)
    assert select.limit is not None
    rows = schema.rows(
        to_sql(
            replace(
                select,
                items=(measured,),
                limit=select.limit + 1,
                distinct=False,
                order=(replace(select.order[0], item=measured),),
            )
        )
    )
    if rows is None or len(rows) < select.limit:
        return Reason.NOT_TRUE, "the order cannot be looked at"
    if any(row[0] is None for row in rows[: select.limit]):
        return Reason.NOT_TRUE, "an extreme that is null"
    if len(rows) > select.limit and rows[select.limit - 1][0] == rows[select.limit][0]:
        return Reason.AMBIGUOUS, "a tie at the limit"
    return None


def _joins(schema: Schema, select: Select, known: Known) -> tuple[Reason, str] | None:
    """The referred column must be unique, and every referring row must find its parent."""
    if len(select.tables) < 2:
        return None
    try:
        links = links_of(select, known)
        child = child_table(select, links)
    except Unspeakable as reason:
        return Reason.NOT_TRUE, str(reason)
    for link in links:
        both = (Item("count", None), Item("count", link.parent, distinct=True))
        counts = _counts(schema, Select(items=both, tables=(link.parent.table,)))
        if len(counts) < 2 or counts[0] != counts[1]:
            return Reason.NOT_TRUE, f"{link.parent.name} is no key of {link.parent.table}"
    every = (Item("count", None),)
    joined = _counts(schema, Select(items=every, tables=select.tables, joins=select.joins))
    if not joined or joined != _counts(schema, Select(items=every, tables=(child,))):
        return Reason.NOT_TRUE, f"the join loses rows of {child}"
    return None


def _counts(schema: Schema, select: Select) -> Row:
    rows = schema.rows(to_sql(select))
    return rows[0] if rows else ()


def to_sql(select: Select) -> str:
    """Write a SELECT back as MySQL, to be run on a read-only copy in memory."""
    source = ", ".join(map(_name, select.tables))
    terms = [f"{_column(j.left)} = {_column(j.right)}" for j in select.joins]
    conditions = [_condition(condition) for condition in select.conditions]
    if conditions:
        terms.append("(" + (" OR " if select.any_of else " AND ").join(conditions) + ")")
    distinct = "DISTINCT " if select.distinct else ""
    text = f"SELECT {distinct}{', '.join(map(_item, select.items))} FROM {source}"  # noqa: S608
    text += f" WHERE {' AND '.join(terms)}" if terms else ""
    text += f" GROUP BY {', '.join(map(_column, select.group))}" if select.group else ""
    text += f" HAVING {' AND '.join(map(_condition, select.having))}" if select.having else ""
    if select.order:
        text += " ORDER BY " + ", ".join(f"{_item(o.item)} {'DESC' if o.descending else 'ASC'}" for o in select.order)
    return text + (f" LIMIT {select.limit}" if select.limit is not None else "")


def _name(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _column(column: Column) -> str:
    return f"{_name(column.table)}.{_name(column.name)}" if column.table else _name(column.name)


def _item(item: Item) -> str:
    inner = "*" if item.column is None else _column(item.column)
    return f"{item.function.upper()}({'DISTINCT ' if item.distinct else ''}{inner})" if item.function else inner


def _condition(condition: Condition) -> str:
    left, operator = _item(condition.item), condition.operator.upper()
    if condition.operator in ("null", "not null"):
        return f"{left} IS {operator}"
    if condition.inner is not None:
        return f"{left} {operator} ({to_sql(condition.inner)})"
    values = [_value(value) for value in condition.values]
    match condition.operator:
        case "between":
            return f"{left} BETWEEN {values[0]} AND {values[1]}"
        case "in" | "not in":
            return f"{left} {operator} ({', '.join(values)})"
        case _:
            return f"{left} {operator} {values[0]}"


def _value(value: Value) -> str:
    if not value.quoted:
        return value.text
    escaped = value.text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
