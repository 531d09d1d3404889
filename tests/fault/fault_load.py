"""Clients that call runs and edit devices without pause, and remember what they were told."""
import contextlib
import dataclasses
import http.client
import json
import os
import threading

# What a client meets when the daemon dies under its request.
GONE = (OSError, http.client.HTTPException, ValueError, KeyError)
# "The server stops": as good as no answer.
STOPS = 503
# Edits a second, about: each is a journal entry.
EDIT_PAUSE = 0.02
# Of each of the clients that leave files: more often, and folding is behind by seconds.
DROP_PAUSE = 0.1


@dataclasses.dataclass
class Attempt:
    device: int
    field: str
    value: str
    answered: bool = False


@dataclasses.dataclass
class Told:
    """What clients were told, in the order in which they asked."""
    started: dict = dataclasses.field(default_factory=dict)  # idempotency key -> (plugin, run)
    ended: dict = dataclasses.field(default_factory=dict)  # run -> (status, taken)
    edits: list = dataclasses.field(default_factory=list)  # of Attempt
    wrong: list = dataclasses.field(default_factory=list)  # answers that should not have been

    def well(self):
        return sum(status == "ok" for status, _ in list(self.ended.values()))


def leave(place, text, whole):
    """In one step, or bit by bit in place: then it is complete when it is closed."""
    if whole:
        part = place.with_suffix(".part")
        part.write_text(text)
        part.rename(place)
        return
    with place.open("w", buffering=1) as file:
        for line in text.splitlines(keepends=True):
            file.write(line)


class Load:
    """One client thread per plugin, and one that edits; they outlive any number of daemons."""

    def __init__(self, site, rng):
        self.site, self.told, self.rng = site, Told(), rng
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.drop_files if plugin.dropped else self.call_runs, args=(prefix,))
                        for prefix, plugin in site.plugins.items()]
        self.threads.append(threading.Thread(target=self.edit_devices))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def pause(self, seconds=0.02):
        self.over.wait(seconds)

    def call_runs(self, prefix):
        while not self.over.is_set():
            key = os.urandom(8).hex()
            run = self.until_started(prefix, key)
            if run is not None:
                self.told.started[key] = (prefix, run)
                self.until_ended(run)

    def drop_files(self, prefix):
        """Leaves one result file after another, each with a row of its own among others, and writes down what was in
        it."""
        place = self.site.results() / f"last_result.{prefix}.log"
        count = 0
        while not self.over.is_set():
            if place.parent.exists() and not place.exists():
                rows = [(f"{prefix}-{count}", "x", ""),
                        *((f"{prefix}/{i}", "x", str(count)) for i in range(1, self.site.plugins[prefix].count))]
                (self.site.records / f"{prefix}.{count}.json").write_text(json.dumps(rows))
                text = "".join("|".join((one, two, "2026-01-01 00:00:00", watched, "", "", "", "", "")) + "\n"
                               for one, two, watched in rows)
                leave(place, text, whole=count % 2 == 0)
                count += 1
            self.pause(DROP_PAUSE)

    def until_started(self, prefix, key):
        """Repeats the call with the same key: whether it was started before the daemon died, only the daemon knows."""
        path = f"/plugins/{self.site.plugin_id(prefix)}/run"
        while not self.over.is_set():
            with contextlib.suppress(*GONE):
                status, document = self.site.call("POST", path, headers={"Idempotency-Key": key})
                if status == 202 and document["run"] is not None:
                    return document["run"]
                if status not in (202, 409, STOPS):
                    self.told.wrong.append(f"POST {path}: {status} {document}")
            self.pause()
        return None

    def until_ended(self, run):
        while not self.over.is_set():
            with contextlib.suppress(*GONE):
                status, document = self.site.call("GET", f"/runs/{run}?wait=5")
                if status not in (200, STOPS):
                    self.told.wrong.append(f"GET /runs/{run}, which was started: {status} {document}")
                    return
                if status == 200 and document["status"] != "running":
                    self.told.ended[run] = (document["status"], document["taken"])
                    return
            self.pause()

    def edit_devices(self):
        devices = []
        while not self.over.is_set():
            try:
                if len(self.told.edits) % 50 == 0 or not devices:
                    devices = [device["id"] for device in self.site.get("/devices?limit=1000")["devices"]]
                if devices:
                    self.edit(self.rng.choice(devices))
            except GONE:
                devices = []
            self.pause(EDIT_PAUSE)

    def edit(self, device):
        # A few devices get a name too, which no plugin may take back.
        count = len(self.told.edits)
        field = "name" if device % 7 == 0 and count % 5 == 0 else ("comment", "owner")[count % 2]
        attempt = Attempt(device, field, f"edit-{count}")
        self.told.edits.append(attempt)
        status, document = self.site.call("PATCH", f"/devices/{device}", {"set": {field: attempt.value}})
        attempt.answered = status == 200
        if status not in (200, STOPS):
            self.told.wrong.append(f"PATCH /devices/{device}: {status} {document}")
