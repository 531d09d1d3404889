"""The reports that publishers send."""


class NotificationInstance:
    """The table Notifications behind an open database.DB; makes the table if it is missing."""

    def __init__(self, db):
        self.db = db
        db.sql.execute("""
            CREATE TABLE IF NOT EXISTS Notifications (
                "index" INTEGER PRIMARY KEY AUTOINCREMENT,
                guid TEXT UNIQUE,
                dateTimeCreated TEXT,
                dateTimePushed TEXT,
                status TEXT,
                json TEXT,
                text TEXT,
                html TEXT,
                publishedVia TEXT,
                extra TEXT)""")
        db.commitDB()

    def getNew(self):
        """The rows nobody has sent yet. Names of columns are found in any case: `row["GUID"]`."""
        return self.db.sql.execute("SELECT * FROM Notifications WHERE status = 'new'").fetchall()
