from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import pytest
from tests.stages.sql_runs import DUMP

from agenther.environments import sql_dump
from agenther.environments.sql_dump import SqlDump, SqlSchema


@pytest.fixture
def schema(tmp_path: Path) -> SqlSchema:
    path = tmp_path / "bread.sql.gz"
    path.write_bytes(gzip.compress(DUMP.encode()))
    (found,) = SqlDump(path).schemas
    return found


def test_tables_and_rows_are_loaded(schema: SqlSchema) -> None:
    assert schema.name == "bread"
    assert schema.columns["bakery"] == {
        "bakery_id": "INTEGER", "name": "TEXT", "town": "TEXT", "opening_year": "INTEGER"
    }  # fmt: skip
    assert schema.rows("SELECT * FROM bakery WHERE bakery_id = 2") == ((2, "O'Rye", "Oda", 2004),)
    assert schema.rows("SELECT MIN(weight), COUNT(price) FROM bread.loaf") == ((-3, 3),)


def test_text_is_compared_as_mysql_does(schema: SqlSchema) -> None:
    assert schema.rows("SELECT name FROM bakery WHERE town = 'EMS'") == (("Crumb",),)


def loaded(tmp_path: Path, text: str) -> SqlSchema:
    path = tmp_path / "yard.sql"
    path.write_text(text, encoding="utf-8")
    (found,) = SqlDump(path).schemas
    return found


BOATS = r"""
CREATE TABLE `boat` (`name` text, `length` double); -- a comment; it's no end
/* INSERT INTO boat VALUES ('Ghost', 1); */ # nor; is this
INSERT INTO `boat` (`name`, `length`) VALUES ('Tern; or ''Gull''', -4.5), ('a \'quoted\'; one', 7), (NULL, (3)),
    (CONCAT('x', 'y'), 2e1), ("plain", DEFAULT);
INSERT INTO boat VALUES ('open', ;
INSERT INTO boat VALUES ('Auk', 1) ON DUPLICATE KEY UPDATE length = 9;
"""


def test_a_cell_is_a_text_or_a_number_or_nothing(tmp_path: Path) -> None:
    assert loaded(tmp_path, BOATS).rows("SELECT * FROM boat") == (
        *(("Tern; or 'Gull'", -4.5), ("a 'quoted'; one", 7.0), (None, None), (None, 20.0), ("plain", None)),
        ("Auk", 1.0),
    )


@pytest.mark.parametrize("statement", ["INSERT INTO boat SELECT 'Auk', 1", "INSERT INTO boat VALUES ('Auk')"])
def test_a_table_that_lacks_rows_answers_nothing(tmp_path: Path, statement: str) -> None:
    text = f"CREATE TABLE boat (name text, length int); INSERT INTO boat VALUES ('Tern', 4); {statement};"
    assert loaded(tmp_path, text).rows("SELECT name FROM boat") is None


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM loaf",
        "DROP TABLE loaf",
        "INSERT INTO loaf VALUES (9, 1, 'x', 1, '1')",
        "ATTACH DATABASE 'x.db' AS x",
        "PRAGMA query_only = OFF",
        "SELECT nonsense FROM loaf",
        "SELECT load_extension('x')",
        "no SQL at all",
    ],
)
def test_nothing_but_reading_is_possible(schema: SqlSchema, query: str) -> None:
    before = schema.rows("SELECT * FROM loaf")
    assert schema.rows(query) is None
    assert schema.rows("SELECT * FROM loaf") == before


def test_a_long_query_is_stopped(schema: SqlSchema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_dump, "TIME_LIMIT_S", 0.05)
    endless = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT COUNT(*) FROM t"
    assert schema.rows(endless) is None


def test_what_is_no_dump_holds_no_databases(tmp_path: Path) -> None:
    path = tmp_path / "broken.sql"
    path.write_bytes(b"\xff\xfe CREATE TABLE")
    assert SqlDump(path).schemas == ()
    path.write_text("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (; INSERT INTO t VALUES ('unclosed")
    assert all(schema.rows("SELECT a FROM t") in ((), ((1,),), None) for schema in SqlDump(path).schemas)


def test_a_dump_that_is_too_long_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bread.sql"
    path.write_text(DUMP, encoding="utf-8")
    monkeypatch.setattr(sql_dump, "MAX_DUMP", len(DUMP) - 1)
    assert SqlDump(path).schemas == ()


def test_a_dump_travels_to_workers_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "bread.sql"
    path.write_text(DUMP, encoding="utf-8")
    dump = SqlDump(path)
    assert dump.schemas
    copy = pickle.loads(pickle.dumps(dump))
    assert [schema.name for schema in copy.schemas] == ["bread"]


def test_a_long_statement_is_read_as_a_short_one_is(tmp_path: Path) -> None:
    texts = [f"{'(' * (n % 3)}it''s; \\'{n}\\' -- {')' * (n % 4)} /* " for n in range(2_000)]
    values = ",\n".join(f"({n}, '{text}') /* ( */" for n, text in enumerate(texts))
    made = f"CREATE TABLE long (n int, said text);\nINSERT INTO long VALUES {values} ON DUPLICATE KEY UPDATE n = (n);\n"
    rows = loaded(tmp_path, made + "INSERT INTO long VALUES (-1, 'end');").rows("SELECT * FROM long ORDER BY n")
    assert rows == ((-1, "end"), *((n, text.replace("''", "'").replace("\\'", "'")) for n, text in enumerate(texts)))
