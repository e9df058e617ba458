import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from performance.masking import label_of, without_values


@pytest.mark.parametrize(
    ("statement", "masked"),
    [
        ("SELECT 1 WHERE a = 'secret'", "SELECT ? WHERE a = ?"),
        ("SELECT 'it''s secret' AS x", "SELECT ? AS x"),
        (r"SELECT E'a\'secret' , 'b\', 'secret'", "SELECT ? , ?, ?"),
        ("SELECT $$secret's$$, $tag$secret$tag$", "SELECT ?, ?"),
        ("SELECT 'cut off in the secr", "SELECT ?"),
        ('SELECT "it\'s a column" FROM "t1"', 'SELECT "it\'s a column" FROM "t1"'),
        ("SELECT a -- don't\nFROM b /* it's */ WHERE c = -1.5e3", "SELECT a FROM b WHERE c = -?"),
        ("SELECT a FROM b WHERE c = $1 AND d = %s", "SELECT a FROM b WHERE c = $1 AND d = %s"),
        ("SELECT a FROM b WHERE c IN (%s, %s, %s)", "SELECT a FROM b WHERE c IN (…)"),
        ("SELECT a FROM b WHERE c IN (1, 2)", "SELECT a FROM b WHERE c IN (…)"),
        (r"INSERT INTO a VALUES ('\x736563726574'::bytea, U&'secret')", "INSERT INTO a VALUES (?::bytea, ?)"),
    ],
)
def test_values_are_taken_out(statement: str, masked: str) -> None:
    assert without_values(statement) == masked


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_no_text_that_psycopg_quotes_is_left(value: str) -> None:
    statement = sql.SQL("SELECT {} AS {}").format(sql.Literal(f"Zq{value}Zq"), sql.Identifier("x")).as_string()
    assert "Zq" not in without_values(statement)


def test_a_long_label_keeps_the_tables_rather_than_the_columns() -> None:
    columns = ", ".join(f'"posts_post"."column_{number}"' for number in range(30))
    assert label_of(f'SELECT {columns} FROM "posts_post" WHERE id = %s') == "SELECT … FROM posts_post WHERE id = %s"
