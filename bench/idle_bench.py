#!/usr/bin/env python3
"""The daemon with the example site: its start, and what it takes while it has nothing to do.

    idle_bench.py [--starts 20] [--seconds 60]

A start is measured from before the program is executed until the first answer of the API was
read. The site's scanners run at start and each minute: the window of a minute holds one round of
them, so the processor time is given with it, without it, and the scripts' own.
"""

import argparse
import pathlib
import statistics
import sys
import time

from daemon import ROOT, Daemon, temporary_folder

SITE = ROOT / "examples" / "site" / "backplane.toml"


def one_start(folder):
    start = time.monotonic()
    daemon = Daemon(SITE, folder / "data")
    connection = daemon.connect()
    daemon.call(connection, "GET", "/status")
    return daemon, (time.monotonic() - start) * 1000


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def keeper_of(daemon):
    """The keeper is a child of its own session or of the daemon: it is found by its data folder."""
    wanted = str(daemon.data / "keeper")
    for process in pathlib.Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"backplane-keeper" in words[0] and any(wanted.encode() in word for word in words):
            return int(process.name)
    for pid in children(daemon.process.pid):
        if b"backplane-keeper" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise SystemExit("no keeper was found")


def memory(pid):
    """Kilobytes: resident, of it private or shared in proportion."""
    resident = proportional = 0
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            resident = int(line.split()[1])
        if line.startswith("Pss:"):
            proportional = int(line.split()[1])
    return resident, proportional


def cpu(pid):
    """Seconds that the threads of a process have run."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            continue  # the thread has just ended
    return total / 1e9


def scripts_cpu(pid):
    """Seconds of processor time of the children that a process has waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / 100


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    with temporary_folder() as folder:
        (folder / "data").mkdir(mode=0o700)
        starts = []
        for left in range(options.starts, 0, -1):
            daemon, milliseconds = one_start(folder)
            starts.append(milliseconds)
            if left > 1:
                daemon.stop()
        try:
            figures = idle(daemon, options.seconds)
        finally:
            daemon.stop()
    print(f"start to first answer: median {statistics.median(starts):.0f} ms, most {max(starts):.0f} ms, the first on an "
          f"empty folder {starts[0]:.0f} ms; {len(starts)} starts")
    reached = statistics.median(starts) < 200 and figures
    print(f"target, under 40 MB resident, under 1 % of a core, start under 200 ms: {'reached' if reached else 'missed'}")
    return 0 if reached else 1


def idle(daemon, seconds):
    keeper = keeper_of(daemon)
    pids = [daemon.process.pid, keeper]
    end = time.monotonic() + 20
    while children(keeper) and time.monotonic() < end:
        time.sleep(0.1)  # the scanners that run at start
    time.sleep(1)
    begin, scripts = time.monotonic(), scripts_cpu(keeper)
    first = last = sum(cpu(pid) for pid in pids)
    quiet_time = quiet_cpu = 0.0
    was, was_scripts, was_busy = begin, scripts, bool(children(keeper))
    most = [0, 0]
    while time.monotonic() < begin + seconds:
        time.sleep(0.5)
        now, used, now_scripts, busy = (time.monotonic(), sum(cpu(pid) for pid in pids), scripts_cpu(keeper),
                                        bool(children(keeper)))
        if not (busy or was_busy or now_scripts != was_scripts):
            quiet_time += now - was
            quiet_cpu += used - last
        was, last, was_scripts, was_busy = now, used, now_scripts, busy
        both = [sum(values) for values in zip(*(memory(pid) for pid in pids))]
        most = [max(pair) for pair in zip(most, both)]
    window = was - begin
    with_rounds = (last - first) / window * 100
    quiet = quiet_cpu / quiet_time * 100
    for name, pid in (("daemon", pids[0]), ("keeper", pids[1])):
        resident, proportional = memory(pid)
        print(f"{name}: {resident / 1024:.1f} MB resident, {proportional / 1024:.1f} MB with shared pages in proportion")
    print(f"both: {most[0] / 1024:.1f} MB resident at most in {window:.0f} s, {most[1] / 1024:.1f} MB in proportion")
    print(f"processor: {with_rounds:.2f} % of a core with the scheduled scans' handling, {quiet:.2f} % between them; the "
          f"scripts themselves {(was_scripts - scripts) / window * 100:.2f} %")
    return most[0] < 40 * 1024 and with_rounds < 1


sys.exit(main())
