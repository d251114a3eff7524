from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenther.stages.language.sql.parse import changes_data, is_read_only, is_schema_lookup, parse_select
from agenther.stages.language.sql.rows import is_number_text, parse_columns, parse_rows
from agenther.stages.language.sql.shape import Column, Unspeakable, Value
from agenther.stages.language.sql.words import column_phrase, is_measure, phrase_plural, table_noun


def test_a_select_is_read() -> None:
    select = parse_select(
        "SELECT DISTINCT b.name, COUNT(l.loaf_id) AS n FROM loaf AS l INNER JOIN bakery b ON l.bakery_id = b.id "
        "WHERE (l.grain = 'rye' OR l.grain = 'oat') AND 3 < l.weight GROUP BY 1 HAVING n >= 2 ORDER BY n DESC LIMIT 5;"
    )
    assert select.tables == ("loaf", "bakery")
    assert select.joins[0].left == Column("loaf", "bakery_id")
    either, heavy = select.conditions
    assert (either.operator, either.values) == ("in", (Value("rye", True), Value("oat", True)))
    assert (heavy.operator, heavy.values) == (">", (Value("3", False),))
    assert select.group == (Column("bakery", "name"),)
    assert select.having[0].item.function == "count"
    assert select.order[0].descending
    assert (select.limit, select.distinct) == (5, True)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for query in (text, f"SELECT {text}", f"SELECT a FROM t WHERE {text}"):
        try:
            parse_select(query)
        except Unspeakable:
            continue


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("SELECT 'DROP TABLE loaf'", True),
        ("show tables", True),
        ("DESCRIBE loaf", True),
        ("UPDATE loaf SET weight = 1", False),
        ("SELECT 1; DELETE FROM loaf", False),
        ("CREATE TABLE x (a int)", False),
    ],
)
def test_what_only_reads(text: str, reads: bool) -> None:
    assert is_read_only(text) is reads
    assert changes_data(text) is not reads


def test_schema_lookups() -> None:
    assert is_schema_lookup("SELECT table_name FROM information_schema.tables")
    assert is_schema_lookup("PRAGMA table_info(loaf)")
    assert not is_schema_lookup("SELECT * FROM loaf")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("[(1, 'a', None), (2, \"b's\", 3.5)]", ((1, "a", None), (2, "b's", 3.5))),
        ("[(Decimal('12.50'),)]", ((12.5,),)),
        ("[(datetime.date(2020, 1, 2), b'x')]", (("2020, 1, 2", "x"),)),
        ('[{"name": "Kiln", "n": 2}]', (("Kiln", 2),)),
        ('{"rows": [[1, 2]], "count": 1}', ((1, 2),)),
        ("[]", ()),
        ("Error executing query: no such table", None),
        ("[(1, 2), (3,)]", None),
        ("[__import__('os').getcwd()]", None),
        ("[(1, (2, 3))]", None),
        ("[" * 5000, None),
    ],
)
def test_rows(text: str, rows: object) -> None:
    assert parse_rows(text) == rows


def test_columns_of_a_table() -> None:
    mysql, sqlite = (
        "[('id', b'int', 'NO', 'PRI', None, ''), ('grain', 'varchar(9)', 'YES', '', None, '')]",
        "[(0, 'id', 'INTEGER', 1, None, 1), (1, 'grain', 'TEXT', 0, None, 0)]",
    )
    for text in (mysql, sqlite):
        key, grain = parse_columns(text)
        assert (key.name, key.primary, key.is_text) == ("id", True, False)
        assert (grain.name, grain.primary, grain.is_text) == ("grain", False, True)
    assert parse_columns("[('rye', 4, 2)]") == ()


@pytest.mark.parametrize(
    ("table", "noun"),
    [
        ("loaf", "loaves"),
        ("tbl_order_lines", "order lines"),
        ("ovens_data", "ovens"),
        ("price_list", "prices"),
        ("ProductTemplate", "product templates"),
        ("staff_people", "staff people"),
        ("baker_in_shift", None),
        ("xq7z", None),
        ("oven_names", None),
    ],
)
def test_nouns_of_tables(table: str, noun: str | None) -> None:
    assert table_noun(table) == noun


@pytest.mark.parametrize(
    ("column", "phrase"),
    [
        ("creditLimit", "credit limit"),
        ("unitprice", "unit price"),
        ("num_of_oven", "number of ovens"),
        ("Num_Staff", "number of staff"),
        ("shop_id", "shop id"),
        ("MPG", "MPG"),
        ("date_of_sale", "date of sale"),
        ("is_open", None),
        ("qzx", None),
        ("quickly", None),
    ],
)
def test_phrases_of_columns(column: str, phrase: str | None) -> None:
    assert column_phrase(column) == phrase


def test_plurals_and_measures() -> None:
    assert phrase_plural("date of sale") == "dates of sale"
    assert is_measure("weight")
    assert is_measure("open_year")
    assert is_measure("shop_code")
    assert not is_measure("airline")
    assert is_number_text(" 12.5 ")
    assert not is_number_text(12)
    assert not is_number_text("12a")
