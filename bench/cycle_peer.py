"""The peer of cycle_bench: a scan pass as a set-based program over Python's sqlite3.

    cycle_peer.py DATABASE API_FOLDER RESULT...

DATABASE has the tables of app.db, empty. Each result file is a pass: its rows become objects, devices, presence,
events, sessions, a line of the history of who is online and a notification, and the JSON files of the API folder are
written. Prints the seconds of processor time of each as JSON. What takes the original a statement per row is one
statement for all of them here, with temporary tables and indexes where they help. It keeps no journal, no claims of
losing sources and no edits by people, resolves no names, and lets nobody in between.
"""

import hashlib
import json
import pathlib
import resource
import sqlite3
import sys
import uuid

PREFIX = "SCAN"
SNAPSHOTS = {
    "table_devices": "SELECT * FROM DevicesView",
    "table_plugins_objects": "SELECT * FROM Plugins_Objects",
    "table_plugins_events": "SELECT * FROM Plugins_Events",
    "table_plugins_history": "SELECT * FROM Plugins_History ORDER BY dateTimeChanged DESC",
    "table_events": "SELECT rowid, * FROM Events ORDER BY eveDateTime DESC",
    "table_events_pending_alert": "SELECT * FROM Events WHERE evePendingAlertEmail <> 0",
    "table_notifications": "SELECT * FROM Notifications",
    "table_online_history": "SELECT * FROM Online_History",
}


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def connect(file):
    db = sqlite3.connect(file, isolation_level=None, cached_statements=200)
    db.row_factory = sqlite3.Row
    db.executescript("""
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = NORMAL;
        PRAGMA cache_size = -64000;
        PRAGMA temp_store = MEMORY;
        CREATE TEMP TABLE line (n INTEGER PRIMARY KEY, mac TEXT COLLATE NOCASE, ip, at, name, vendor, w3, w4, extra, f,
            h1, h2, h3, h4);
        CREATE INDEX line_mac ON line (mac);
    """)
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f'DROP TRIGGER "{name}"')
    return db


def rows(text):
    for line in text.splitlines():
        row = line.split("|")
        if len(row) == 13:
            yield row


