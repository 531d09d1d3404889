"""All of the original's plugins on one site, in force together: what scripts/trial does with --chain.

Scanners run when the daemon starts, others give names to what they found, people are told, and every publisher brings
that to a sink that speaks its protocol; then the cleaners clean, and the chain goes on. The plugins and their stand-ins
are those of the other part (netalertx.py, standins/).
"""
import collections
import dataclasses
import json
import shutil
import sqlite3
import sys
import time

import netalertx
from daemon import PATIENCE, Daemon
from netalertx import NOT_WELL, WELL
from standins.place import HERE, Place

COLUMNS = ("plugin", "prefix", "part", "runs", "rows", "sent", "outcome", "first thing that went wrong")

SCANNERS = ("ARPSCAN", "DHCPLSS", "IPNEIGH", "KEALSS", "PIHOLE")
# Which device each of them, and nobody before it, knows a name for.
NAMES = {"DIGSCAN": ("02:00:00:10:00:01", "host-192-0-2-11.dig.example"),
         "AVAHISCAN": ("02:00:00:01:00:01", "localhost"),
         "NSLOOKUP": ("02:00:00:10:00:02", "host-192-0-2-12.nslookup.example"),
         "NBTSCAN": ("02:00:00:21:00:01", "TRIAL-PC")}
PUBLISHERS = ("APPRISE", "MQTT", "NTFY", "PUSHOVER", "PUSHSAFER", "SMTP", "TELEGRAM", "WEBHOOK")
# These send to one fixed address, which nobody reaches from here; their row says so.
OFFLINE = ("PUSHOVER", "PUSHSAFER")
SYNC = ("SYNC",)  # without another site it need only run
CLEANERS = ("DBCLNP", "MAINT")
# What every message that people get must say once: what was found, and what a person raised.
NOTICE = "trial-notice"
WORDS = [name for _, name in NAMES.values()] + ["isc-host", "toaster", NOTICE]
# Rows that no cleaner may leave: (table, its columns, values, how many).
OLD = "2020-01-01 00:00:00"
STALE = [("Events", {"eveMac": "02:00:00:10:00:01", "eveIp": "", "eveDateTime": OLD, "eveEventType": "Connected"}, 1),
         ("Online_History", {"scanDate": OLD}, 200),
         ("AppEvents", {"dateTimeCreated": OLD}, 5)]
# How many of each a cleaner may leave, by the settings below.
LIMITS = {f"SELECT COUNT(*) FROM Events WHERE eveDateTime = '{OLD}'": 0,
          "SELECT COUNT(*) FROM Online_History": 150,
          "SELECT COUNT(*) FROM AppEvents": 3,
          "SELECT COUNT(*) FROM Notifications": 1,
          "SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM Plugins_History GROUP BY plugin)": 1}


def settings(place):
    """What counts here beside what leads each plugin to its stand-in."""
    def script(prefix, path, **variables):
        given = " ".join(f"{name}={value}" for name, value in variables.items())
        return {f"{prefix}_CMD": f"env {given} {place.python} /app/server/plugins/{path}"}

    every = {"once": [*SCANNERS, "TRIALSEED"], "before_name_updates": NAMES, "on_notification": PUBLISHERS}
    given = {f"{prefix}_RUN": run for run, prefixes in every.items() for prefix in prefixes}
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:1"}
    return given | {
        # Else each device is told of twice, as new and as connected.
        "NTFPRCS_INCLUDED_SECTIONS": ["new_devices"],
        **{f"{prefix}_SIZE": 1000000 for prefix in ("APPRISE", "TELEGRAM", "WEBHOOK")},
        "APPRISE_PAYLOAD": "text", "SMTP_REPORT_TO": "trial@example.com",
        "MQTT_BROKER": "127.0.0.1", "MQTT_PORT": place.port("mqtt"), "MQTT_DELAY_SEC": 0,
        "PUSHOVER_USER_KEY": "trial", "PUSHOVER_APP_TOKEN": "trial", "PUSHSAFER_TOKEN": "trial",
        "DBCLNP_NOTIFI_HIST": 1, "PLUGINS_KEEP_HIST": 1, "WORKFLOWS_AppEvents_hist": 2, "MAINT_NOTI_LENGTH": 1,
        **script("DIGSCAN", "dig_scan/digscan.py", TRIAL_UNKNOWN="127.0.0.1,192.0.2.12,192.0.2.21"),
        **script("NSLOOKUP", "nslookup_scan/nslookup.py", TRIAL_UNKNOWN="192.0.2.21"),
        **script("PUSHOVER", "_publisher_pushover/pushover.py", **nowhere),
        **script("PUSHSAFER", "_publisher_pushsafer/pushsafer.py", **nowhere),
        **script("TELEGRAM", "_publisher_telegram/tg.py", TRIAL_SENT=place.files / "telegram.txt"),
    }


@dataclasses.dataclass
class Seen:
    """What came of it all, by prefix."""
    runs: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    rows: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    sent: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    names: dict = dataclasses.field(default_factory=dict)   # MAC: name
    told: list = dataclasses.field(default_factory=list)    # notifications, each with its guid
    cleaned: dict = dataclasses.field(default_factory=dict)  # what is wrong after it


