"""Compares a store, from outside, with what the scripts wrote down and what clients were told.

It knows what the rows of a run must lead to (new, changed, missing; one event each) and computes that
anew from the scripts' own copies, run by run in the order of acceptance. Whatever was lost, folded twice
or made up shows as a difference.
"""
import collections
import contextlib
import json
import sqlite3

SHOWN = 5
# How the script of a run may have ended for the status that its run has.
ENDS = {"ok": {0}, "failed": {3}}
CUT_SHORT = {"interrupted", "cancelled"}


PRESENCE = {"device.connected", "device.disconnected", "device.down", "device.reconnected", "device.ip_changed"}


class Record:
    """What one execution of a script wrote down."""

    def __init__(self, start):
        self.run, self.nonce = start["run"], start["nonce"]
        self.rows = self.code = self.end = None


def read_records(folder, prefix, problems):
    """run -> Record of one plugin. Lines are in the order in which they were written."""
    records, current = {}, None
    path = folder / f"{prefix}.log"
    for text in path.read_text().splitlines() if path.exists() else []:
        line = json.loads(text)
        if line["what"] == "overlap":
            problems.append(f"{prefix}: {line['nonce']} while {line['other']} ({line['of']}, {line['pid']}) lived")
        elif line["what"] == "start":
            if line["run"] in records:
                problems.append(f"{prefix}: run {line['run']} was executed twice")
            if current and current.end and current.end > line["at"]:
                problems.append(f"{prefix}: run {line['run']} started before run {current.run} ended")
            current = records[line["run"]] = Record(line)
        elif not current or line["nonce"] != current.nonce:
            problems.append(f"{prefix}: sign of life of {line['nonce']} in run {current and current.run}")
        elif line["what"] == "rows":
            current.rows = json.loads((folder / "rows" / f"{line['nonce']}.json").read_text())
        elif line["what"] == "end":
            current.code, current.end = line["code"], line["at"]
    return records


def read_drops(folder, prefix):
    """The rows of each result file that was left for a plugin, in order."""
    files = sorted(folder.glob(f"{prefix}.*.json"), key=lambda file: int(file.name.split(".")[1]))
    return [json.loads(file.read_text()) for file in files]


class Expected:
    """State and events that follow from the accepted runs."""

    def __init__(self):
        self.objects = {}  # (prefix, primary, secondary) -> [watched, status]
        self.devices = {}  # mac -> (ip, name)
        self.events = collections.Counter()  # (run, topic, prefix, what)

    def fold(self, prefix, kind, run, rows, complete):
        reported = set()
        for primary, secondary, watched in rows:
            key = (prefix, primary, secondary)
            reported.add(key)
            if key not in self.objects:
                self.objects[key] = [watched, "new"]
                self.events[(run, "object.new", prefix, f"{primary}|{secondary}")] += 1
            else:
                changed, back = self.objects[key][0] != watched, self.objects[key][1] == "missing"
                self.objects[key] = [watched, "changed" if changed else "unchanged"]
                if changed or back:
                    self.events[(run, "object.changed", prefix, f"{primary}|{secondary}")] += 1
            if kind == "devices":
                topic = "device.changed" if primary in self.devices else "device.new"
                if self.devices.get(primary) != (secondary, watched):
                    self.events[(run, topic, prefix, primary)] += 1
                self.devices[primary] = (secondary, watched)
        if complete:
            for key, state in self.objects.items():
                if key[0] == prefix and key not in reported and state[1] != "missing":
                    state[1] = "missing"
                    self.events[(run, "object.missing", prefix, f"{key[1]}|{key[2]}")] += 1


