import sqlite3

import pytest


def last(rows):
    return [row["devMac"][-1] for row in rows]


def test_devices(app):
    app.database()
    devices = app.load("models.device_instance").DeviceInstance()
    assert last(devices.getAll()) == ["1", "2", "3", "4"]
    assert all(type(row) is dict for row in devices.getAll())
    assert last(devices.getUnknown()) == ["2", "3", "4"]
    assert last(devices.getOffline()) == ["2", "3", "4"]
    assert last(devices.getDown()) == ["2"]


def test_a_value_of_a_device(app):
    app.database()
    devices = app.load("models.device_instance").DeviceInstance()
    assert devices.getValueWithMac("devName", "AA:00:00:00:00:01") == "router"
    assert devices.getValueWithMac("devVendor", "aa:00:00:00:00:01") is None
    assert devices.getValueWithMac("devName", "aa:00:00:00:00:09") is None
    with pytest.raises(sqlite3.OperationalError, match="no such column: devNone"):
        devices.getValueWithMac("devNone", "aa:00:00:00:00:01")


def test_a_publisher_makes_its_table_and_reads_what_is_new(app):
    connection = app.database()
    db = app.load("database").DB()
    db.open()
    notifications = app.load("models.notification_instance").NotificationInstance(db)
    assert notifications.getNew() == []
    connection.executemany("INSERT INTO Notifications (guid, status, json, text, html) VALUES (?, ?, '{}', 't', '<b>')",
                           [("a", "new"), ("b", "processed")])
    # The table is there now.
    (row,) = app.load("models.notification_instance").NotificationInstance(db).getNew()
    assert (row["GUID"], row["JSON"], row["Text"], row["HTML"]) == ("a", "{}", "t", "<b>")
    columns = [row[1] for row in connection.execute("PRAGMA table_info(Notifications)")]
    assert columns == ["index", "guid", "dateTimeCreated", "dateTimePushed", "status", "json", "text", "html",
                       "publishedVia", "extra"]


def test_old_history_goes(app):
    connection = app.database()
    connection.execute("INSERT INTO DevicesHistory (devGUID, timestamp) VALUES"
                       " ('old', datetime('now', '-3 days')), ('young', datetime('now', '-1 day'))")
    history = app.load("models.device_history_instance").DevicesHistoryInstance()
    assert (history.prune_history(0), history.prune_history(-1)) == (0, 0)
    assert history.prune_history(2) == 1
    assert connection.execute("SELECT devGUID FROM DevicesHistory").fetchall() == [("young",)]


def test_without_a_database_every_model_says_so(app):
    devices = app.load("models.device_instance").DeviceInstance()
    history = app.load("models.device_history_instance").DevicesHistoryInstance()
    db = app.load("database").DB()
    for call in (devices.getAll, lambda: history.prune_history(1),
                 lambda: app.load("models.notification_instance").NotificationInstance(db)):
        with pytest.raises(sqlite3.OperationalError, match="database"):
            call()


def test_helpers_are_found_from_the_root_too(app, monkeypatch):
    monkeypatch.syspath_prepend(app.root / "app")
    (app.root / "app").mkdir()
    (app.root / "app" / "server").symlink_to(app.modules)
    assert app.load("server.plugins.plugin_helper").is_mac("aa:bb:cc:dd:ee:ff")
