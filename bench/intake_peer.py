"""The peer of intake_bench: the same intake as a set-based program over Python's sqlite3.

    intake_peer.py FOLDER

Reads FOLDER/new.log, unchanged.log and changed.log in turn into FOLDER/peer.db, which has our
schema, and prints the seconds of processor time of each. One transaction per file: the rows go
into a temporary table, and statements over the whole set do the rest. What it leaves in the
folded tables is what ours leaves there; it keeps no journal, checks no addresses, and lets
nobody in between.
"""

import pathlib
import resource
import sqlite3
import sys
import time

PLUGIN = "netalertx:ROWS"
SOURCE = "ROWS"
VALUES = ("primary_id, secondary_id, watched1, watched2, watched3, watched4, extra, foreign_key, help1, help2, help3, "
          "help4")
FIELDS = {"mac": "empty", "ip": "always", "name": "always", "vendor": "empty"}  # in the order of the claims


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def connect(file):
    db = sqlite3.connect(file, isolation_level=None, cached_statements=200)
    db.executescript("""
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = NORMAL;
        PRAGMA cache_size = -64000;
        PRAGMA temp_store = MEMORY;
        CREATE TEMP TABLE line (n INTEGER PRIMARY KEY, primary_id, secondary_id, watched1, watched2, watched3,
            watched4, extra, foreign_key, help1, help2, help3, help4, ip_key);
        CREATE TEMP TABLE seen (n INTEGER PRIMARY KEY, object, object_new, object_changed, device, device_new, key,
            watch_key, mac, ip, name, vendor);
        CREATE TEMP TABLE change (n, place, device, field, value, was, wins, loser,
            PRIMARY KEY (n, place)) WITHOUT ROWID;
    """)
    return db


def rows(text):
    for line in text.splitlines():
        row = line.split("|")
        if len(row) == 13:
            yield (row[0], row[1], *row[3:], "4%03d%03d%03d%03d" % tuple(map(int, row[1].split("."))))


