import sqlite3

import pytest


def test_rows_have_numbers_and_names_in_any_case(app):
    app.database()
    db = app.load("database").DB()
    db.open()
    (row,) = db.read("SELECT rowid, * FROM Devices WHERE devMac = ?", "AA:00:00:00:00:01")
    assert row[1] == row["devMac"] == row["DEVMAC"] == "aa:00:00:00:00:01"


@pytest.mark.parametrize("query, args", [
    ("DELETE FROM Devices", ()),
    ("SELECT * FROM Absent", ()),
    ("SELECT * FROM Devices WHERE devMac = ?", ()),
    ("SELECT 1; DELETE FROM Devices", ()),
])
def test_read_gives_none_for_what_it_cannot_read(app, capsys, query, args):
    kept = app.database()
    db = app.load("database").DB()
    db.open()
    assert db.read(query, *args) is None
    assert query in capsys.readouterr().out
    assert kept.execute("SELECT count(*) FROM Devices").fetchone() == (4,)


def test_a_statement_is_stored_at_once(app):
    kept = app.database()
    db = app.load("database").DB()
    db.open()
    db.sql.execute("UPDATE Devices SET devName = 'new' WHERE devMac = 'aa:00:00:00:00:01'")
    assert kept.execute("SELECT devName FROM Devices WHERE devMac = 'aa:00:00:00:00:01'").fetchone() == ("new",)
    assert db.commitDB() is True


def test_without_a_database_it_is_said_where_one_should_be(app, capsys):
    path = app.root / "data" / "db" / "app.db"
    database = app.load("database")
    with pytest.raises(sqlite3.OperationalError, match=f"^{path}: there is no database"):
        database.get_temp_db_connection()
    db = database.DB()
    db.open()
    assert f"{path}: there is no database" in capsys.readouterr().out
    assert db.read("SELECT 1") is None
    assert db.commitDB() is False
    with pytest.raises(sqlite3.OperationalError, match=f"^{path}: there is no database"):
        db.sql.execute("SELECT 1")
    assert not path.exists()


def test_what_is_no_database_is_named(app):
    path = app.root / "data" / "db" / "app.db"
    path.parent.mkdir()
    path.write_text("text" * 1000)
    with pytest.raises(sqlite3.OperationalError, match=f"^{path}: file is not a database"):
        app.load("database").get_temp_db_connection().execute("SELECT * FROM Devices")


def test_a_connection_of_ones_own(app):
    app.database()
    connection = app.load("database").get_temp_db_connection()
    assert connection.isolation_level is None
    assert connection.execute("PRAGMA busy_timeout").fetchone()[0] == 5000
    assert connection.execute("SELECT devName FROM Devices").fetchone()["DevName"] == "router"


def test_stats_are_those_of_the_newest_scan(app):
    connection = app.database()
    connection.executemany(
        "INSERT INTO Online_History (scanDate, onlineDevices, downDevices, allDevices, archivedDevices)"
        " VALUES (?, ?, ?, ?, ?)", [("2026-08-22 10:00:00", 5, 6, 7, 8), ("2026-08-21 10:00:00", 1, 2, 3, 4)])
    database = app.load("database")
    db = database.DB()
    db.open()
    row = database.get_device_stats(db)
    assert tuple(row) == (5, 6, 7, 8, 4, 3)
    assert [row[name] for name in ("online", "down", "all", "archived", "new", "unknown")] == list(row)


def test_before_the_first_scan_devices_are_counted(app):
    app.database()
    database = app.load("database")
    db = database.DB()
    db.open()
    assert tuple(database.get_device_stats(db)) == (1, 2, 4, 1, 4, 3)
