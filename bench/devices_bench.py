#!/usr/bin/env python3
"""Lists of 100,000 devices over the API, one request after another on a kept-alive connection.

    devices_bench.py [--devices 100000] [--requests 200]

A daemon takes in the devices by runs of a plugin that finds 10,000 each. Then each kind of list is asked for again and
again, with other values each time: a page of 100 devices, filtered, sorted, from the middle of the list, and searched
by parts of names and addresses. The time is from request to the answer's last byte.

Beside it: a fixed reply of the same daemon, which is what HTTP and the check of who calls take; and the plain way to
search and sort, an SQLite query over the same file with LOWER() and LIKE on each of the five fields.
"""

import argparse
import json
import random
import sqlite3
import statistics
import sys
import time
import urllib.parse

from daemon import ROOT, Daemon, percentile, temporary_folder

TARGET_MS = 50.0
PER_RUN = 10_000
VENDORS = ["Acme Networks", "Bolt", "Copper & Sons", "Delta Radio"]
# Finds PER_RUN devices at each run, others than before.
SCRIPT = """\
import os, pathlib
count = pathlib.Path("COUNT")
first = int(count.read_text()) if count.exists() else 0
vendors = VENDORS
with open(os.environ["NETALERTX_LOG"] + "/plugins/last_result.LISTED.log", "w") as file:
    for i in range(first, first + PER_RUN):
        file.write(f"02:00:00:{i >> 16 & 255:02x}:{i >> 8 & 255:02x}:{i & 255:02x}|10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"
                   f"|2026-08-22 10:00:00|host-{i * 7919 % 1000003}.example|{vendors[i % len(vendors)]}"
                   f"|null|null|null|null|null|null|null|null\\n")
count.write_text(str(first + PER_RUN))
"""
PLAIN = """SELECT * FROM entity WHERE org = 1 AND archived <> '1' AND (LOWER(name) LIKE LOWER(?1) OR LOWER(mac) LIKE LOWER(?1)
OR LOWER(ip) LIKE LOWER(?1) OR LOWER(vendor) LIKE LOWER(?1) OR LOWER(fqdn) LIKE LOWER(?1)) ORDER BY name, id LIMIT 100"""


def write_plugin(folder):
    """bench/rows under another name, with our script."""
    manifest = json.loads((ROOT / "bench/rows/config.json").read_text())
    manifest |= {"code_name": "listed", "unique_prefix": "LISTED"}
    for setting in manifest["settings"]:
        if setting["function"] == "CMD":
            setting["default_value"] = "python3 /app/server/plugins/listed/script.py"
    plugin = folder / "plugins/listed"
    plugin.mkdir(parents=True)
    (plugin / "config.json").write_text(json.dumps(manifest))
    (plugin / "script.py").write_text(SCRIPT.replace("PER_RUN", str(PER_RUN)).replace("VENDORS", repr(VENDORS))
                                      .replace("COUNT", str(folder / "count")))
    site = folder / "site.toml"
    site.write_text('trust = "auto"\n[[plugins]]\npath = "plugins"\ndialect = "netalertx"\n')
    return site


def fill(daemon, connection, devices):
    for _ in range(devices // PER_RUN):
        job = daemon.call(connection, "POST", "/plugins/LISTED/run")
        while job["run"] is None:  # the one before has ended, and its lane is not free yet
            found = daemon.call(connection, "GET", f"/runs?key={urllib.parse.quote(job['job'])}")["runs"]
            job["run"] = found[0]["id"] if found else None
        run = daemon.call(connection, "GET", f"/runs/{job['run']}?wait=60")
        if run["status"] != "ok":
            raise SystemExit(f"the plugin failed: {run}")
        last = daemon.call(connection, "GET", "/status")["journal"]["last"]
        while daemon.call(connection, "GET", "/status")["journal"]["folded"] < last:
            time.sleep(0.01)
    # This machine itself is one more.
    count = daemon.call(connection, "GET", "/devices?status=all&count=true&limit=1&search=.example")["count"]
    if count < devices // PER_RUN * PER_RUN:
        raise SystemExit(f"{count} devices are there")


def kinds(devices, middle):
    """Name → query, made anew for each request."""
    pick = random.Random(1)
    def number():
        return pick.randrange(devices)
    return {
        "by id": lambda: {"after": middle["id"]},
        "by name, first page": lambda: {"sort": "name"},
        "by name, from the middle": lambda: {"sort": "name", "after": middle["name"]},
        "last seen, newest first": lambda: {"sort": "last_seen", "desc": "true"},
        "one vendor, by address": lambda: {"vendor": pick.choice(VENDORS), "sort": "ip", "desc": "true"},
        "online, by name, counted": lambda: {"status": "online", "sort": "name", "count": "true"},
        "part of a name": lambda: {"search": f"ost-{number()}", "sort": "name"},
        "part of an address": lambda: {"search": f".{number() >> 8 & 255}.{number() & 255}", "sort": "ip"},
        "part of a MAC, one vendor": lambda: {"search": f"{number() & 255:02X}:{number() & 255:02x}",
                                              "vendor": VENDORS[0], "sort": "last_seen"},
        "in nothing": lambda: {"search": f"nothing {number()}"},
    }


def measure(requests, ask):
    times = []
    for _ in range(requests):
        start = time.perf_counter()
        ask()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def describe(name, times):
    print(f"  {name:<28} median {statistics.median(times):6.1f} ms, p99 {percentile(times, 0.99):6.1f} ms", flush=True)


def asker(connection, token, path, query):
    """Reads the answer and does not parse it: that would be the client's time."""
    def ask():
        connection.request("GET", f"/api/v1{path}?{urllib.parse.urlencode(query())}",
                           headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit(f"{path} {query()}: {response.status} {body.decode()}")
    return ask


def middles(daemon, connection, devices):
    """A cursor in the middle of the list, by what it is sorted by."""
    found = {}
    for sort in ("id", "name"):
        after, passed = None, 0
        while passed < devices // 2:
            query = {"sort": sort, "limit": 1000, "fields": "id"} | ({"after": after} if after else {})
            after = daemon.call(connection, "GET", f"/devices?{urllib.parse.urlencode(query)}")["next"]
            passed += 1000
        found[sort] = after
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    with temporary_folder() as folder:
        (folder / "data").mkdir(mode=0o700)
        daemon = Daemon(write_plugin(folder), folder / "data")
        try:
            connection = daemon.connect()
            fill(daemon, connection, options.devices)
            print(f"{options.devices} devices, pages of 100, {options.requests} requests of each kind")
            token = daemon.token()
            describe("a fixed reply", measure(options.requests, asker(connection, token, "/session", dict)))
            worst = 0.0
            for name, query in kinds(options.devices, middles(daemon, connection, options.devices)).items():
                times = measure(options.requests, asker(connection, token, "/devices", query))
                describe(name, times)
                worst = max(worst, percentile(times, 0.99))
            store = sqlite3.connect(f"file:{folder / 'data/backplane.db'}?mode=ro", uri=True)
            pick = random.Random(1)
            plain = measure(max(options.requests // 10, 1), lambda: store.execute(
                PLAIN, (f"%ost-{pick.randrange(options.devices)}%",)).fetchall())
            describe("the plain query, no API", plain)
        finally:
            daemon.stop()
    reached = worst < TARGET_MS
    print(f"target, p99 of every kind under {TARGET_MS:.0f} ms: {'reached' if reached else 'missed'} ({worst:.1f} ms)")
    return 0 if reached else 1


sys.exit(main())
