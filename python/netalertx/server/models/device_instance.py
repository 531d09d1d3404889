"""The devices that are known."""

import contextlib

from database import get_temp_db_connection


class DeviceInstance:
    """Every call opens the database for itself and raises sqlite3.OperationalError if it cannot."""

    def getAll(self):
        return _rows("SELECT * FROM Devices")

    def getUnknown(self):
        """The devices without a name."""
        return _rows("SELECT * FROM Devices WHERE devName IN ('(unknown)', '(name not found)', '')")

    def getOffline(self):
        return _rows("SELECT * FROM Devices WHERE devPresentLastScan = 0")

    def getDown(self):
        """The absent devices that someone wants to be told about, and that are not asleep."""
        return _rows(
            "SELECT * FROM DevicesView WHERE devAlertDown <> 0 AND devPresentLastScan = 0 AND devIsSleeping = 0")

    def getValueWithMac(self, column_name, devMac):
        """One column of the device, or None if there is no such device."""
        # In brackets: a wrong name in double quotes would be taken for a text.
        rows = _rows(f"SELECT [{column_name}] AS value FROM Devices WHERE devMac = ?", devMac)
        return rows[0]["value"] if rows else None


def _rows(query, *args):
    with contextlib.closing(get_temp_db_connection()) as connection:
        return [dict(row) for row in connection.execute(query, args)]
