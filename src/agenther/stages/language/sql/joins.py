"""Which side of a join is the parent, told by names and keys, and what each joined table is to the rows.

A join is believed only when one column is its table's key and the other names that table; a name that adds a role
(source airport, winner) keeps the role.
"""

from __future__ import annotations

from dataclasses import dataclass

from agenther.stages.language.sql.run import Known
from agenther.stages.language.sql.shape import Column, Join, Select, Unspeakable
from agenther.stages.language.sql.words import name_words, one, table_noun

_KEY_WORDS = frozenset({"id", "ids", "code", "key", "number", "name"})


@dataclass(frozen=True)
class Link:
    """A join from the table that refers to the one it refers to."""

    child: Column
    parent: Column
    words: tuple[str, ...]

    @property
    def role(self) -> bool:
        """Whether the referring column says more than the parent's name."""
        return len(self.words) > len(entity_words(self.parent.table))


def entity_words(table: str) -> tuple[str, ...]:
    """Return the words of a table's noun in the singular; empty where it has none."""
    noun = table_noun(table)
    return tuple(one(word.lower()) for word in one(noun).split(" ")) if noun else ()


def key_words(name: str) -> tuple[str, ...]:
    """Return the words of a column without those that only say that it is a key, in the singular."""
    words = [one(word.lower()) for word in name_words(name) or ()]
    while words and words[-1] in _KEY_WORDS:
        words.pop()
    return tuple(words)


def link_of(join: Join, known: Known) -> Link:
    """Orient a join.

    Raises:
        Unspeakable: no side is plausibly the key that the other refers to, or both are.
    """
    links = [
        link
        for child, parent in ((join.left, join.right), (join.right, join.left))
        if (link := _link(child, parent, known)) is not None
    ]
    if len(links) != 1:
        raise Unspeakable("joins columns that are not plainly key and reference")
    return links[0]


def _link(child: Column, parent: Column, known: Known) -> Link | None:
    entity = entity_words(parent.table)
    refers, own = key_words(child.name), key_words(parent.name)
    if not entity or not refers or not _is_key(parent, own, entity, known):
        return None
    last = entity[-len(refers) :] if len(refers) < len(entity) else entity
    if refers[-len(last) :] != last:
        return None
    info = known.column(child.table, child.name)
    if info is not None and info.primary and len(_primary(child.table, known)) == 1 and len(refers) > len(entity):
        return None
    return Link(child, parent, refers if len(refers) > len(entity) else entity)


def _is_key(column: Column, own: tuple[str, ...], entity: tuple[str, ...], known: Known) -> bool:
    primary = _primary(column.table, known)
    if primary:
        return primary == [column.name.lower()] or (not own and len(primary) == 0)
    return own in ((), entity) or (len(own) < len(entity) and own == entity[-len(own) :])


def _primary(table: str, known: Known) -> list[str]:
    return [name for name, info in known.columns.get(table.lower(), {}).items() if info.primary]


def links_of(select: Select, known: Known) -> tuple[Link, ...]:
    """Orient all joins of a query; there is exactly one for each table but the first.

    Raises:
        Unspeakable: the joins do not connect the tables as a tree, or one is not believable.
    """
    if len(select.joins) != len(select.tables) - 1:
        raise Unspeakable("tables are not joined one by one")
    if any(not side.table for join in select.joins for side in (join.left, join.right)):
        raise Unspeakable("a joined column does not say its table")
    return tuple(link_of(join, known) for join in select.joins)


def child_table(select: Select, links: tuple[Link, ...]) -> str:
    """Return the table whose rows the join gives one by one: the one that no other refers to.

    Raises:
        Unspeakable: there is not exactly one.
    """
    parents = {link.parent.table for link in links}
    children = [table for table in select.tables if table not in parents]
    if len(children) != 1 or len(parents) != len(links):
        raise Unspeakable("no single table holds the joined rows")
    return children[0]