PARTS = {"scan": SCANNERS, "names": tuple(NAMES), "publish": PUBLISHERS, "sync": SYNC, "clean": CLEANERS}


# ---- judging -----------------------------------------------------------------------------

def bad_run(runs):
    if not runs:
        return "it did not run"
    for run in runs:
        refused = netalertx.first_line("\n".join(one.get("reason", "") for one in run["refusals"]))
        if run["status"] != "ok" or refused:
            return f"run {run['id']} {run['status']}: {netalertx.first_line(run['message']) or refused}"
    return ""


def bad_name(prefix, seen):
    mac, name = NAMES[prefix]
    has = seen.names.get(mac)
    return "" if has == name else f"{mac} is named {has!r} instead of {name!r}"


def bad_delivery(prefix, seen):
    """The first thing wrong with what a publisher did with the notifications."""
    if not seen.told:
        return "nobody was told of anything"
    for one in seen.told:
        states = [delivery["state"] for delivery in one["deliveries"] if delivery["plugin"] == f"netalertx:{prefix}"]
        if states != ["sent"]:
            return f"notification {one['id']} is {', '.join(states) or 'not delivered'} instead of sent"
        if prefix == "MQTT":  # its rows are of sensors; the message names the notification
            held = sum(one["guid"] in text for text in seen.sent[prefix])
        else:
            held = sum(row["watched"][0] == row["foreign_key"] == one["guid"] for row in seen.rows[prefix])
        if held != 1:
            return f"notification {one['id']} ({one['guid']}) is named {held} times instead of once"
    if prefix in OFFLINE:
        reached = any("ProxyError" not in row["watched"][1] for row in seen.rows[prefix])
        return "its row does not say that nobody could be reached" if reached else ""
    for word in WORDS:
        count = sum(text.count(word) for text in seen.sent[prefix])
        if count != 1:
            return f"its sink got {word} {count} times instead of once"
    return ""


def problem(plugin, seen):
    """The first thing that went wrong; nothing if all went as it must."""
    prefix, runs, rows = plugin.prefix, seen.runs[plugin.prefix], seen.rows[plugin.prefix]
    wrong = bad_run(runs)
    if wrong:
        return wrong
    if prefix in SCANNERS:
        return netalertx.problem(plugin, netalertx.Seen(readable=set(plugin.settings), run=runs[0], rows=rows))
    if prefix in NAMES:
        return bad_name(prefix, seen)
    if prefix in PUBLISHERS:
        return bad_delivery(prefix, seen)
    return seen.cleaned.get(prefix, "")


def line(plugin, seen):
    prefix = plugin.prefix
    part = next(part for part, prefixes in PARTS.items() if prefix in prefixes)
    wrong = problem(plugin, seen)
    return (plugin.name, prefix, part, str(len(seen.runs[prefix])), str(len(seen.rows[prefix])),
            str(len(seen.sent[prefix])) if part == "publish" else "-", NOT_WELL if wrong else WELL, wrong)


# ---- watching ----------------------------------------------------------------------------

def within(seconds, probe):
    """The first true value of `probe()`, or the last one."""
    end = time.monotonic() + seconds
    while not (value := probe()) and time.monotonic() < end:
        time.sleep(0.2)
    return value


def wait_for(probe, what):
    if not within(PATIENCE, probe):
        raise RuntimeError(f"not within {PATIENCE} s: {what}")


def settled(daemon, prefixes):
    """Whether each of these has run in a pass, every pass is closed, and everybody was told everything."""
    ended = {run["plugin"] for run in daemon.ask("runs", "list", "--limit", "1000") if run.get("cycle")}
    told = daemon.ask("notifications", "list")
    return ({f"netalertx:{prefix}" for prefix in prefixes} <= ended
            and all(one["closed"] for one in daemon.ask("cycles", "list"))
            and told and all(one["state"] == "done" for one in told))


def tell(daemon, text):
    daemon.text("notifications", "raise", "--title", "trial", "--text", text)
    wait_for(lambda: settled(daemon, ()), "what was raised is sent")


def look(daemon, place, app_db, prefixes):
    seen = Seen()
    seen.sent |= place.sent()
    for prefix in prefixes:
        seen.runs[prefix] = [daemon.ask("runs", "show", str(run["id"]))
                             for run in daemon.ask("runs", "list", "--plugin", prefix)]
        seen.rows[prefix] = daemon.ask("objects", "list", "--plugin", prefix, "--limit", "1000")
    seen.names = {device["mac"]: device["name"] for device in daemon.ask("devices", "list")}
    guids = dict(app_db.rows('SELECT "index", guid FROM Notifications'))
    seen.told = [one | {"guid": guids.get(one["id"], "no guid")} for one in daemon.ask("notifications", "list")]
    return seen


