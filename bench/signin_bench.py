#!/usr/bin/env python3
"""A hundred people sign in at once while programs use the API.

    signin_bench.py [--rate 200] [--people 100] [--rounds 5]

Paced clients ask for /devices over kept-alive connections; a call's time is from when it was due to be sent until its
answer was read. In each round it is measured for as long without sign-ins as the sign-ins before took, so that both
share what else the machine does.
"""

import argparse
import concurrent.futures
import json
import subprocess
import sys
import threading
import time

from daemon import BIN, Daemon, UnixConnection, percentile, temporary_folder

CLIENTS = 4
PASSWORD = "correct horse battery"
TARGET = 2.0


class Caller(threading.Thread):
    """One client: a call each `period` seconds from `first` on, until it is stopped."""

    def __init__(self, daemon, first, period):
        super().__init__(daemon=True)
        self.connection = daemon.connect()
        self.headers = {"Authorization": f"Bearer {daemon.token()}"}
        self.due = first
        self.period = period
        self.calls = []  # due, answered
        self.ending = threading.Event()

    def run(self):
        while not self.ending.wait(max(0.0, self.due - time.monotonic())):
            self.connection.request("GET", "/api/v1/devices", headers=self.headers)
            response = self.connection.getresponse()
            response.read()
            if response.status != 200:
                raise SystemExit(f"a call was answered by {response.status}")
            self.calls.append((self.due, time.monotonic()))
            self.due += self.period


def add_people(data, count):
    for i in range(count):
        subprocess.run([BIN / "backplane", "users", "add", f"user{i}", "--password-stdin", "--data", data],
                       input=PASSWORD, text=True, check=True, stdout=subprocess.DEVNULL)


def sign_in(socket, count):
    """Everybody at once; returns how many got in, and each one's seconds."""
    connections = [UnixConnection(socket) for _ in range(count)]
    begin = time.monotonic()
    for i, connection in enumerate(connections):
        connection.request("POST", "/api/v1/session", json.dumps({"user": f"user{i}", "password": PASSWORD}),
                           {"Content-Type": "application/json"})
    seconds, entered = [], 0
    for connection in connections:
        response = connection.getresponse()
        response.read()
        entered += response.status == 201
        seconds.append(time.monotonic() - begin)
        connection.close()
    return entered, seconds


def measure(folder, options, elsewhere):
    config = folder / "site.toml"
    config.write_text("")
    (folder / "data").mkdir(mode=0o700)
    daemon = Daemon(config, folder / "data")
    try:
        daemon.connect()
        add_people(folder / "data", options.people)
        start = time.monotonic() + 0.1
        callers = [Caller(daemon, start + i / options.rate, CLIENTS / options.rate) for i in range(CLIENTS)]
        for caller in callers:
            caller.start()
        time.sleep(0.5)
        spans, entered, waited = [], 0, []
        for _ in range(options.rounds):
            begin = time.monotonic()
            got_in, seconds = elsewhere.submit(sign_in, folder / "data" / "api.sock", options.people).result()
            end = time.monotonic()
            entered += got_in
            waited += seconds
            spans.append((begin, end))
            time.sleep(end - begin + 0.2)
        for caller in callers:
            caller.ending.set()
        for caller in callers:
            caller.join(10)
        return [call for caller in callers for call in caller.calls], spans, entered, waited
    finally:
        daemon.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    # In a process of its own: the interpreter lets one thread run at a time.
    with temporary_folder() as folder, concurrent.futures.ProcessPoolExecutor(1) as elsewhere:
        elsewhere.submit(time.monotonic).result()
        calls, spans, entered, waited = measure(folder, options, elsewhere)
    during = [(end - due) * 1000 for due, end in calls if any(a <= due <= b for a, b in spans)]
    others = [(end - due) * 1000 for due, end in calls if due > spans[0][0] and not any(a <= due <= b for a, b in spans)]
    print(f"{options.rounds} times {options.people} sign-ins at once: {entered} got in, the last of a round after "
          f"{max(waited):.1f} s")
    for name, times in (("calls without sign-ins", others), ("calls during sign-ins", during)):
        print(f"  {name:<23} p50 {percentile(times, 0.5):6.2f} ms   p99 {percentile(times, 0.99):6.2f} ms   "
              f"max {max(times):6.2f} ms   of {len(times)}")
    ratio = percentile(during, 0.99) / percentile(others, 0.99)
    reached = ratio <= TARGET and entered == options.rounds * options.people
    print(f"target, p99 at most {TARGET:.0f} times as long, and everybody gets in: {ratio:.2f} times, "
          f"{'reached' if reached else 'missed'}")
    return 0 if reached else 1


sys.exit(main())