def scan(db, file, now):
    scope = {"p": PREFIX, "now": now}

    def run(sql, **more):
        return db.execute(sql, scope | more)

    db.execute("BEGIN IMMEDIATE")
    db.execute("DELETE FROM line")
    db.executemany("INSERT INTO line (mac, ip, at, name, vendor, w3, w4, extra, f, h1, h2, h3, h4) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows(file.read_text(encoding="utf-8")))
    take_objects(run)
    take_devices(run)
    report(db, run, now)
    db.execute("COMMIT")


def take_objects(run):
    run("""CREATE TEMP TABLE merged AS SELECT o."index" AS id, l.n, o.watchedValue1 <> l.name AS changed
        FROM line l LEFT JOIN Plugins_Objects o ON o.plugin = :p AND o.objectPrimaryId = l.mac
            AND o.objectSecondaryId = l.ip""")
    run("CREATE INDEX temp.merged_id ON merged (id)")
    run("""INSERT INTO Plugins_Objects (plugin, objectPrimaryId, objectSecondaryId, dateTimeCreated, dateTimeChanged,
            watchedValue1, watchedValue2, watchedValue3, watchedValue4, "status", extra, userData, foreignKey,
            helpVal1, helpVal2, helpVal3, helpVal4)
        SELECT :p, l.mac, l.ip, l.at, :now, l.name, l.vendor, l.w3, l.w4, 'new', l.extra, 'null', l.f, l.h1, l.h2,
            l.h3, l.h4 FROM merged m JOIN line l USING (n) WHERE m.id IS NULL""")
    run("""UPDATE Plugins_Objects SET watchedValue1 = l.name, watchedValue2 = l.vendor, watchedValue3 = l.w3,
            watchedValue4 = l.w4, extra = l.extra, foreignKey = l.f, helpVal1 = l.h1, helpVal2 = l.h2,
            helpVal3 = l.h3, helpVal4 = l.h4,
            "status" = CASE WHEN m.changed THEN 'watched-changed' ELSE 'watched-not-changed' END,
            dateTimeChanged = CASE WHEN m.changed THEN :now ELSE dateTimeChanged END
        FROM merged m JOIN line l USING (n) WHERE Plugins_Objects."index" = m.id""")
    run("""UPDATE Plugins_Objects SET "status" = 'missing-in-last-scan',
            dateTimeChanged = CASE WHEN "status" = 'missing-in-last-scan' THEN dateTimeChanged ELSE :now END
        WHERE plugin = :p AND "index" NOT IN (SELECT id FROM merged WHERE id IS NOT NULL) AND dateTimeCreated <> :now
            AND NOT ("status" = 'new' AND dateTimeChanged = :now)""")
    run("""INSERT INTO Plugins_History (plugin, objectPrimaryId, objectSecondaryId, dateTimeCreated, dateTimeChanged,
            watchedValue1, watchedValue2, watchedValue3, watchedValue4, "status", extra, userData, foreignKey,
            helpVal1, helpVal2, helpVal3, helpVal4)
        SELECT plugin, objectPrimaryId, objectSecondaryId, dateTimeCreated, dateTimeChanged, watchedValue1,
            watchedValue2, watchedValue3, watchedValue4, "status", extra, userData, foreignKey, helpVal1, helpVal2,
            helpVal3, helpVal4 FROM Plugins_Objects WHERE plugin = :p AND dateTimeChanged = :now""")
    run("DROP TABLE temp.merged")


def take_devices(run):
    run("""INSERT OR IGNORE INTO Events (eveMac, eveIp, eveDateTime, eveEventType, eveAdditionalInfo,
            evePendingAlertEmail)
        SELECT devMac, devLastIP, :now, CASE WHEN devAlertDown THEN 'Device Down' ELSE 'Disconnected' END, '',
            CASE WHEN devAlertDown THEN 1 ELSE devAlertEvents END
        FROM Devices WHERE devPresentLastScan = 1 AND devMac NOT IN (SELECT mac FROM line)""")
    run("""INSERT OR IGNORE INTO Events (eveMac, eveIp, eveDateTime, eveEventType, eveAdditionalInfo,
            evePendingAlertEmail)
        SELECT l.mac, l.ip, :now, 'Connected', '', 1 FROM line l LEFT JOIN Devices d ON d.devMac = l.mac
        WHERE d.devMac IS NULL OR d.devPresentLastScan = 0""")
    run("""INSERT OR IGNORE INTO Events (eveMac, eveIp, eveDateTime, eveEventType, eveAdditionalInfo,
            evePendingAlertEmail)
        SELECT l.mac, l.ip, :now, 'IP Changed', 'Previous IP: ' || d.devLastIP, d.devAlertEvents
        FROM line l JOIN Devices d ON d.devMac = l.mac WHERE l.ip <> d.devLastIP""")
    run("""INSERT OR IGNORE INTO Events (eveMac, eveIp, eveDateTime, eveEventType, eveAdditionalInfo,
            evePendingAlertEmail)
        SELECT l.mac, l.ip, :now, 'New Device', l.vendor, 1 FROM line l LEFT JOIN Devices d ON d.devMac = l.mac
        WHERE d.devMac IS NULL""")
    run("""INSERT OR IGNORE INTO Devices (devMac, devName, devVendor, devLastIP, devPrimaryIPv4, devPrimaryIPv6,
            devFirstConnection, devLastConnection, devPresentLastScan, devSourcePlugin, devMacSource, devNameSource,
            devLastIPSource, devVendorSource, devGUID, devParentRelType)
        SELECT mac, name, vendor, ip, ip, '', :now, :now, 1, :p, :p, :p, :p, :p, LOWER(HEX(RANDOMBLOB(16))), 'default'
        FROM line""")
    run("""UPDATE Devices SET devName = l.name, devLastIP = l.ip, devPrimaryIPv4 = l.ip, devLastConnection = :now,
            devVendor = CASE WHEN COALESCE(devVendor, '') = '' THEN l.vendor ELSE devVendor END,
            devNameSource = :p, devLastIPSource = :p
        FROM line l WHERE Devices.devMac = l.mac AND devNameSource NOT IN ('USER', 'LOCKED')""")
    run("UPDATE Devices SET devPresentLastScan = devMac IN (SELECT mac FROM line)")
    # Each that came points to the next that went, and back.
    run("""UPDATE Events SET evePairEventRowid = (SELECT MIN(later.rowid) FROM Events later
            WHERE later.eveMac = Events.eveMac AND later.rowid > Events.rowid
                AND later.eveEventType IN ('Disconnected', 'Device Down'))
        WHERE evePairEventRowid IS NULL AND eveEventType IN ('New Device', 'Connected', 'Down Reconnected')
            AND eveMac IN (SELECT eveMac FROM Events WHERE eveDateTime = :now
                AND eveEventType IN ('Disconnected', 'Device Down'))""")
    run("""INSERT INTO Sessions (sesMac, sesIp, sesEventTypeConnection, sesDateTimeConnection,
            sesEventTypeDisconnection, sesDateTimeDisconnection, sesStillConnected, sesAdditionalInfo)
        SELECT eveMac, eveIp, eveEventType, eveDateTime, '<missing event>', NULL, 1, '' FROM Events
        WHERE eveDateTime = :now AND eveEventType IN ('Connected', 'Down Reconnected')""")
    run("""UPDATE Sessions SET sesEventTypeDisconnection = e.eveEventType, sesDateTimeDisconnection = e.eveDateTime,
            sesStillConnected = 0
        FROM Events e WHERE e.eveDateTime = :now AND e.eveEventType IN ('Disconnected', 'Device Down')
            AND e.eveMac = Sessions.sesMac AND Sessions.sesStillConnected = 1""")
    run("""INSERT INTO Online_History (scanDate, onlineDevices, downDevices, allDevices, archivedDevices,
            offlineDevices)
        SELECT :now, SUM(devPresentLastScan), SUM(devAlertDown AND NOT devPresentLastScan), COUNT(*),
            SUM(devIsArchived), COUNT(*) - SUM(devIsArchived) - SUM(devPresentLastScan) FROM Devices""")


def report(db, run, now):
    columns = "d.devName, e.eveMac, d.devVendor, e.eveIp, e.eveDateTime, e.eveEventType, d.devComments, d.devVlan, " \
              "d.devSite, d.devSSID"
    sections = {"new_devices": ("🆕 New devices", "'New Device'"), "down_devices": ("🔴 Down devices", "'-'"),
                "events": ("⚡ Events", "'Connected', 'Disconnected', 'IP Changed'")}
    content, text, html = {}, [], []
    for name, (title, kinds) in sections.items():
        found = [dict(row) for row in db.execute(
            f"SELECT {columns} FROM Events e JOIN Devices d ON d.devMac = e.eveMac WHERE e.evePendingAlertEmail = 1 "
            f"AND e.eveEventType IN ({kinds}) ORDER BY e.rowid")]
        content[name] = found
        content[f"{name}_meta"] = {"title": title, "columnNames": list(found[0]) if found else []}
        if not found:
            continue
        text += [title, "---------"]
        html += [f"<h3>{title}</h3><table>"]
        for row in found:
            text += [f"{key}: \t{value}" for key, value in row.items()] + [""]
            html += ["<tr>" + "".join(f"<td>{value}</td>" for value in row.values()) + "</tr>"]
        html += ["</table>"]
    if text:
        db.execute("INSERT INTO Notifications (guid, dateTimeCreated, dateTimePushed, status, json, text, html, "
                   "publishedVia, extra) VALUES (?, ?, '', 'processed', ?, ?, ?, '', '')",
                   (str(uuid.uuid4()), now, json.dumps(content, ensure_ascii=False), "\n".join(text), "".join(html)))
    run("""UPDATE Devices SET devLastNotification = :now WHERE devMac IN
        (SELECT eveMac FROM Events WHERE evePendingAlertEmail = 1)""")
    run("UPDATE Events SET evePendingAlertEmail = 0 WHERE evePendingAlertEmail = 1 AND eveEventType <> 'Device Down'")
    run("DELETE FROM Plugins_Events")


def snapshots(db, folder, hashes):
    for name, sql in SNAPSHOTS.items():
        content = json.dumps({"data": [dict(row) for row in db.execute(sql)]}).encode()
        digest = hashlib.md5(content).digest()
        if hashes.get(name) != digest:
            (folder / f"{name}.json").write_bytes(content)
            hashes[name] = digest


def main():
    db = connect(sys.argv[1])
    folder = pathlib.Path(sys.argv[2])
    hashes, seconds = {}, []
    for number, file in enumerate(sys.argv[3:]):
        before = cpu()
        scan(db, pathlib.Path(file), f"2026-08-22 10:{number:02}:00")
        snapshots(db, folder, hashes)
        seconds.append(cpu() - before)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