class Checker:
    def __init__(self, database, records, plugins, told, disturbed):
        self.db, self.folder, self.plugins, self.told, self.disturbed = database, records, plugins, told, disturbed
        self.prefixes = {f"netalertx:{prefix}": prefix for prefix in plugins}
        self.problems = []
        self.expected = Expected()
        self.runs = {row["id"]: row for row in self.query("SELECT * FROM run ORDER BY id")}
        self.entries = self.query("SELECT entry, kind, plugin, run, status FROM journal ORDER BY entry")
        self.all_events = self.query("SELECT seq, topic, plugin, entity, run, body FROM event ORDER BY seq")
        # What follows from a scan in its pass, and presence, have tests of their own.
        self.events = [event for event in self.all_events if event["plugin"] != "netalertx"
                       and not event["topic"].startswith(("cycle.", "notification.")) and event["topic"] not in PRESENCE]

    def query(self, sql):
        return [dict(row) for row in self.db.execute(sql)]

    def wrong(self, text):
        self.problems.append(text)

    def same(self, what, expected, found):
        """Compares two mappings, key by key."""
        different = [k for k in expected.keys() | found.keys() if expected.get(k) != found.get(k)]
        if different:
            some = [f"{key}: expected {expected.get(key)}, found {found.get(key)}"
                    for key in sorted(different, key=str)[:SHOWN]]
            self.wrong(f"{what}: {len(different)} differ: " + "; ".join(some))

    def check(self):
        records = {prefix: read_records(self.folder, prefix, self.problems) for prefix in self.plugins}
        self.check_executions(records)
        self.check_runs(records)
        self.check_journal()
        self.check_objects()
        self.check_devices()
        self.check_events()
        if self.told:
            self.check_told()
            self.check_edits()
        return self.problems

    def check_executions(self, records):
        for prefix, of_plugin in records.items():
            for run in of_plugin:
                if run not in self.runs or self.prefixes[self.runs[run]["plugin"]] != prefix:
                    self.wrong(f"{prefix}: run {run} was executed and is not in the store")

    def check_runs(self, records):
        """Each run against what its script wrote down; folds what was accepted, in order."""
        drops = {prefix: iter(read_drops(self.folder, prefix)) for prefix in self.plugins}
        for run, row in self.runs.items():
            prefix = self.prefixes[row["plugin"]]
            if row["cause"] == "file":
                self.check_drop(run, row, prefix, drops[prefix])
                continue
            record, status, taken = records[prefix].get(run), row["status"], row["taken"]
            rows = record.rows if record and record.rows else []
            per_row = 2 if self.plugins[prefix].kind == "devices" else 1
            name = f"{prefix}: run {run}, {status}"
            if row["refused"]:
                self.wrong(f"{name}: {row['refused']} rows were refused")
            if self.disturbed and not taken and not (record and record.end) and status in ("not_started", "failed"):
                pass
            elif status in ENDS:
                if record is None or record.code not in ENDS[status]:
                    self.wrong(f"{name}: its script ended with {record and record.code}")
                if taken != per_row * len(rows):
                    self.wrong(f"{name}: {taken} records were taken of {len(rows)} rows")
            elif status in CUT_SHORT:
                if taken not in (0, per_row * len(rows)):
                    self.wrong(f"{name}: {taken} records were taken of {len(rows)} rows")
            else:
                self.wrong(f"{name}: {row['message']}")
            if taken:
                self.expected.fold(prefix, self.plugins[prefix].kind, run, rows, complete=status in ENDS)
            if status != "ok":
                self.expected.events[(run, "run.failed", prefix, "")] += 1

        for prefix, left in drops.items():
            if lost := sum(1 for _ in left):
                self.wrong(f"{prefix}: {lost} result files that were left were never taken in")

    def check_drop(self, run, row, prefix, drops):
        """A run of a result file that was left: one cut short took nothing, the others take one after another."""
        name = f"{prefix}: run {run}, {row['status']}, of a file"
        if row["status"] == "interrupted":
            rows = []
        elif row["status"] == "ok" and (rows := next(drops, None)) is not None:
            self.expected.fold(prefix, self.plugins[prefix].kind, run, rows, complete=True)
        else:
            self.wrong(f"{name}: {row['message'] or 'one more than were left'}")
            rows = []
        if row["taken"] != len(rows) or row["refused"]:
            self.wrong(f"{name}: {row['taken']} records were taken and {row['refused']} refused of {len(rows)} rows")
        if row["status"] != "ok":
            self.expected.events[(run, "run.failed", prefix, "")] += 1

    def check_journal(self):
        # Those of passes, of what follows from them and of people belong to no run.
        accepted = [entry for entry in self.entries if entry["kind"] != "edit" and entry["run"]]
        should = {run: 1 for run, row in self.runs.items() if row["taken"] or row["status"] != "ok"}
        self.same("journal entries per run", should, dict(collections.Counter(entry["run"] for entry in accepted)))
        last = collections.defaultdict(int)
        for entry in accepted:
            run = self.runs.get(entry["run"])
            if run and entry["status"] != run["status"]:
                self.wrong(f"journal entry {entry['entry']} of run {run['id']}, {run['status']}: {entry['status']}")
            if entry["run"] < last[entry["plugin"]]:
                self.wrong(f"journal entry {entry['entry']} of run {entry['run']} after run {last[entry['plugin']]}")
            last[entry["plugin"]] = entry["run"]
        end = (self.entries[-1]["entry"] if self.entries else 0, 0)
        reached = [(row["entry"], row["position"])
                   for row in self.query("SELECT entry, position FROM watermark WHERE fold = 'core'")]
        if reached != [end]:
            self.wrong(f"the journal ends at {end}, but is folded up to {reached}")

    def check_objects(self):
        found = {}
        for row in self.query("SELECT * FROM object"):
            key = (self.prefixes[row["plugin"]], row["primary_id"], row["secondary_id"])
            found[key] = [row["watched1"], row["status"]]
        self.same("objects", self.expected.objects, found)

    def check_devices(self):
        entities = {row["id"]: row for row in self.query("SELECT * FROM entity")}
        macs = {row["entity"]: row["value"] for row in self.query("SELECT * FROM identifier WHERE scheme = 'mac'")}
        named = {attempt.device for attempt in self.told.edits if attempt.field == "name"} if self.told else set()
        expected, found = {}, {}
        for mac, (ip, name) in self.expected.devices.items():
            expected[mac] = (ip, name)
        for entity, row in entities.items():
            mac = macs.get(entity)
            # A name that a person may have set is compared with the edits.
            found[mac] = (row["ip"], expected.get(mac, ("", ""))[1] if entity in named else row["name"])
        self.same("devices", expected, found)
        changes = collections.Counter(event["entity"] for event in self.all_events if event["topic"] == "device.changed")
        self.same("revisions of devices", {entity: 1 + changes[entity] for entity in entities},
                  {entity: row["revision"] for entity, row in entities.items()})
        self.macs = macs

    def check_events(self):
        found, changed = collections.Counter(), collections.Counter()
        for event in self.events:
            if not event["run"]:
                continue  # an edit
            body = json.loads(event["body"])
            what = ""
            if event["topic"].startswith("object."):
                what = f"{body['primary']}|{body['secondary']}"
            elif event["topic"].startswith("device."):
                what = self.macs.get(event["entity"])
            found[(event["run"], event["topic"], self.prefixes[event["plugin"]], what)] += 1
            changed[event["run"]] += event["topic"] != "run.failed"
        self.same("events", self.expected.events, found)
        self.same("changes counted in runs", {run: changed[run] for run in self.runs},
                  {run: row["changed"] for run, row in self.runs.items()})

    def check_told(self):
        for text in self.told.wrong:
            self.wrong(f"an answer: {text}")
        called = [row for row in self.runs.values() if row["cause"] == "call"]
        keys = collections.Counter((row["plugin"], row["job_key"]) for row in called)
        for (plugin, key), times in keys.items():
            if times > 1:
                self.wrong(f"{plugin}: {times} runs for one key {key}")
        for key, (prefix, run) in self.told.started.items():
            row = self.runs.get(run)
            if not row or row["job_key"] != f"call/{key}" or self.prefixes[row["plugin"]] != prefix:
                self.wrong(f"{prefix}: a client was told of run {run} for {key}: {row and row['job_key']}")
        told = dict(self.told.ended)
        self.same("ends of runs that a client was told",
                  told, {run: (self.runs[run]["status"], self.runs[run]["taken"]) for run in told if run in self.runs})

    def check_edits(self):
        """An answered edit is in force unless a later one took its place; an unanswered one may be."""
        made = collections.Counter()
        for event in self.events:
            if not event["run"]:
                for field, change in json.loads(event["body"])["changes"].items():
                    made[(event["entity"], field, change["to"])] += 1
        claims = {(row["entity"], row["field"]): (row["value"], row["wins"])
                  for row in self.query("SELECT * FROM claim WHERE source = 'user'")}
        allowed = collections.defaultdict(set)
        for attempt in self.told.edits:
            place = (attempt.device, attempt.field)
            times = made.pop((*place, attempt.value), 0)
            if times > 1 or (attempt.answered and times != 1):
                self.wrong(f"edit {attempt}: made {times} times")
            if attempt.answered:
                allowed[place].clear()
            if times:
                allowed[place].add(attempt.value)
        if made:
            self.wrong(f"edits that nobody made: {list(made)[:SHOWN]}")
        for (device, field), values in allowed.items():
            if not values:
                continue
            claim = claims.get((device, field))
            value = self.db.execute(f"SELECT {field} FROM entity WHERE id = ?", (device,)).fetchone()
            if not claim or claim[0] not in values or not claim[1] or not value or value[0] != claim[0]:
                self.wrong(f"device {device}: {field} is {value and value[0]}, claimed {claim}; a person set {values}")
        entries = sum(entry["kind"] == "edit" for entry in self.entries)
        events = sum(not event["run"] for event in self.events)
        if entries != events:
            self.wrong(f"{entries} edits in the journal, {events} events of edits")


def check(database, records, plugins, told=None, disturbed=False):
    """What is wrong with the store in the file `database`, as texts; none: all is well. `disturbed`: scripts may
    have failed without having reported anything, or could not be started."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return Checker(connection, records, plugins, told, disturbed).check()
