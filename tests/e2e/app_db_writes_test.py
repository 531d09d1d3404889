"""What scripts and people write into NetAlertX's app.db reaches the inventory, and nobody waits for anybody."""
import pathlib
import sqlite3
import subprocess
import sys

import pytest
import sites

MACS = [f"02:ad:00:00:00:0{i}" for i in range(1, 6)]

# Finds the devices that a file lists, and waits for another file before it says so, if that is asked for.
SCANNER = """
    import pathlib, time
    folder = pathlib.Path({folder!r})
    (folder / "scanning").touch()
    while (folder / "wait").exists():
        time.sleep(0.02)
    with open(RESULT, "w") as file:
        for i, mac in enumerate((folder / "found").read_text().split()):
            file.write(row(mac, f"10.0.9.{{i}}", "scanned", "acme"))
    """

# What the original's database-cleaning plugin does to the file, in our words.
CLEANER = """
    import sqlite3
    db = sqlite3.connect(os.environ["NETALERTX_DB"] + "/app.db", timeout=30, isolation_level=None)
    db.execute("REINDEX")
    for table, when, count in (("Online_History", "scanDate", 150), ("Plugins_History", "dateTimeChanged", 2),
                               ("Notifications", "dateTimeCreated", 100)):
        newest = f'SELECT "index" FROM {table} ORDER BY {when} DESC LIMIT {count}'
        db.execute(f'DELETE FROM {table} WHERE "index" NOT IN ({newest})')
    db.execute("DELETE FROM Events WHERE eveDateTime <= datetime('now', '+1 day')")
    db.execute("DELETE FROM Sessions WHERE sesDateTimeConnection <= datetime('now', '+1 day')")
    db.execute("DELETE FROM Devices WHERE devMac = '02:ad:00:00:00:02'")
    db.execute("UPDATE Devices SET devIsNew = 0 WHERE devIsNew = 1")
    db.execute("DELETE FROM Plugins_Objects WHERE objectPrimaryId = '02:ad:00:00:00:03'")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("ANALYZE")
    db.execute("VACUUM")
    db.execute("PRAGMA optimize")
    db.close()
    open(RESULT, "w").write(row("cleaned", "x"))
    """


class Scans:
    def __init__(self, site, folder):
        self.site, self.folder = site, pathlib.Path(folder)
        site.plugin("scanner", SCANNER.format(folder=str(folder)), devices=True)

    def scan(self, *macs):
        (self.folder / "found").write_text(" ".join(macs))
        run = self.site.run("SCANNER")
        assert run["status"] == "ok", (run, self.site.log)
        self.site.folded()
        return run


@pytest.fixture
def scans(site, tmp_path):
    """A site with a scanner that has found three devices; its daemon runs."""
    scans = Scans(site, tmp_path)
    yield scans


def open_app_db(site):
    return sqlite3.connect(site.data / "dialects/netalertx/data/db/app.db", timeout=30, isolation_level=None)


def ours(site):
    """What the scanner has found: the host that the daemon runs on is a device too."""
    return [one for one in site.devices() if one["mac"] in MACS]


def named(site, mac):
    return next((one for one in ours(site) if one["mac"] == mac), None)


def wait_for_row(db, sql, value):
    sites.wait_for(lambda: db.execute(sql).fetchone() == (value,), lambda: (sql, db.execute(sql).fetchall()))


def start(scans):
    scans.site.start()
    scans.scan(*MACS[:3])
    db = open_app_db(scans.site)
    wait_for_row(db, "SELECT COUNT(*) FROM Devices WHERE devMac LIKE '02:ad:%'", 3)
    return db


def test_a_value_written_during_a_scan_arrives_and_stays(scans):
    db = start(scans)
    (scans.folder / "wait").touch()
    (scans.folder / "scanning").unlink()
    run = scans.site.launch("SCANNER")
    sites.wait_for((scans.folder / "scanning").exists, "the scan goes on")
    done = subprocess.run([sys.executable, "-c", f"""
import sqlite3
db = sqlite3.connect({str(scans.site.data / "dialects/netalertx/data/db/app.db")!r}, timeout=30)
db.execute("UPDATE Devices SET devName = 'written', devComments = 'by hand' WHERE devMac = '{MACS[0]}'")
db.commit()
"""], check=False)
    assert done.returncode == 0
    sites.wait_for(lambda: named(scans.site, MACS[0])["name"] == "written", "the name is the core's")
    (scans.folder / "wait").unlink()
    assert scans.site.ended(run)["status"] == "ok"
    scans.scan(*MACS[:3])
    device = named(scans.site, MACS[0])
    assert device["name"] == "written" and device["comment"] == "by hand"
    shown = scans.site.command("devices", "show", str(device["id"]))
    assert "written" in shown.stdout and "app.db" in shown.stdout, shown.stdout + shown.stderr
    row = db.execute("SELECT devName, devNameSource, devComments FROM Devices WHERE devMac = ?", (MACS[0],)).fetchone()
    assert row == ("written", "app.db", "by hand")
    db.close()