def looked(daemon, place, app_db, plugins):
    """What there is to see once all is well, or after as long as records may take until they can be seen."""
    end = time.monotonic() + netalertx.FOLDING
    while True:
        seen = look(daemon, place, app_db, [plugin.prefix for plugin in plugins])
        wrong = any(problem(plugin, seen) for plugin in plugins if plugin.prefix not in (*SYNC, *CLEANERS))
        if not wrong or time.monotonic() > end:
            return seen


# ---- cleaning ----------------------------------------------------------------------------

class AppDb:
    """The file as scripts open it."""

    def __init__(self, data):
        self.file = data / "dialects/netalertx/data/db/app.db"
        self.page = data / "dialects/netalertx/tmp/api/user_notifications.json"

    def rows(self, query, values=()):
        connection = sqlite3.connect(self.file, timeout=PATIENCE)
        try:
            with connection:
                return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def messages(self):
        """How many messages the page has."""
        return len(json.loads(self.page.read_text()))

    def spoil(self):
        """Puts in what is too old."""
        for name, values, count in STALE:
            marks = ", ".join("?" * len(values))
            for _ in range(count):
                self.rows(f"INSERT INTO {name} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))

    def beyond(self):
        """What is more than its limit."""
        counts = {query: self.rows(query)[0][0] or 0 for query in LIMITS}
        return [f"{counts[query]} instead of {most} at most: {query}" for query, most in LIMITS.items()
                if counts[query] > most]

    def wrong(self):
        """What a cleaner has broken, or left."""
        [[whole]] = self.rows("PRAGMA integrity_check")
        return f"app.db is damaged: {whole}" if whole != "ok" else next(iter(self.beyond()), "")


def inventory(daemon):
    """What no cleaner here may touch."""
    return {"devices": daemon.ask("devices", "list", "--status", "all"),
            "objects": daemon.ask("objects", "list", "--limit", "100000"),
            "notifications": daemon.ask("notifications", "list")}


def clean(daemon, place, app_db, seen):
    app_db.spoil()
    if len(app_db.beyond()) < len(LIMITS) or app_db.messages() < 2:
        raise RuntimeError(f"there is nothing to clean: only {app_db.beyond()}, and {app_db.messages()} messages")
    for prefix in CLEANERS:
        before = inventory(daemon)
        seen.runs[prefix] = [daemon.ask("plugins", "run", prefix)]
        after = inventory(daemon)
        lost = next((f"it changed the {what}" for what in before if before[what] != after[what]), "")
        seen.cleaned[prefix] = lost or app_db.wrong()
    if app_db.messages() > 1:
        seen.cleaned["MAINT"] = seen.cleaned["MAINT"] or f"{app_db.messages()} messages instead of 1 are left"
    tell(daemon, "after cleaning")
    told = "SELECT 1 FROM Notifications WHERE status = 'processed' AND text LIKE '%after cleaning%'"
    if not within(netalertx.FOLDING, lambda: app_db.rows(told)):
        seen.cleaned["DBCLNP"] = seen.cleaned["DBCLNP"] or "app.db is not kept up to date any more"
    # The oldest, which was cleaned away, is what people ask for again.
    before = len(place.sent()["NTFY"])
    daemon.text("notifications", "resend", str(min(one["id"] for one in seen.told)))
    wait_for(lambda: settled(daemon, ()), "it is sent again")
    if len(place.sent()["NTFY"]) != before + 1:
        seen.cleaned["DBCLNP"] = seen.cleaned["DBCLNP"] or "a notification that is sent again reaches nobody"


def rows(backplane, folder, scratch, environment):
    """The table."""
    copies = scratch / "plugins"
    copies.mkdir()
    plugins = [netalertx.Plugin(netalertx.ready(source, copies)) for source in netalertx.find(folder)]
    ours = [plugin for prefixes in PARTS.values() for plugin in plugins if plugin.prefix in prefixes]
    missing = {prefix for prefixes in PARTS.values() for prefix in prefixes} - {plugin.prefix for plugin in ours}
    if missing:
        raise RuntimeError(f"the original's plugins are not all in {folder}: {', '.join(sorted(missing))}")
    with Place(scratch, environment) as place:
        shutil.copytree(HERE / "trial_seed", copies / "trial_seed")
        place.seed([(NAMES["AVAHISCAN"][0], "127.0.0.1", "(unknown)")])
        configuration = netalertx.site(plugins, copies, place, settings(place))
        with Daemon(backplane, scratch, configuration) as daemon:
            app_db = AppDb(daemon.data)
            print("trial: scanning, naming and telling", flush=True, file=sys.stderr)
            wait_for(lambda: settled(daemon, (*SCANNERS, "TRIALSEED")), "every scanner's pass is over")
            tell(daemon, NOTICE)
            seen = looked(daemon, place, app_db, ours)
            print("trial: cleaning", flush=True, file=sys.stderr)
            seen.runs["SYNC"] = [daemon.ask("plugins", "run", "SYNC")]
            wait_for(lambda: settled(daemon, SYNC), "the pass that this begins is over")
            clean(daemon, place, app_db, seen)
    return [line(plugin, seen) for plugin in ours]
