"""A private installation for each test, as a run has it: folders, app.conf and a settings snapshot."""

import importlib
import json
import pathlib
import sqlite3
import sys

import pytest

SERVER = pathlib.Path(__file__).resolve().parents[1] / "netalertx" / "server"
# What scripts read of app.db. Notifications is not among it: publishers make it.
SCHEMA = """
    CREATE TABLE Devices (
        devMac STRING (50) PRIMARY KEY NOT NULL COLLATE NOCASE,
        devName STRING (50) NOT NULL DEFAULT '(unknown)',
        devVendor STRING (250),
        devLastIP STRING (50) NOT NULL DEFAULT '',
        devAlertDown INTEGER NOT NULL DEFAULT 0,
        devPresentLastScan INTEGER NOT NULL DEFAULT 0,
        devIsNew INTEGER NOT NULL DEFAULT 1,
        devIsArchived INTEGER NOT NULL DEFAULT 0,
        devCanSleep INTEGER DEFAULT 0);
    CREATE VIEW DevicesView AS SELECT Devices.rowid AS rowid, Devices.*, devCanSleep AS devIsSleeping FROM Devices;
    CREATE TABLE Online_History (
        "index" INTEGER PRIMARY KEY AUTOINCREMENT, scanDate TEXT, onlineDevices INTEGER, downDevices INTEGER,
        allDevices INTEGER, archivedDevices INTEGER, offlineDevices INTEGER);
    CREATE TABLE DevicesHistory (
        devGUID TEXT, timestamp TEXT, changedBy TEXT, changedColumn TEXT, oldValue TEXT, newValue TEXT);
    INSERT INTO Devices (devMac, devName, devLastIP, devAlertDown, devPresentLastScan, devIsArchived, devCanSleep)
    VALUES
        ('aa:00:00:00:00:01', 'router', '192.0.2.1', 1, 1, 0, 0),
        ('aa:00:00:00:00:02', '(unknown)', '192.0.2.2', 1, 0, 0, 0),
        ('aa:00:00:00:00:03', '(name not found)', '192.0.2.3', 1, 0, 1, 1),
        ('aa:00:00:00:00:04', '', '192.0.2.4', 0, 0, 0, 0);
"""


class Installation:
    modules = SERVER

    def __init__(self, root):
        self.root = root
        self.api = root / "api"
        self.log = root / "log"
        for folder in (self.api, self.log / "plugins", root / "data" / "config"):
            folder.mkdir(parents=True)
        (root / "data" / "config" / "app.conf").write_text("TIMEZONE='Asia/Tokyo'\n", encoding="utf-8")
        self.settings({"LOG_LEVEL": ("string", "verbose")})

    def settings(self, values, transformers=()):
        """Writes table_settings.json: {key: (data type, stored value)}."""
        rows = [{"setKey": key, "setValue": value,
                 "setType": str({"dataType": kind, "elements": [{"elementType": "input",
                                                                 "transformers": list(transformers)}]})}
                for key, (kind, value) in values.items()]
        path = self.api / "table_settings.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"data": rows}), encoding="utf-8")
        part.replace(path)

    def load(self, name):
        return importlib.import_module(name)

    def database(self):
        """Makes app.db; gives a connection to it."""
        path = self.root / "data" / "db" / "app.db"
        path.parent.mkdir()
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(SCHEMA)
        return connection


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.setenv("NETALERTX_APP", str(tmp_path / "app"))
    monkeypatch.setenv("NETALERTX_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NETALERTX_API", str(tmp_path / "api"))
    monkeypatch.setenv("NETALERTX_LOG", str(tmp_path / "log"))
    for name in ("NETALERTX_CONFIG", "NETALERTX_DB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "path", [str(SERVER), str(SERVER / "plugins"), *sys.path])
    # The modules read the environment at import, as in a fresh process.
    forget_modules()
    yield Installation(tmp_path)
    forget_modules()


def forget_modules():
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(SERVER)):
            del sys.modules[name]
