#!/usr/bin/env python3
"""A scan pass with everything that follows from it, beside a set-based program over Python's sqlite3.

    cycle_bench.py [--devices 1000 5000 10000] [--passes 4]

A scanner copies a prepared result file; a second plugin runs after each scan, so that app.db and every snapshot are
brought up to date within the pass, as they are for real plugins. The first pass finds all devices; in each of the
others every fiftieth has gone or is back, every fiftieth has another address, every hundredth another name, and some
are new. What is counted is the processor time of the daemon, all of its threads, from the call until the pass is
closed and app.db says so; the scripts' own is not. The peer (cycle_peer.py) gets the same files and tables; at the end
devices, objects and events of both are compared row by row.
"""

import argparse
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time

from daemon import ROOT, Daemon, temporary_folder

TARGET_SECONDS = 1.0
TARGET_RATIO = 3.0
# What the scanner sees: this machine, which is a device too, is nothing to the peer.
COMPARED = {
    "devices": "SELECT LOWER(devMac), devName, devLastIP, devVendor, devPresentLastScan FROM Devices WHERE devMac LIKE '02:00:%' ORDER BY 1",
    "objects": 'SELECT objectPrimaryId, objectSecondaryId, watchedValue1, "status" FROM Plugins_Objects ORDER BY 1, 2',
    "events": "SELECT LOWER(eveMac), eveIp, eveEventType, COUNT(*) FROM Events WHERE eveMac LIKE '02:00:%' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    "sessions": "SELECT LOWER(sesMac), sesStillConnected, COUNT(*) FROM Sessions WHERE sesMac LIKE '02:00:%' GROUP BY 1, 2 ORDER BY 1, 2",
}


def row(i, number):
    changed = number > 0 and i % 50 == 7 * number % 50
    ip = f"10.{i >> 14 & 255}.{i >> 7 & 127}.{(i & 127) + (128 if changed and number % 2 else 0)}"
    name = f"host-{i}" if i % 100 != 3 else f"host-{i}-{number}"
    mac = f"02:00:{i >> 24 & 255:02x}:{i >> 16 & 255:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"
    return (f"{mac}|{ip}|2026-08-22 10:00:00|{name}|Vendor {i % 50}|eth{i % 4}|null|"
            f"found on port {i % 48}|{mac}|null|null|null|null\n")


