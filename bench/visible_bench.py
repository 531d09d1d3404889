#!/usr/bin/env python3
"""From a script's exit to its objects being visible.

    visible_bench.py [--runs 200] [--rows 100]

A daemon runs a plugin again and again that reports the same devices, each under another name. The script notes the
time as the last thing that it does. A client waits on the event stream and reads the objects at each piece of news,
until it sees every one of that run; the time is from exit to the end of that read.

The peer is the least that must be done, in a loop of its own: wait for the same script, read and split its file, put
the rows into an SQLite table and commit, read them back over a second connection.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import time

from daemon import ROOT, Daemon, percentile, temporary_folder

TARGET_MS = 20.0
PLUGIN = "netalertx:VISIBLE"
# The environment is that of a run, or of the peer, which gives the few variables that it needs.
SCRIPT = """\
import os, time
generation = str(time.monotonic_ns())
with open(os.environ["NETALERTX_LOG"] + "/plugins/last_result.VISIBLE.log", "w") as file:
    for i in range(ROWS):
        file.write(f"02:00:00:00:{i >> 8:02x}:{i & 255:02x}|10.0.{i >> 8}.{i & 255}|2026-08-22 10:00:00|{generation}|"
                   f"Vendor|null|null|null|null|null|null|null|null\\n")
exited = os.open("EXITED", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.write(exited, f"{generation} {time.monotonic_ns()}".encode())
os._exit(0)
"""


def write_plugin(folder, rows):
    """bench/rows under another name, with our script; returns the file in which it notes its end."""
    manifest = json.loads((ROOT / "bench/rows/config.json").read_text())
    manifest |= {"code_name": "visible", "unique_prefix": "VISIBLE"}
    for setting in manifest["settings"]:
        if setting["function"] == "CMD":
            setting["default_value"] = "python3 /app/server/plugins/visible/script.py"
    plugin, exited = folder / "plugins/visible", folder / "exited"
    plugin.mkdir(parents=True)
    (plugin / "config.json").write_text(json.dumps(manifest))
    (plugin / "script.py").write_text(SCRIPT.replace("ROWS", str(rows)).replace("EXITED", str(exited)))
    site = folder / "site.toml"
    site.write_text('trust = "auto"\n[[plugins]]\npath = "plugins"\ndialect = "netalertx"\n')
    return plugin / "script.py", exited, site


def ours(daemon, exited, runs, rows):
    """Milliseconds of each run."""
    caller, reader = daemon.connect(), daemon.connect()
    next_event = daemon.call(reader, "GET", "/events?after=-1")["next"]
    times = []
    for count in range(runs):
        daemon.call(caller, "POST", f"/plugins/{PLUGIN}/run")
        while True:
            news = daemon.call(reader, "GET", f"/events?after={next_event}&wait=20&topic=object.&limit=1000")
            next_event = news["next"]
            if not news["events"]:
                continue
            objects = daemon.call(reader, "GET", f"/objects?plugin={PLUGIN}&limit=1000")["objects"]
            seen = time.monotonic_ns()
            generation, _, ended = exited.read_text().partition(" ")
            if ended and len(objects) == rows and all(one["watched"][0] == generation for one in objects):
                break
        if count > 0:  # the first run makes what the others change
            times.append((seen - int(ended)) / 1e6)
    return times


def peer(script, exited, folder, runs):
    (folder / "peer/plugins").mkdir(parents=True)
    result = folder / "peer/plugins/last_result.VISIBLE.log"
    writer, reader = (sqlite3.connect(folder / "peer.db", isolation_level=None) for _ in range(2))
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA synchronous = NORMAL")
    columns = [f"c{i}" for i in range(13)]
    writer.execute(f"CREATE TABLE object ({', '.join(columns)}, PRIMARY KEY (c0, c1))")
    times = []
    for _ in range(runs):
        subprocess.run(["/usr/bin/python3", script], check=True, env={"NETALERTX_LOG": str(folder / "peer")})
        rows = [line.split("|") for line in result.read_text().splitlines() if line.count("|") == 12]
        writer.execute("BEGIN")
        writer.executemany(f"INSERT OR REPLACE INTO object VALUES ({', '.join('?' * 13)})", rows)
        writer.execute("COMMIT")
        found = reader.execute("SELECT * FROM object").fetchall()
        seen = time.monotonic_ns()
        generation, ended = exited.read_text().split()
        assert all(row[3] == generation for row in found)
        times.append((seen - int(ended)) / 1e6)
    return times


def describe(name, times):
    print(f"{name}: median {statistics.median(times):.1f} ms, p99 {percentile(times, 0.99):.1f} ms, most "
          f"{max(times):.1f} ms of {len(times)} runs")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rows", type=int, default=100)
    options = parser.parse_args()
    with temporary_folder() as folder:
        script, exited, site = write_plugin(folder, options.rows)
        (folder / "data").mkdir(mode=0o700)
        daemon = Daemon(site, folder / "data")
        try:
            times = ours(daemon, exited, options.runs + 1, options.rows)
        finally:
            daemon.stop()
        peers = peer(script, exited, folder, options.runs)
    describe("ours", times)
    describe("peer", peers)
    reached = percentile(times, 0.99) < TARGET_MS
    print(f"ratio to the peer: median {statistics.median(times) / statistics.median(peers):.1f}; target, p99 under "
          f"{TARGET_MS:.0f} ms: {'reached' if reached else 'missed'}")
    return 0 if reached else 1


sys.exit(main())