def test_vacuum_while_following_and_a_reader_that_never_ends(scans):
    db = start(scans)
    reader = open_app_db(scans.site)
    reader.execute("BEGIN")
    assert reader.execute("SELECT COUNT(*) FROM Devices WHERE devMac LIKE '02:ad:%'").fetchone() == (3,)
    for i in range(3, 6):
        db.execute("UPDATE Devices SET devLocation = ? WHERE devMac = ?", (f"room {i}", MACS[0]))
        for statement in ("REINDEX", "ANALYZE", "VACUUM"):
            db.execute(statement)
        run = scans.scan(*MACS[:i])
        assert not run["message"], run
    wait_for_row(db, "SELECT COUNT(*) FROM Devices WHERE devMac LIKE '02:ad:%'", 5)
    wait_for_row(db, f"SELECT devLocation FROM Devices WHERE devMac = '{MACS[0]}'", "room 5")
    assert named(scans.site, MACS[0])["location"] == "room 5"
    assert reader.execute("SELECT COUNT(*) FROM Devices WHERE devMac LIKE '02:ad:%'").fetchone() == (3,)
    reader.close()
    db.close()


def test_a_writer_that_holds_the_file_delays_nobody_and_nothing_is_lost(scans):
    db = start(scans)
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE Devices SET devName = 'held' WHERE devMac = ?", (MACS[1],))
    assert scans.site.patch("/devices/1", {"set": {"owner": "me"}}).status == 200
    run = scans.scan(*MACS[:4])
    assert "app.db" in run["message"], run  # it started on what was there, and says so
    assert len(ours(scans.site)) == 4
    db.execute("COMMIT")
    sites.wait_for(lambda: named(scans.site, MACS[1])["name"] == "held", "the name is the core's")
    wait_for_row(db, "SELECT COUNT(*) FROM Devices WHERE devMac LIKE '02:ad:%'", 4)
    wait_for_row(db, "SELECT COUNT(*) FROM Devices WHERE devOwner = 'me'", 1)
    db.close()


def test_nothing_written_is_lost_or_doubled_when_the_daemon_is_killed(scans):
    db = start(scans)
    before = scans.site.events()[-1]["seq"]
    for i in range(5):
        db.execute("UPDATE Devices SET devComments = ?", (f"round {i}",))
        scans.site.stop(9)
        scans.site.start()
    sites.wait_for(lambda: all(one["comment"] == "round 4" for one in ours(scans.site)), "all is there")
    scans.scan(*MACS[:3])
    written = db.execute("SELECT DISTINCT devComments FROM Devices WHERE devMac LIKE '02:ad:%'").fetchall()
    assert written == [("round 4",)]
    told = [one for one in scans.site.events(before)
            if one["topic"] == "device.changed" and one["plugin"] == "netalertx:app.db"]
    assert len(told) <= 15, told
    db.close()


def test_a_cleaning_script_cleans(scans):
    scans.site.plugin("cleaner", CLEANER)
    db = start(scans)
    wait_for_row(db, "SELECT COUNT(*) > 0 FROM Events", 1)
    run = scans.site.run("CLEANER")
    assert run["status"] == "ok" and not run["message"], (run, scans.site.log)
    sites.wait_for(lambda: len(ours(scans.site)) == 2, "the device is deleted")
    assert "devices that a script has deleted, and that are deleted here too: 1" in scans.site.log
    sites.wait_for(lambda: not any(one["is_new"] for one in ours(scans.site)), "nothing is new")
    objects = {"plugin": "netalertx:SCANNER", "primary": MACS[2]}
    sites.wait_for(lambda: not scans.site.read("/objects", **objects)["objects"], "the object is gone")
    assert db.execute("SELECT COUNT(*) FROM Events WHERE eveMac LIKE '02:ad:%'").fetchone() == (0,)
    scans.scan(*MACS[:3])
    wait_for_row(db, "SELECT COUNT(*) FROM Devices WHERE devMac LIKE '02:ad:%'", 3)
    # Only what has happened since: what was deleted does not come back.
    events_of = "SELECT group_concat(DISTINCT eveMac) FROM Events WHERE eveMac LIKE '02:ad:%'"
    wait_for_row(db, events_of, MACS[1])
    assert scans.site.read("/objects", **objects)["objects"][0]["status"] == "new"
    db.close()
