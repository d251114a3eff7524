"""What a run asked of a database: its SQL calls with their answers, and the schema that it looked up on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from agenther.stages.language.sql.parse import is_select, is_sql, parse_select
from agenther.stages.language.sql.rows import ColumnInfo, Row, parse_columns, parse_rows
from agenther.stages.language.sql.shape import Unspeakable
from agenther.trajectory import Span, Step, Trajectory, find_text, whole_field


@dataclass(frozen=True)
class SqlCall:
    """One SQL statement that the agent ran, and what came back."""

    step: int
    call: int
    query: str
    answer: str | None
    answer_at: Span | None

    @property
    def field(self) -> str:
        """The field that holds the statement."""
        return f"tool_calls[{self.call}].arguments"

    @property
    def rows(self) -> tuple[Row, ...] | None:
        """The rows of the answer; None where it is no table of rows."""
        return parse_rows(self.answer) if self.answer is not None else None


@dataclass
class Known:
    """What a run saw of the schema, by lower-case names."""

    tables: set[str] = field(default_factory=set[str])
    columns: dict[str, dict[str, ColumnInfo]] = field(default_factory=dict[str, dict[str, ColumnInfo]])

    def column(self, table: str, name: str) -> ColumnInfo | None:
        """Return what was seen of a column, or None."""
        return self.columns.get(table.lower(), {}).get(name.lower())


def sql_calls(trajectory: Trajectory) -> Iterator[SqlCall]:
    """Yield every call that ran a SQL statement, in order."""
    for step in trajectory.agent_steps:
        yield from calls_of(step)


def calls_of(step: Step) -> Iterator[SqlCall]:
    """Yield the SQL calls of one step."""
    for index, call in enumerate(step.tool_calls):
        texts = [value for value in call.values.values() if isinstance(value, str) and is_sql(value)]
        if not call.values and is_sql(call.arguments):
            texts = [call.arguments]
        if not texts:
            continue
        number = _answer_index(step, index)
        answer = step.observations[number].content if number is not None else None
        at = whole_field(step, f"observations[{number}].content") if number is not None else None
        yield SqlCall(step.step_id, index, texts[0].strip(), answer, at)


def _answer_index(step: Step, index: int) -> int | None:
    call_id = step.tool_calls[index].tool_call_id
    for number, observation in enumerate(step.observations):
        if call_id and observation.source_call_id == call_id:
            return number
    return index if len(step.observations) == len(step.tool_calls) and index < len(step.observations) else None


def query_span(trajectory: Trajectory, call: SqlCall) -> Span:
    """Return the characters of a statement inside its arguments."""
    step = trajectory.step(call.step)
    return find_text(step, call.field, call.query) or whole_field(step, call.field)


def known_schema(calls: list[SqlCall]) -> Known:
    """Collect the tables and columns that the run's statements and their answers name."""
    known = Known()
    for call in calls:
        words = call.query.rstrip("; \n").split()
        verb = words[0].upper() if words else ""
        if verb == "SHOW" and len(words) > 1 and words[1].upper() == "TABLES":
            known.tables |= {str(name).lower() for name, *_ in call.rows or ()}
        elif is_select(call.query) and call.rows is not None:
            known.tables |= _tables(call.query)
        elif verb in ("DESC", "DESCRIBE", "PRAGMA", "SHOW") and (columns := parse_columns(call.answer or "")):
            table = words[-1].split("(")[-1].strip("`'\")").split(".")[-1].lower()
            known.tables.add(table)
            known.columns[table] = {column.name.lower(): column for column in columns}
    return known


def _tables(query: str) -> set[str]:
    try:
        return {table.lower() for table in parse_select(query).all_tables()}
    except Unspeakable:
        return set()