def write_passes(folder, devices, passes):
    files = []
    for number in range(passes):
        there = [i for i in range(devices + devices // 500 * number) if number == 0 or i % 50 != number]
        file = folder / f"pass{number}.log"
        file.write_text("".join(row(i, number) for i in there), encoding="utf-8")
        files.append(file)
    return files


def write_plugins(folder):
    plugins = folder / "plugins"
    manifest = json.loads((ROOT / "bench/rows/config.json").read_text())
    for name, run, mapped in (("scan", "disabled", True), ("after", "always_after_scan", False)):
        (plugins / name).mkdir(parents=True)
        one = json.loads(json.dumps(manifest))
        one["code_name"], one["unique_prefix"] = name, name.upper()
        if not mapped:
            one.pop("mapped_to_table", None)
            one["plugin_type"] = "other"
        for setting in one["settings"]:
            if setting["function"] == "RUN":
                setting["default_value"] = run
            if setting["function"] == "CMD":
                setting["default_value"] = f"python3 /app/server/plugins/{name}/script.py" if mapped else "true"
        (plugins / name / "config.json").write_text(json.dumps(one))
    (plugins / "scan/script.py").write_text(
        "import os, shutil\n"
        f"shutil.copy({json.dumps(str(folder / 'next.log'))}, "
        "os.environ['NETALERTX_PLUGINS_LOG'] + '/last_result.SCAN.log')\n")
    config = folder / "site.toml"
    config.write_text(f'trust = "auto"\n[[plugins]]\npath = {json.dumps(str(plugins))}\n'
                      "[settings.netalertx]\nSCAN_SET_ALWAYS = ['devName', 'devLastIP']\n"
                      "SCAN_WATCH = ['watchedValue1']\n")
    return config


def cpu(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(probe, what):
    end = time.monotonic() + 300
    while not (value := probe()):
        if time.monotonic() > end:
            raise SystemExit(f"not within five minutes: {what}")
        time.sleep(0.05)
    return value


class Ours:
    def __init__(self, folder):
        self.folder = folder
        self.daemon = Daemon(write_plugins(folder), folder / "data")
        self.connection = self.daemon.connect()
        self.app_db = folder / "data/dialects/netalertx/data/db/app.db"
        wait_for(self.app_db.exists, "app.db is made")

    def read(self, path):
        return self.daemon.call(self.connection, "GET", path)

    def last_cycle(self):
        cycles = self.read("/cycles?limit=1")["cycles"]
        return cycles[0] if cycles else {"id": 0, "closed": None}

    def scan(self, file):
        shutil.copy(file, self.folder / "next.log")
        before, last = cpu(self.daemon.process.pid), self.last_cycle()["id"]
        online = self.count("SELECT COUNT(*) FROM Online_History")
        run = self.daemon.call(self.connection, "POST", "/plugins/SCAN/run")["run"]
        ended = self.read(f"/runs/{run}?wait=60")
        if ended["status"] != "ok":
            raise SystemExit(f"the scan failed: {ended}")
        wait_for(lambda: (cycle := self.last_cycle())["id"] > last and cycle["closed"], "the pass is closed")
        wait_for(lambda: self.count("SELECT COUNT(*) FROM Online_History") > online and not self.count(
            "SELECT COUNT(*) FROM Notifications WHERE status = 'new'"), "app.db has followed")
        return cpu(self.daemon.process.pid) - before

    def count(self, sql):
        db = sqlite3.connect(f"file:{self.app_db}?mode=ro", uri=True)
        try:
            return db.execute(sql).fetchone()[0]
        finally:
            db.close()


def compare(ours, peer):
    for name, sql in COMPARED.items():
        left, right = (sqlite3.connect(f"file:{file}?mode=ro", uri=True).execute(sql).fetchall()
                       for file in (ours, peer))
        if left != right:
            different = [pair for pair in zip(left, right) if pair[0] != pair[1]][:3]
            raise SystemExit(f"{name} differ: {len(left)} of ours, {len(right)} of the peer's; {different}")


def measure(devices, passes):
    with temporary_folder() as folder:
        files = write_passes(folder, devices, passes)
        ours = Ours(folder)
        try:
            empty = folder / "peer.db"
            source = sqlite3.connect(ours.app_db)
            source.execute("VACUUM INTO ?", (str(empty),))
            source.close()
            (folder / "api").mkdir()
            mine = [ours.scan(file) for file in files]
            peer = json.loads(subprocess.run(
                [sys.executable, ROOT / "bench/cycle_peer.py", empty, folder / "api", *files], check=True,
                capture_output=True, text=True).stdout)
            compare(ours.app_db, empty)
        finally:
            ours.daemon.stop()
        return mine, peer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int, nargs="*", default=[1000, 5000, 10000])
    parser.add_argument("--passes", type=int, default=4)
    options = parser.parse_args()
    met = True
    print(f"{'devices':>8} {'pass':>6} {'ours s':>8} {'peer s':>8} {'ratio':>6}")
    for devices in options.devices:
        mine, peer = measure(devices, options.passes)
        for number, (a, b) in enumerate(zip(mine, peer)):
            print(f"{devices:>8} {'first' if number == 0 else number:>6} {a:>8.3f} {b:>8.3f} {b / a:>6.2f}")
        later, other = sum(mine[1:]) / (options.passes - 1), sum(peer[1:]) / (options.passes - 1)
        print(f"{devices:>8} {'later':>6} {later:>8.3f} {other:>8.3f} {other / later:>6.2f}")
        if devices == 10_000:
            met = later <= TARGET_SECONDS and other / later >= TARGET_RATIO
    print(f"target: {TARGET_SECONDS} s for 10,000 devices, {TARGET_RATIO} times the peer: {'met' if met else 'missed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
