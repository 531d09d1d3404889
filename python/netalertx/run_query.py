#!/usr/bin/env python3
"""Runs the one query of a plugin whose data source is a database, and writes its rows as a result file.

The query can do nothing but read: both files are opened read-only, and no third one can be attached.
A failure is one line on standard error and exit status 1; the result file is then left alone.
"""

import argparse
import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "server"))

from utils import result_file  # noqa: E402

BUSY_SECONDS = 5
_REFUSED = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA)
# The secondary id and the last two watched values: there an empty text becomes `null` too.
_OPTIONAL = (1, 5, 6)


class QueryError(Exception):
    """What is wrong and where, on one line."""


def open_databases(database, attach=None, name=None):
    """A connection that reads `database` and, as schema `name`, the file `attach`. Raises QueryError."""
    path = database
    try:
        connection = sqlite3.connect(_uri(database), uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        connection.text_factory = _text
        # A file that is locked or no database shows only when it is read.
        connection.execute("SELECT count(*) FROM main.sqlite_master")
        if attach:
            path = attach
            connection.execute("ATTACH ? AS ?", (_uri(attach), name))
            connection.execute(f'SELECT count(*) FROM "{name}".sqlite_master')
    except OSError as error:
        raise QueryError(f"{path}: {error.strerror}") from error
    except (sqlite3.Error, ValueError) as error:
        raise QueryError(f"{path}: {error}") from error
    # VACUUM INTO, which would write a file, attaches it too.
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action in _REFUSED else sqlite3.SQLITE_OK)
    return connection


def read_rows(connection, sql):
    """The rows of the one SELECT, each 9 or 13 texts as the result file has them. Raises QueryError."""
    try:
        cursor = connection.execute(sql)
        count = len(cursor.description or ())
        if count not in (9, 13):
            raise QueryError(f"the query gives {count} columns, and 9 or 13 are wanted")
        for values in cursor:
            texts = ["null" if value is None else _text(value) if isinstance(value, bytes) else str(value)
                     for value in values]
            for at in _OPTIONAL:
                texts[at] = texts[at] or "null"
            if texts[0] not in ("", "null"):
                yield texts
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise QueryError(f"the query: {error}") from error


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Writes the rows of a query as a result file.")
    parser.add_argument("--database", required=True, help="app.db")
    parser.add_argument("--attach", help="another database file that the query reads")
    parser.add_argument("--name", help="the schema name of that file")
    parser.add_argument("--result", required=True, help="the result file to write")
    parser.add_argument("--sql-file", required=True, help="the file that holds the query")
    options = parser.parse_args(arguments)
    if bool(options.attach) != bool(options.name):
        parser.error("--attach and --name go together")
    try:
        sql = pathlib.Path(options.sql_file).read_text(encoding="utf-8", errors="replace")
        rows = list(read_rows(open_databases(options.database, options.attach, options.name), sql))
        result_file.replace(options.result, map(result_file.row, rows))
    except (OSError, QueryError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    return 0


def _uri(path):
    path = pathlib.Path(path).resolve()  # where SQLite looks for the log
    uri = path.as_uri() + "?mode=ro"
    with open(path, "rb") as file:
        logged = file.read(20)[18:] == b"\2\2"
    # If nobody has a file with a write-ahead log open, SQLite would make a log and leave it beside the file, or fail
    # in a folder that it cannot write to. All is in the file itself then.
    return uri if not logged or pathlib.Path(f"{path}-wal").exists() else f"{uri}&immutable=1"


def _text(value):
    return value.decode("utf-8", errors="replace")


if __name__ == "__main__":
    sys.exit(main())
