"""The netalertx half of scripts/trial: plugins run in a daemon of their own, since many read the inventory.

Each runs once, by hand. For the original's own plugins, which standins/table.py knows by their prefix, there are
stand-ins for networks, devices and services, and what must come of them; a scanner of ours then gives the inventory
something to begin with. Any other plugin runs plainly.
"""
import collections
import contextlib
import dataclasses
import json
import pathlib
import shutil
import sys
import time

from daemon import Daemon, toml
from standins import table
from standins.place import HERE, Place

COLUMNS = ("plugin", "prefix", "valid", "settings", "status", "rows", "devices", "expected", "outcome",
           "first thing that went wrong")
WELL, LISTED, NOT_WELL = "well", "listed", "NOT WELL"
# How long a run's records take at most until they can be seen.
FOLDING = 10


# ---- making plugins ready ----------------------------------------------------------------

def find(folder):
    """The plugin folders of `folder`: itself if it holds a manifest, else those below it."""
    if (folder / "config.json").is_file():
        return [folder]
    return sorted(path.parent for path in folder.glob("*/config.json"))


def document(folder):
    """The manifest; an empty one if it cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        read = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return read if isinstance(read, dict) else {}
    return {}


def parts(manifest, key):
    """The objects of a list, whatever else somebody has written there."""
    value = manifest.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def ready(source, into):
    """Copies a plugin, and does with a template what its author asks of whoever copies it."""
    template = source.name.startswith("__")
    target = into / (source.name.lstrip("_") if template else source.name)
    shutil.copytree(source, target, symlinks=True)
    if template:
        (target / "ignore_plugin").unlink(missing_ok=True)
        fill_in(target, {"<unique_prefix>": document(target).get("unique_prefix", ""), "<plugin folder>": target.name})
    return target


def fill_in(folder, values):
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue  # an image, say
        filled = text
        for placeholder, value in values.items():
            filled = filled.replace(placeholder, value)
        if filled != text:
            path.write_bytes(filled.encode("utf-8"))


# ---- what is tried -----------------------------------------------------------------------

class Plugin:
    """One that is tried: what its manifest says, and what must come of it."""

    def __init__(self, folder):
        manifest = document(folder)
        self.name = folder.name
        self.prefix = str(manifest.get("unique_prefix", ""))
        self.settings = {f"{self.prefix}_{one.get('function')}": one for one in parts(manifest, "settings")}
        self.finds_devices = "mapped_to_table" in manifest
        # Whom the inventory names as having seen its devices.
        self.source = next((one["mapped_to_column_data"]["value"]
                            for one in parts(manifest, "database_column_definitions")
                            if one.get("mapped_to_column") == "scanSourcePlugin" and "mapped_to_column_data" in one),
                           self.prefix)
        self.expected = table.EXPECTED.get(self.prefix)

    def by_hand(self):
        """The setting that keeps the daemon from running it beside the trial."""
        key = f"{self.prefix}_RUN"
        return {key: "disabled"} if "disabled" in (self.settings.get(key, {}).get("options") or []) else {}


@dataclasses.dataclass
class Seen:
    """What came of one plugin."""
    finding: str = ""  # why it was not read
    readable: set = dataclasses.field(default_factory=set)  # keys of settings
    run: dict | None = None
    rows: list = dataclasses.field(default_factory=list)
    output: str = ""


def problem(plugin, seen):
    """The first thing that went wrong; nothing if all went as it must."""
    if seen.finding:
        return seen.finding
    missing = sorted(set(plugin.settings) - seen.readable)
    if missing:
        return f"settings that cannot be read: {', '.join(missing)}"
    expected = plugin.expected
    if expected == table.NOTHING:
        return ""
    if seen.run is None:
        return "it cannot be called"
    if seen.run["status"] != "ok":
        return ": ".join(filter(None, [first_line(seen.run["message"]), last_line(seen.output)]))
    refusals = seen.run["refusals"]
    if refusals:
        return f"{refusals[0].get('where', '')}: {refusals[0].get('reason', '')}".strip(": ")
    if expected is None:
        return ""
    if len(seen.rows) < expected.rows:
        return f"{len(seen.rows)} rows instead of {expected.rows}: {last_line(seen.output)}"
    if expected.row and not any(all(text in json.dumps(row) for text in expected.row) for row in seen.rows):
        return f"no row holds {', '.join(expected.row)}"
    if expected.says not in seen.output:
        return f"it does not say \"{expected.says}\": {last_line(seen.output)}"
    return ""


def outcome(plugin, seen):
    """Whether it is well, and what went wrong. Without expectations a run that ends well is enough."""
    wrong = problem(plugin, seen)
    if plugin.expected == table.LISTED and not seen.finding:
        return LISTED, wrong
    ended_well = seen.run is not None and seen.run["status"] == "ok"
    return (WELL if not wrong or (ended_well and plugin.expected is None) else NOT_WELL), wrong


def line(plugin, seen, devices):
    expected = plugin.expected
    wanted = "-" if expected is None else f"{expected.rows} rows" if expected.kind == "rows" else expected.kind
    ran = seen.run is not None
    return (plugin.name, plugin.prefix or "-", "no" if seen.finding else "yes",
            f"{len(set(plugin.settings) & seen.readable)}/{len(plugin.settings)}", seen.run["status"] if ran else "-",
            str(len(seen.rows)) if ran else "-", str(devices) if ran else "-", wanted, *outcome(plugin, seen))


def first_line(text):
    return next((one.strip() for one in (text or "").splitlines() if one.strip()), "")


def last_line(text):
    return first_line("\n".join(reversed((text or "").splitlines())))


# ---- trying ------------------------------------------------------------------------------

def site(plugins, folder, place, more=None):
    """The site configuration; `more` are settings that count before those of the stand-ins."""
    given = {key: value for plugin in plugins for key, value in plugin.by_hand().items()}
    text = ""
    if place is not None:
        text = f"python = {toml(place.python)}\npath = {toml(place.path)}\n"
        prefixes = {"", *(plugin.prefix for plugin in plugins)}
        for prefix, settings in table.settings(place).items():
            given |= settings if prefix in prefixes else {}
    given |= more or {}
    return (f'{text}[[plugins]]\npath = {toml(folder)}\ndialect = "netalertx"\n[settings.netalertx]\n'
            + "".join(f"{key} = {toml(value)}\n" for key, value in given.items()))


def attempt(daemon, listed, findings, plugin):
    """Runs it once."""
    seen = Seen()
    if (plugin.prefix, plugin.name) not in listed:
        file = f"{plugin.name}/config.json"
        seen.finding = next((f"{file}: {one['where']}: {one['message']}" for one in findings
                             if one["severity"] == "error" and one["file"].endswith("/" + file)), "it was not read")
        return seen
    shown = daemon.ask("plugins", "show", plugin.prefix) or {}
    seen.readable = {one["key"] for one in shown.get("settings", [])}
    if plugin.expected == table.NOTHING:
        return seen
    seen.run = daemon.ask("plugins", "run", plugin.prefix)
    if seen.run is None:
        return seen
    # A blank line parts what is known of a run from what it wrote.
    seen.output = daemon.text("runs", "show", str(seen.run["id"])).partition("\n\n")[2]
    end = time.monotonic() + FOLDING
    while seen.run["taken"] and not seen.rows and time.monotonic() < end:
        seen.rows = daemon.ask("objects", "list", "--plugin", plugin.prefix, "--limit", "100000") or []
    return seen


def sources(daemon):
    """How many devices of the inventory each source has seen."""
    shown = [daemon.ask("devices", "show", str(device["id"])) or {} for device in daemon.ask("devices", "list") or []]
    return collections.Counter(one["source"] for device in shown for one in device.get("seen_by", []))


def rows(backplane, folder, only, scratch, environment):
    """The table. `environment` is the virtual environment of the original's plugins: made there if it is missing."""
    copies = scratch / "plugins"
    copies.mkdir()
    plugins = [Plugin(ready(source, copies)) for source in find(folder)
               if not only or source.name in only or document(source).get("unique_prefix") in only]
    if not plugins:
        return []
    # First those that read the inventory, while it is as it was seeded.
    plugins.sort(key=lambda plugin: (plugin.finds_devices, plugin.name))
    with contextlib.ExitStack() as stack:
        place = None
        if any(plugin.expected for plugin in plugins):
            place = stack.enter_context(Place(scratch, environment))
            shutil.copytree(HERE / "trial_seed", copies / "trial_seed")
        daemon = stack.enter_context(Daemon(backplane, scratch, site(plugins, copies, place)))
        if place is not None:
            # One of them is gone when it looks again.
            for devices in (table.SEEDS, table.SEEDS[:-1]):
                place.seed(devices)
                daemon.ask("plugins", "run", "TRIALSEED")
        answer = daemon.ask("plugins", "list")
        listed = {(one["name"], pathlib.PurePath(one["folder"]).name) for one in answer["plugins"]}
        seen = []
        for number, plugin in enumerate(plugins, 1):
            print(f"trial: {number} of {len(plugins)}: {plugin.name}", flush=True, file=sys.stderr)
            seen.append(attempt(daemon, listed, answer["findings"], plugin))
        devices = sources(daemon)
    return sorted(line(plugin, one, devices[plugin.source]) for plugin, one in zip(plugins, seen))