def intake(db, file, entry, at):
    scope = {"plugin": PLUGIN, "source": SOURCE, "entry": entry, "at": at}

    def run(sql):
        db.execute(sql, scope)

    db.execute("BEGIN IMMEDIATE")
    db.executemany(
        "INSERT INTO line (primary_id, secondary_id, watched1, watched2, watched3, watched4, extra, foreign_key, "
        "help1, help2, help3, help4, ip_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows(file.read_text(encoding="utf-8")))
    scope["objects"] = db.execute("SELECT COALESCE(MAX(id), 0) FROM object").fetchone()[0]
    scope["devices"] = db.execute("SELECT COALESCE(MAX(id), 0) FROM entity").fetchone()[0]
    run("""INSERT INTO seen
        SELECT l.n,
            CASE WHEN o.id IS NULL THEN :objects + ROW_NUMBER() OVER (PARTITION BY o.id IS NULL ORDER BY l.n)
                 ELSE o.id END,
            o.id IS NULL,
            o.id IS NOT NULL AND (o.watch_key <> l.watched1 || '|' || l.watched2 OR o.status = 'missing'),
            CASE WHEN i.entity IS NULL THEN :devices + ROW_NUMBER() OVER (PARTITION BY i.entity IS NULL ORDER BY l.n)
                 ELSE i.entity END,
            i.entity IS NULL,
            l.primary_id || '|' || l.secondary_id, l.watched1 || '|' || l.watched2,
            LOWER(l.primary_id), l.secondary_id, l.watched1, l.watched2
        FROM line l
        LEFT JOIN object o ON o.org = 1 AND o.plugin = :plugin AND o.object_key = l.primary_id || '|' || l.secondary_id
        LEFT JOIN identifier i ON i.org = 1 AND i.scheme = 'mac' AND i.value = LOWER(l.primary_id)
        ORDER BY l.n""")

    take_objects(run)
    take_devices(run)
    take_presence(db, scope, run)
    append_events(run)
    run("DELETE FROM line")
    run("DELETE FROM seen")
    run("DELETE FROM change")
    db.execute("COMMIT")


def take_objects(run):
    run("""INSERT INTO object (id, org, plugin, object_key, primary_id, secondary_id, watched1, watched2, watched3,
            watched4, extra, foreign_key, help1, help2, help3, help4, watch_key, status, created, changed, entry,
            touched)
        SELECT s.object, 1, :plugin, s.key, l.primary_id, l.secondary_id, l.watched1, l.watched2, l.watched3,
            l.watched4, l.extra, l.foreign_key, l.help1, l.help2, l.help3, l.help4, s.watch_key, 'new', :at, :at,
            :entry, :entry
        FROM seen s JOIN line l USING (n) WHERE s.object_new ORDER BY s.n""")
    columns = ["watched1", "watched2", "watched3", "watched4", "extra", "foreign_key", "help1", "help2", "help3", "help4"]
    run(f"""UPDATE object SET {", ".join(f"{column} = l.{column}" for column in columns)},
            status = CASE WHEN object.watch_key <> s.watch_key THEN 'changed' ELSE 'unchanged' END,
            changed = CASE WHEN object.watch_key <> s.watch_key THEN :at ELSE object.changed END,
            watch_key = s.watch_key, touched = :entry
        FROM seen s JOIN line l USING (n) WHERE object.id = s.object AND NOT s.object_new
            AND (object.status <> 'unchanged' OR object.watch_key <> s.watch_key
                 OR ({", ".join(f"object.{c}" for c in columns)}) <> ({", ".join(f"l.{c}" for c in columns)}))""")
    run("UPDATE object SET entry = :entry FROM seen s WHERE object.id = s.object AND NOT s.object_new")
    run(f"""INSERT INTO object_history (org, object, run, at, plugin, status, created, changed, {VALUES})
        SELECT 1, o.id, :entry, :at, o.plugin, o.status, o.created, o.changed, {VALUES}
        FROM seen s JOIN object o ON o.id = s.object WHERE s.object_new OR s.object_changed ORDER BY s.n""")


def take_devices(run):
    run("""INSERT INTO entity (id, org, kind, first_seen, last_seen, touched, changed, since, came, ip4, ip_key)
        SELECT device, 1, 'device', :at, :at, :entry, :entry, :at, :entry, ip, ip_key
        FROM seen JOIN line USING (n) WHERE device_new ORDER BY n""")
    run("""INSERT INTO identifier (org, scheme, value, entity)
        SELECT 1, 'mac', mac, device FROM seen WHERE device_new ORDER BY mac""")
    said = " UNION ALL ".join(
        f"SELECT n, {place} AS place, device, '{field}' AS field, {field} AS value, '{policy}' AS policy FROM seen"
        for place, (field, policy) in enumerate(FIELDS.items()))
    # What this source says now and did not say before, and whether it wins.
    run(f"""INSERT INTO change
        SELECT s.n, s.place, s.device, s.field, s.value, COALESCE(w.value, ''),
            l.field IS NULL AND COALESCE(w.source, '') <> 'person' AND (s.policy = 'always' OR w.value IS NULL),
            CASE WHEN w.source <> :source THEN w.source END
        FROM ({said}) s
        LEFT JOIN claim c ON c.entity = s.device AND c.field = s.field AND c.source = :source
        LEFT JOIN claim w ON w.entity = s.device AND w.field = s.field AND w.wins
        LEFT JOIN field_lock l ON l.entity = s.device AND l.field = s.field
        WHERE s.value NOT IN ('', 'null', '(unknown)') AND (c.value IS NULL OR c.value <> s.value)""")
    run("""UPDATE claim SET wins = 0 FROM change c
        WHERE c.wins AND c.loser IS NOT NULL AND claim.entity = c.device AND claim.field = c.field
            AND claim.source = c.loser""")
    run("""INSERT INTO claim (entity, field, source, value, at, wins)
        SELECT device, field, :source, value, :at, wins FROM change
        WHERE wins OR loser IS NOT NULL OR was = '' ORDER BY device, field
        ON CONFLICT (entity, field, source) DO UPDATE SET value = excluded.value, at = excluded.at,
            wins = excluded.wins""")
    values = ", ".join(f"MAX(value) FILTER (WHERE field = '{field}') AS {field}" for field in FIELDS)
    taken = ", ".join(f"{field} = COALESCE(c.{field}, entity.{field})" for field in FIELDS)
    search = " || char(10) || ".join(f"COALESCE(c.{field}, entity.{field})" for field in ("name", "mac", "ip", "vendor"))
    run(f"""UPDATE entity SET {taken}, revision = revision + 1, changed = :entry,
            search = LOWER({search} || char(10) || entity.fqdn)
        FROM (SELECT device, {values} FROM change WHERE wins AND value <> was GROUP BY n) c WHERE entity.id = c.device""")
    run("UPDATE entity SET last_seen = MAX(last_seen, :at), touched = :entry FROM seen WHERE entity.id = seen.device")
    run("""INSERT INTO sighting (entity, source, first_at, last_at, entry, plugin)
        SELECT device, :source, :at, :at, :entry, :plugin FROM seen WHERE TRUE ORDER BY device
        ON CONFLICT (entity, source) DO UPDATE SET last_at = excluded.last_at, entry = excluded.entry""")


def take_presence(db, scope, run):
    """Devices that come. Of those that go there are none, which has to be found out."""
    scope["device_events"] = db.execute("SELECT COALESCE(MAX(id), 0) FROM device_event").fetchone()[0]
    run("""INSERT INTO device_event (org, entity, kind, at, mac, ip, info, pending, touched)
        SELECT 1, device, kind, :at, mac, ip, info, 1, :entry FROM (
            SELECT n, 0 AS place, device, 'new' AS kind, mac, ip, vendor AS info FROM seen WHERE device_new
            UNION ALL SELECT n, 1, device, 'connected', mac, ip, '' FROM seen WHERE device_new) ORDER BY n, place""")
    run("""INSERT INTO device_session (org, entity, mac, ip, began, began_by, ended_by, touched)
        SELECT 1, device, mac, ip, :at, 'new', '', :entry FROM seen WHERE device_new ORDER BY n""")
    gone = db.execute("""SELECT COUNT(*) FROM sighting s JOIN entity e ON e.id = s.entity
        WHERE s.plugin = :plugin AND s.entry <> :entry AND e.came <> 0 AND s.entry >= e.came""", scope).fetchone()[0]
    if gone:
        sys.exit("somebody is gone")
    run("""INSERT INTO scanner (org, plugin, every, began, at, entry) VALUES (1, :plugin, 300000, :at, :at, :entry)
        ON CONFLICT (org, plugin) DO UPDATE SET began = excluded.began, at = excluded.at, entry = excluded.entry""")


def append_events(run):
    run("""INSERT INTO event (org, topic, at, plugin, entity, run, body)
        SELECT 1, topic, :at, :plugin, entity, :entry, body FROM (
            SELECT n, 0 AS place, CASE WHEN object_new THEN 'object.new' ELSE 'object.changed' END AS topic,
                0 AS entity, json_object('object', object, 'primary', mac, 'secondary', ip) AS body
            FROM seen WHERE object_new OR object_changed
            UNION ALL
            SELECT n, 1, 'device.new', device,
                json_object('name', name, 'mac', mac, 'ip', ip, 'vendor', vendor) FROM seen WHERE device_new
            UNION ALL
            SELECT n, 2, 'device.connected', device,
                json_object('event', :device_events + 2 * ROW_NUMBER() OVER (ORDER BY n), 'name', name, 'mac', mac,
                            'ip', ip) FROM seen WHERE device_new
            UNION ALL
            SELECT n, 1, 'device.changed', c.device, json_object('name', e.name, 'changes', json(c.changes))
            FROM (SELECT n, device, json_group_object(field, json_object('from', was, 'to', value)) AS changes
                  FROM change WHERE wins AND value <> was GROUP BY n) c
            JOIN seen USING (n) JOIN entity e ON e.id = c.device WHERE NOT seen.device_new
        ) ORDER BY n, place""")
    run("""INSERT INTO event (org, topic, at, plugin, entity, run, body)
        SELECT 1, 'object.missing', :at, :plugin, 0, :entry,
            json_object('object', id, 'primary', primary_id, 'secondary', secondary_id)
        FROM object WHERE org = 1 AND plugin = :plugin AND entry <> :entry AND status <> 'missing' ORDER BY id""")
    run(f"""INSERT INTO object_history (org, object, run, at, plugin, status, created, changed, {VALUES})
        SELECT 1, id, :entry, :at, plugin, 'missing', created, :at, {VALUES}
        FROM object WHERE org = 1 AND plugin = :plugin AND entry <> :entry AND status <> 'missing' ORDER BY id""")
    run("""UPDATE object SET status = 'missing', changed = :at, touched = :entry
        WHERE org = 1 AND plugin = :plugin AND entry <> :entry AND status <> 'missing'""")


def main():
    folder = pathlib.Path(sys.argv[1])
    db = connect(folder / "peer.db")
    for entry, name in enumerate(["new", "unchanged", "changed"], 1):
        start = cpu()
        intake(db, folder / f"{name}.log", entry, time.time_ns() // 1_000_000)
        print(f"{cpu() - start:.6f}", flush=True)


main()
