"""Read a SELECT into its shape. Parsing is sqlglot's; what the shape cannot hold raises `Unspeakable` with the reason."""

from __future__ import annotations

from typing import Any, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from agenther.stages.language.sql.shape import (
    Column,
    Condition,
    Function,
    Item,
    Join,
    Operator,
    Order,
    Select,
    Unspeakable,
    Value,
)

_FUNCTIONS: dict[Any, Function] = {
    exp.Count: "count",
    exp.Avg: "avg",
    exp.Sum: "sum",
    exp.Min: "min",
    exp.Max: "max",
}
_COMPARISONS: dict[Any, Operator] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.Like: "like",
}
_FLIPPED: dict[Operator, Operator] = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_NEGATED: dict[Operator, Operator] = {
    "=": "!=",
    "like": "not like",
    "in": "not in",
    "null": "not null",
    ">": "<=",
    ">=": "<",
    "<": ">=",
    "<=": ">",
}


def read_select(text: str) -> Select:
    """Return what a SELECT asks.

    Raises:
        Unspeakable: it is no single SELECT, or has a shape for which there is no sentence.
    """
    try:
        statements = cast(list[Any], sqlglot.parse(text, dialect="mysql"))
    except (SqlglotError, RecursionError) as error:
        raise Unspeakable("does not parse") from error
    trees = [tree for tree in statements if tree is not None]
    if len(trees) != 1 or not isinstance(trees[0], exp.Select):
        raise Unspeakable("not one plain SELECT")
    return _Reader(trees[0]).select()


