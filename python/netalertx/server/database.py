"""The database file app.db, as scripts open it. The host makes and fills it; nothing here creates one."""

import pathlib
import sqlite3

from const import NULL_EQUIVALENTS_SQL, fullDbPath
from logger import mylog

BUSY_SECONDS = 5

_REST = f"""(SELECT count(*) FROM Devices WHERE devIsNew = 1) AS new,
           (SELECT count(*) FROM Devices WHERE devName IS NULL OR devName IN ({NULL_EQUIVALENTS_SQL})) AS unknown"""
_NEWEST = f"""
    SELECT onlineDevices AS online, downDevices AS down, allDevices AS "all", archivedDevices AS archived, {_REST}
    FROM Online_History ORDER BY scanDate DESC LIMIT 1"""
_COUNTED = f"""
    SELECT count(*) FILTER (WHERE devPresentLastScan = 1) AS online,
           count(*) FILTER (WHERE devAlertDown <> 0 AND devPresentLastScan = 0) AS down,
           count(*) AS "all",
           count(*) FILTER (WHERE devIsArchived = 1) AS archived,
           {_REST}
    FROM Devices"""


def get_temp_db_connection():
    """A connection of the caller's own: every statement is its own transaction, rows have names.

    Raises sqlite3.OperationalError, with the path, where there is no database.
    """
    path = pathlib.Path(fullDbPath).absolute()
    if not path.exists():
        raise sqlite3.OperationalError(f"{path}: there is no database (NETALERTX_DB names its folder)")
    try:
        # mode=rw: a missing file is an error, and not an empty database.
        connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA synchronous=NORMAL")
    except sqlite3.Error as error:
        raise sqlite3.OperationalError(f"{path}: {error}") from error
    connection.row_factory = sqlite3.Row
    return connection


class DB:
    """One connection and one cursor, `sql`, for a whole script."""

    def __init__(self):
        self.sql_connection = None
        self._cursor = None
        self._problem = "the database is not open"

    def open(self):
        """Never raises, since some scripts open what they do not use: it logs why, and `sql` raises it."""
        if self.sql_connection is not None:
            return
        try:
            self.sql_connection = get_temp_db_connection()
            self._cursor = self.sql_connection.cursor()
        except sqlite3.Error as error:
            self._problem = str(error)
            mylog("none", f"[Database] {error}")

    @property
    def sql(self):
        """The cursor. Raises sqlite3.OperationalError if the database is not open."""
        if self._cursor is None:
            raise sqlite3.OperationalError(self._problem)
        return self._cursor

    def read(self, query, *args):
        """The rows of a SELECT; None, with a line in the log, for other statements and for errors."""
        if not query.lstrip().upper().startswith("SELECT"):
            mylog("none", f"[Database] not a SELECT: {query}")
            return None
        try:
            return self.sql.execute(query, args).fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            mylog("none", f"[Database] {error}, in: {query}")
            return None

    def commitDB(self):
        """Whether there was an open database to commit to."""
        if self.sql_connection is None:
            return False
        self.sql_connection.commit()
        return True


def get_device_stats(db):
    """A row: devices online, down, all, archived, new and unknown.

    The first four are of the newest entry of Online_History; before the first scan they are counted.
    """
    rows = db.read(_NEWEST) or db.read(_COUNTED)
    return rows[0] if rows else None
