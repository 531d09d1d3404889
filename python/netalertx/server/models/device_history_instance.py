"""What changed on devices, and when."""

import contextlib

from database import get_temp_db_connection


class DevicesHistoryInstance:
    def prune_history(self, days):
        """Deletes what is older than `days` days, nothing if that is not above 0. Gives the number of rows deleted."""
        if days <= 0:
            return 0
        with contextlib.closing(get_temp_db_connection()) as connection:
            old = connection.execute("DELETE FROM DevicesHistory WHERE timestamp < datetime('now', ?)", (f"-{days} days",))
            return old.rowcount
