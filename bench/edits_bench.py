#!/usr/bin/env python3
"""People edit devices while ten intakes of 10,000 changed rows run in a row.

    edits_bench.py [--rate 200] [--intakes 10] [--rows 10000]

A daemon runs bench/rows, which reports the same devices under other names each time. Beside it,
paced clients send edits (a name and a lock, then both taken back) over kept-alive connections
to the unix socket. Counted are only edits that are sent while an accepted batch is not folded yet, which is read from
the store itself. An edit's time is from when it was due to be sent until its answer was read.
"""

import argparse
import json
import pathlib
import random
import sqlite3
import sys
import threading
import time

from daemon import Daemon, percentile, temporary_folder

CLIENTS = 8
TARGET_MS = 50.0


class Editor(threading.Thread):
    """One client: an edit each `period` seconds from `first` on, until it is stopped."""

    def __init__(self, daemon, devices, first, period, seed):
        super().__init__(daemon=True)
        self.backplane = daemon
        self.connection = daemon.connect()
        self.token = daemon.token()
        self.devices = devices
        self.due = first
        self.period = period
        self.random = random.Random(seed)
        self.edits = []  # due, sent, answered
        self.failed = []
        self.ending = threading.Event()

    def run(self):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        count = 0
        while not self.ending.wait(max(0.0, self.due - time.monotonic())):
            if count % 2 == 0:
                device = self.random.choice(self.devices)
                body = {"set": {"name": f"named by hand {count}"}, "lock": ["name"]}
            else:
                body = {"set": {"name": None}, "unlock": ["name"]}
            sent = time.monotonic()
            self.connection.request("PATCH", f"/api/v1/devices/{device}", json.dumps(body), headers)
            response = self.connection.getresponse()
            response.read()
            answered = time.monotonic()
            if response.status != 200:
                self.failed.append(response.status)
            self.edits.append((self.due, sent, answered))
            self.due += self.period
            count += 1


class Watch(threading.Thread):
    """Notes when an accepted batch was not folded."""

    def __init__(self, file):
        super().__init__(daemon=True)
        self.file = file
        self.spans = []  # from a look that found one unfolded to the last such look
        self.ending = threading.Event()

    def run(self):
        store = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, isolation_level=None)
        open_since = None
        while not self.ending.wait(0.002):
            now = time.monotonic()
            unfolded = store.execute(
                "SELECT EXISTS (SELECT 1 FROM journal WHERE kind = 'batch' AND entry > "
                "(SELECT COALESCE(MAX(entry), 0) FROM watermark WHERE fold = 'core'))").fetchone()[0]
            if unfolded and open_since is None:
                open_since = now
            if unfolded:
                last = now
            elif open_since is not None:
                self.spans.append((open_since, last))
                open_since = None

    def holds(self, moment):
        return any(start <= moment <= end for start, end in self.spans)


def intake(daemon, connection):
    """Runs the plugin once; returns when its batch is folded."""
    answer = daemon.call(connection, "POST", "/plugins/ROWS/run")
    while answer["run"] is None:
        raise SystemExit(f"the plugin was not started: {answer}")
    run = daemon.call(connection, "GET", f"/runs/{answer['run']}?wait=60")
    if run["status"] != "ok":
        raise SystemExit(f"the plugin failed: {run}")
    end = time.monotonic() + 60
    last = daemon.call(connection, "GET", "/status")["journal"]["last"]
    while daemon.call(connection, "GET", "/status")["journal"]["folded"] < last:
        if time.monotonic() > end:
            raise SystemExit("not folded within a minute")
        time.sleep(0.01)
    return run


def measure(folder, options):
    config = folder / "site.toml"
    config.write_text(f"""trust = "auto"
[[plugins]]
path = {json.dumps(str(pathlib.Path(__file__).resolve().parent / "rows"))}

[settings.netalertx]
ROWS_count = {options.rows}
""")
    (folder / "data").mkdir(mode=0o700)
    daemon = Daemon(config, folder / "data")
    try:
        connection = daemon.connect()
        intake(daemon, connection)
        devices = daemon.call(connection, "GET", "/devices?limit=1000")["devices"]
        devices = [device["id"] for device in devices]
        watch = Watch(folder / "data" / "backplane.db")
        watch.start()
        start = time.monotonic() + 0.1
        period = CLIENTS / options.rate
        editors = [Editor(daemon, devices[i::CLIENTS], start + i / options.rate, period, i) for i in range(CLIENTS)]
        for editor in editors:
            editor.start()
        changed = [intake(daemon, connection)["taken"] for _ in range(options.intakes)]
        for thread in [*editors, watch]:
            thread.ending.set()
        for thread in [*editors, watch]:
            thread.join(70)
        return editors, watch, sum(changed), time.monotonic() - start
    finally:
        daemon.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--intakes", type=int, default=10)
    parser.add_argument("--rows", type=int, default=10_000)
    options = parser.parse_args()
    with temporary_folder() as folder:
        editors, watch, records, seconds = measure(folder, options)
    failed = [status for editor in editors for status in editor.failed]
    edits = [edit for editor in editors for edit in editor.edits]
    counted = [edit for edit in edits if watch.holds(edit[1])]
    folding = sum(end - start for start, end in watch.spans)
    print(f"{options.intakes} intakes of {options.rows:,} changed rows ({records:,} records) in {seconds:.1f} s, of it "
          f"{folding:.1f} s with a batch unfolded; {len(edits) / seconds:.0f} edits/s sent, {len(failed)} refused")
    if not counted:
        raise SystemExit("no edit was sent while a batch was unfolded")
    for name, chosen, since in (("from due to answered", counted, 0), ("from sent to answered", counted, 1),
                                ("all edits, from due", edits, 0)):
        times = [(edit[2] - edit[since]) * 1000 for edit in chosen]
        print(f"  {name:<22} p50 {percentile(times, 0.5):6.1f} ms   p99 {percentile(times, 0.99):6.1f} ms   "
              f"max {max(times):6.1f} ms   of {len(times)}")
    p99 = percentile([(edit[2] - edit[0]) * 1000 for edit in counted], 0.99)
    reached = p99 < TARGET_MS and not failed
    print(f"target, p99 under {TARGET_MS:.0f} ms while a batch is unfolded: {'reached' if reached else 'missed'}")
    return 0 if reached else 1


sys.exit(main())