class _Reader:
    """Reads one SELECT node; inner queries get a reader of their own."""

    def __init__(self, tree: exp.Select) -> None:
        self._tree: Any = tree
        self._tables: dict[str, str] = {}
        self._aliases: dict[str, Item] = {}

    def select(self) -> Select:
        tree = self._tree
        for part in ("with_", "with", "windows", "qualify", "laterals", "offset", "into"):
            if tree.args.get(part):
                raise Unspeakable(f"uses {part.strip('_')}")
        tables = self._read_tables()
        conditions: list[Any] = []
        joins = self._read_joins(conditions)
        items = tuple(self._selected(node) for node in tree.expressions)
        self._aliases = {item.alias.lower(): item for item in items if item.alias}
        where = cast("exp.Where | None", tree.args.get("where"))
        any_of = False
        if where is not None:
            any_of = isinstance(_bare(where.this), exp.Or) and not self._one_column(where.this)
            terms = _split(_bare(where.this), exp.Or if any_of else exp.And)
            if any_of and conditions:
                raise Unspeakable("mixes AND with OR")
            conditions += terms
        read = [self._condition(node) for node in conditions]
        found = [c for c in read if isinstance(c, Condition)]
        joins += [c for c in read if isinstance(c, Join)]
        if any_of and len(found) != len(read):
            raise Unspeakable("joins inside OR")
        group = cast("exp.Group | None", tree.args.get("group"))
        having = cast("exp.Having | None", tree.args.get("having"))
        return Select(
            items=items,
            tables=tables,
            joins=tuple(joins),
            conditions=tuple(found),
            any_of=any_of and len(found) > 1,
            group=tuple(self._group_column(node, items) for node in group.expressions) if group else (),
            having=self._having(having),
            order=self._order(items),
            limit=self._limit(),
            distinct=self._distinct(),
        )

    def _one_column(self, node: Any) -> bool:
        try:
            self._condition(node)
        except Unspeakable:
            return False
        return True

    def _distinct(self) -> bool:
        distinct = self._tree.args.get("distinct")
        if distinct and distinct.args.get("on"):
            raise Unspeakable("uses DISTINCT ON")
        return bool(distinct)

    def _read_tables(self) -> tuple[str, ...]:
        source = cast("exp.From | None", self._tree.args.get("from_") or self._tree.args.get("from"))
        nodes: list[Any] = [source.this] if source else []
        joins: list[Any] = self._tree.args.get("joins") or []
        nodes += [join.this for join in joins]
        names: list[str] = []
        for node in nodes:
            if not isinstance(node, exp.Table) or not node.name:
                raise Unspeakable("reads from a query, not from tables")
            if node.name.lower() in (name.lower() for name in names):
                raise Unspeakable("joins a table with itself")
            names.append(node.name)
            self._tables[(node.alias or node.name).lower()] = node.name
            self._tables.setdefault(node.name.lower(), node.name)
        if not names:
            raise Unspeakable("reads no table")
        return tuple(names)

    def _read_joins(self, conditions: list[Any]) -> list[Join]:
        joins: list[Join] = []
        nodes: list[Any] = self._tree.args.get("joins") or []
        for node in nodes:
            if node.side or node.kind.upper() not in ("", "INNER") or node.args.get("method"):
                raise Unspeakable("uses an outer or special join")
            if node.args.get("using"):
                raise Unspeakable("joins with USING")
            on: Any = node.args.get("on")
            if on is not None:
                conditions += _split(_bare(on), exp.And)
        return joins

    def _column(self, node: Any) -> Column:
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            raise Unspeakable(f"computes {type(node).__name__.lower()}")
        if node.table:
            if node.table.lower() not in self._tables:
                raise Unspeakable("names a table outside the query")
            return Column(self._tables[node.table.lower()], node.name)
        names = sorted(set(self._tables.values()))
        return Column(names[0] if len(names) == 1 else "", node.name)

    def _selected(self, node: Any) -> Item:
        alias = ""
        if isinstance(node, exp.Alias):
            alias, node = node.alias, node.this
        if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
            if isinstance(node, exp.Column) and len(set(self._tables.values())) > 1:
                raise Unspeakable("takes all columns of a joined table")
            return Item("", None)
        item = self._item(node)
        return Item(item.function, item.column, item.distinct, alias)

    def _item(self, node: Any) -> Item:
        node = _bare(node)
        function = _FUNCTIONS.get(type(node))
        if function is None:
            if isinstance(node, exp.Column) and not node.table and node.name.lower() in self._aliases:
                return self._aliases[node.name.lower()]
            return Item("", self._column(node))
        inner = node.this
        distinct = isinstance(inner, exp.Distinct)
        if distinct:
            if len(inner.expressions) != 1:
                raise Unspeakable("counts combinations")
            inner = inner.expressions[0]
        if isinstance(inner, exp.Star) or (function == "count" and isinstance(inner, exp.Literal)):
            return Item(function, None, distinct)
        return Item(function, self._column(inner), distinct)

    def _group_column(self, node: Any, items: tuple[Item, ...]) -> Column:
        if isinstance(node, exp.Literal) and node.name.isdigit() and 0 < int(node.name) <= len(items):
            item = items[int(node.name) - 1]
        else:
            item = self._item(node)
        if item.function or item.column is None:
            raise Unspeakable("groups by an expression")
        return item.column

    def _condition(self, node: Any) -> Condition | Join:
        node = _bare(node)
        if isinstance(node, exp.Not):
            inner = self._condition(node.this)
            if isinstance(inner, Join) or inner.operator not in _NEGATED:
                raise Unspeakable("negates a compound condition")
            return Condition(inner.item, _NEGATED[inner.operator], inner.values, inner.inner)
        if isinstance(node, exp.And):
            raise Unspeakable("mixes AND with OR")
        if isinstance(node, exp.Or):
            return _one_of([self._condition(term) for term in _split(node, exp.Or)])
        if isinstance(node, exp.Between):
            low, high = _value(node.args["low"]), _value(node.args["high"])
            return Condition(self._item(node.this), "between", (low, high))
        if isinstance(node, exp.In):
            return self._membership(node)
        if isinstance(node, exp.Is):
            if not isinstance(node.expression, exp.Null):
                raise Unspeakable("tests a truth value")
            return Condition(self._item(node.this), "null")
        operator = _COMPARISONS.get(type(node))
        if operator is None:
            raise Unspeakable(f"has a condition of the form {type(node).__name__.lower()}")
        return self._comparison(operator, _bare(node.this), _bare(node.expression))

    def _membership(self, node: exp.In) -> Condition:
        query = node.args.get("query")
        if query is not None:
            inner = _inner(query)
            return Condition(self._item(node.this), "in", inner=_Reader(inner).select())
        values = tuple(_value(value) for value in node.expressions)
        if not values:
            raise Unspeakable("tests membership in an expression")
        return Condition(self._item(node.this), "in", values)

    def _comparison(self, operator: Operator, left: Any, right: Any) -> Condition | Join:
        if isinstance(left, exp.Literal) and not isinstance(right, exp.Literal):
            left, right, operator = right, left, _FLIPPED.get(operator, operator)
        if isinstance(right, exp.Subquery | exp.Select):
            return Condition(self._item(left), operator, inner=_Reader(_inner(right)).select())
        if isinstance(right, exp.Column):
            if operator != "=":
                raise Unspeakable("compares two columns")
            join = Join(self._column(left), self._column(right))
            if join.left.table == join.right.table:
                raise Unspeakable("compares two columns")
            return join
        return Condition(self._item(left), operator, (_value(right),))

    def _having(self, having: exp.Having | None) -> tuple[Condition, ...]:
        if having is None:
            return ()
        terms = tuple(self._condition(node) for node in _split(_bare(having.this), exp.And))
        conditions = tuple(term for term in terms if isinstance(term, Condition))
        if len(conditions) != len(terms):
            raise Unspeakable("joins in HAVING")
        return conditions

    def _order(self, items: tuple[Item, ...]) -> tuple[Order, ...]:
        order = cast("exp.Order | None", self._tree.args.get("order"))
        keys: list[Order] = []
        for node in cast(list[exp.Ordered], order.expressions if order else []):
            inner = node.this
            if isinstance(inner, exp.Literal) and inner.name.isdigit() and 0 < int(inner.name) <= len(items):
                item = items[int(inner.name) - 1]
            else:
                item = self._item(inner)
            keys.append(Order(item, bool(node.args.get("desc"))))
        return tuple(keys)

    def _limit(self) -> int | None:
        limit: Any = self._tree.args.get("limit")
        if limit is None:
            return None
        if not isinstance(limit, exp.Limit) or not limit.expression.name.isdigit() or limit.args.get("offset"):
            raise Unspeakable("has an unusual limit")
        return int(limit.expression.name)


def _bare(node: Any) -> Any:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _split(node: Any, kind: type[exp.Connector]) -> list[Any]:
    node = _bare(node)
    if isinstance(node, kind):
        return [*_split(node.left, kind), *_split(node.right, kind)]
    return [node]


def _one_of(terms: list[Condition | Join]) -> Condition:
    """Return equalities of one column, joined by OR, as one condition."""
    found = [term for term in terms if isinstance(term, Condition)]
    if len(found) == len(terms) and all(
        c.operator in ("=", "in") and c.inner is None and c.item.same(found[0].item) for c in found
    ):
        return Condition(found[0].item, "in", tuple(value for c in found for value in c.values))
    raise Unspeakable("mixes AND with OR")


def _inner(node: Any) -> exp.Select:
    tree = node.this if isinstance(node, exp.Subquery) else node
    if not isinstance(tree, exp.Select):
        raise Unspeakable("uses a set operation")
    return tree


def _value(node: Any) -> Value:
    node = _bare(node)
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return Value(f"-{node.this.name}", quoted=False)
    if isinstance(node, exp.Literal):
        return Value(node.name, quoted=bool(node.is_string))
    raise Unspeakable("compares with an expression")
