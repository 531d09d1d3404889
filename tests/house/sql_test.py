"""SQL is written in store/ only, in words that PostgreSQL knows too; what only SQLite understands
stays in store/sqlite. A dialect may carry the SQL of its ecosystem as text, in files that cannot
reach the store; and one whose ecosystem has an SQLite file of its own speaks to that in its files app_db*."""
import pathlib
import re

import pytest
from tree import CPP, NOT_PRODUCT, Problem, files, folder_order, includes, line_of, read, report, string_literals

SQLITE_ONLY = re.compile(
    r"\bINSERT\s+OR\b|\bREPLACE\s+INTO\b|\bAUTOINCREMENT\b|\b_?rowid\b|\bPRAGMA\b|\bWITHOUT\s+ROWID\b"
    r"|\bjson_extract\b|\bstrftime\s*\(|\bdatetime\s*\(|\bjulianday\s*\(|\bifnull\s*\("
    r"|\blast_insert_rowid\b|\bsqlite_\w+", re.IGNORECASE)
# A lower-case "glob" is an English word.
SQLITE_ONLY_UPPER = re.compile(r"\bGLOB\b")
# Only at the start of a literal or after a semicolon: elsewhere the words are prose.
STATEMENT = re.compile(
    r"(?:^|;|\\n)\s*(SELECT\b.+\bFROM\b|INSERT\s+(OR\s+\w+\s+)?INTO\b|UPDATE\s+[\w.]+\s+SET\b|DELETE\s+FROM\b"
    r"|(CREATE|DROP|ALTER)\s+(UNIQUE\s+|TEMP\s+|TEMPORARY\s+)?(TABLE|INDEX|VIEW|TRIGGER)\b|WITH\s+\w+\s+AS\s*\()",
    re.IGNORECASE | re.DOTALL)


def pieces(name, text):
    """[(line, SQL or other text)]: the literals of C++, the whole of an .sql file."""
    return string_literals(text) if name.suffix in CPP else [(1, text)]


def speaks_to_own_file(name):
    return name.match("src/dialects/*/app_db*")


def check_portable(name, text):
    problems = []
    if speaks_to_own_file(name):
        return problems
    for line, piece in pieces(name, text):
        for pattern in (SQLITE_ONLY, SQLITE_ONLY_UPPER):
            problems += [Problem(str(name), line + line_of(piece, match.start()) - 1,
                                 f"only SQLite understands {match.group()}") for match in pattern.finditer(piece)]
    return problems


def check_no_statement(name, text):
    if name.is_relative_to("src/dialects") and not any(i.startswith("store/") for _, i, _ in includes(text)):
        return []
    if speaks_to_own_file(name):
        return []
    return [Problem(str(name), line, f"SQL above store/: {piece.strip()[:60]}")
            for line, piece in pieces(name, text) if STATEMENT.search(piece)]


def product_files(*folders):
    return [name for name in files(*folders, suffixes=CPP | {".sql"}) if not NOT_PRODUCT.search(name.name)]


def test_sql_is_portable():
    names = [name for name in product_files("src") if not name.is_relative_to("src/store/sqlite")]
    problems = [p for name in names for p in check_portable(name, read(name))]
    assert not problems, report(problems)


def test_no_sql_above_the_store():
    order = folder_order()
    above = [f"src/{folder}" for folder in order[order.index("store") + 1:]] + ["src/main.cpp"]
    problems = [p for name in product_files(*above) for p in check_no_statement(name, read(name))]
    assert not problems, report(problems)


@pytest.mark.parametrize("text, wrong", [
    ('Execute("INSERT OR IGNORE INTO a VALUES (1)");', True),
    ('Execute("CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT)");', True),
    ('Execute("SELECT a "\n"FROM b WHERE rowid = 1");', True),
    ('Execute(R"(SELECT ifnull(a, 0)\nFROM b)");', True),
    ("#pragma once\nstd::strftime(buffer, size, format, &tm);", False),
    ('// PRAGMA in a comment\nExecute("SELECT a FROM b");', False),
    ('Execute("INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING");', False),
    ('Fail("no file matches the glob");', False),
    ('#include "store/sqlite/sqlite_database.h"', False),
])
def test_the_check_of_portability(text, wrong):
    assert bool(check_portable(pathlib.Path("src/store/a.cpp"), text)) == wrong


@pytest.mark.parametrize("text, wrong", [
    ('Query("SELECT a FROM b");', True),
    ('Query("select a "\n   "from b");', True),
    ('Query(R"(\n  UPDATE devices SET a = 1)");', True),
    ('Query("delete from a");', True),
    ('Fail("could not delete from the list");', False),
    ('Help("which devices to select from");', False),
    ("// SELECT a FROM b", False),
])
def test_the_check_of_statements(text, wrong):
    assert bool(check_no_statement(pathlib.Path("src/api/a.cpp"), text)) == wrong


def test_a_dialect_may_carry_the_sql_of_its_ecosystem_but_not_send_it():
    name, query = pathlib.Path("src/dialects/a/settings.cpp"), 'Default("SELECT a FROM b");'
    assert not check_no_statement(name, query)
    assert check_no_statement(name, f'#include "store/database.h"\n{query}')


def test_a_dialect_speaks_to_its_own_file_in_one_place():
    text = '#include "store/sqlite/sqlite_connection.h"\nExecute("INSERT OR IGNORE INTO a VALUES (1)");'
    for name, wrong in [("src/dialects/a/app_db_rows.cpp", False), ("src/dialects/a/prepare.cpp", True),
                        ("src/dialects/a/b/app_db.cpp", True), ("src/store/app_db.cpp", True), ("src/api/app_db.cpp", True)]:
        name = pathlib.Path(name)
        assert bool(check_portable(name, text)) == wrong, name
        assert bool(check_no_statement(name, text.replace("INSERT OR IGNORE", "INSERT"))) == wrong, name
