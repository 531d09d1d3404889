"""The panoptes half of scripts/trial: plugins run in a daemon of their own, since enrichment and polling
need resources, and polling needs what enrichment stored.

What an installer does is done for them: `.example` is dropped from definition files, and paths in a
definition that lead nowhere are taken from the same folder of plugins, by file name. A discovery
plugin of ours reports, for each filter, one resource that it matches, at 127.0.0.1.
"""
import json
import pathlib
import re
import shutil
import sys
import time

from daemon import Daemon, toml

COLUMNS = ("plugin", "type", "valid", "status", "taken", "first thing that went wrong")
TYPES = ("discovery", "enrichment", "polling")
EXTENSION = ".panoptes-plugin"

RESOURCES = """\
import json, os
from yahoo_panoptes.discovery.panoptes_discovery_plugin import PanoptesDiscoveryPlugin
from yahoo_panoptes.framework.resources import PanoptesResource, PanoptesResourceSet


class TrialResources(PanoptesDiscoveryPlugin):
    def run(self, context):
        found = PanoptesResourceSet()
        with open(os.path.join(os.path.dirname(__file__), "resources.json")) as file:
            for given in json.load(file):
                metadata = given.pop("resource_metadata")
                resource = PanoptesResource(resource_plugin="trial", **given)
                for key, value in metadata.items():
                    resource.add_metadata(key, value)
                found.add(resource)
        return found
"""


def definitions(folder):
    return sorted(path for path in folder.rglob("*") if path.name.endswith((EXTENSION, EXTENSION + ".example")))


def option(text, name):
    found = re.search(rf"^{name}\s*[=:]\s*(.*)$", text, re.MULTILINE | re.IGNORECASE)
    return found.group(1).strip() if found else ""


def kind_of(path):
    return next((part for part in reversed(path.parts) if part in TYPES), "")


def ready(folder, scratch, only):
    """Copies the folder and makes its definitions ready; returns [(name, type, text, file)] of those to try."""
    target = scratch / "plugins"
    shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns(".git", "tests"))
    chosen = []
    for path in definitions(target):
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        name = option(text, "Name")
        if only and name not in only and path.name.split(".")[0] not in only:
            path.unlink()
            continue
        for key in ("Module", "config_file"):
            value = option(text, key)
            if value.startswith("/") and not pathlib.Path(value).exists():
                wanted = pathlib.PurePosixPath(value).name
                for found in sorted(target.rglob(wanted)) + sorted(target.rglob(wanted + ".py")):
                    text = text.replace(value, str(found))
                    break
        path.unlink()
        path = path.with_name(path.name.removesuffix(".example"))
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        chosen.append((name, kind_of(path), text, str(path)))
    return chosen


def resource_for(text):
    """A resource that the filter of a definition matches, as far as it is made of conditions joined by AND."""
    resource = {"resource_site": "trial", "resource_class": "system", "resource_subclass": "host",
                "resource_type": "generic", "resource_id": "trial", "resource_endpoint": "127.0.0.1",
                "resource_metadata": {}}
    # A doubled percent sign is one, to the definition's reader.
    conditions = re.findall(r'(resource_\w+)(?:\s*\.\s*(\w+))?\s*(?:=|\bLIKE\b|\bIN\s*\()\s*"([^"]*)"', option(text, "resource_filter"),
                            re.IGNORECASE)
    for field, metadata, value in conditions:
        value = value.replace("%", "")
        if field.lower() == "resource_metadata":
            resource["resource_metadata"][metadata.lower()] = value
        else:
            resource[field.lower()] = value
    parts = [resource[f"resource_{part}"] for part in ("class", "subclass", "type")]
    if resource["resource_id"] == "trial":
        resource["resource_id"] = "-".join(["trial", *parts, *resource["resource_metadata"].values()])
    return resource


def target_of(daemon, plugin):
    """The key of a resource that the plugin runs about; None if none has come up."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for resource in daemon.ask("resources", "list"):
            if plugin["id"] in daemon.ask("resources", "show", str(resource["id"]))["plugins"]:
                return resource["key"]
        time.sleep(0.2)
    return None


def attempt(daemon, plugin):
    """(status, taken, problem) of one run."""
    arguments = []
    if plugin["targets"] is not None:
        target = target_of(daemon, plugin)
        if target is None:
            return ("-", "-", f"no resource matches its filter: {plugin['targets']['filter']}")
        arguments = ["--target", target]
    run = daemon.ask("plugins", "run", plugin["id"], *arguments)
    return (run["status"], str(run["taken"]), run["message"]) if run else ("-", "-", "it could not be called")


def rows(backplane, folder, only, scratch):
    chosen = ready(folder, scratch, only)
    ours = scratch / "plugins" / "trial" / "discovery"
    ours.mkdir(parents=True)
    (ours / "trial_resources.py").write_text(RESOURCES)
    (ours / f"trial_resources{EXTENSION}").write_text(
        "[Core]\nName = Trial Resources\nModule = trial_resources\n[Documentation]\nVersion = 1.0\n"
        "[main]\nexecute_frequency = 3600\n")
    resources = {}
    for _, kind, text, _ in chosen:
        if kind != "discovery":
            resource = resource_for(text)
            resources[json.dumps(resource, sort_keys=True)] = resource
    (ours / "resources.json").write_text(json.dumps(list(resources.values())))

    site = (f'[[plugins]]\npath = {toml(scratch / "plugins")}\ndialect = "panoptes"\n'
            '[settings.panoptes]\nsites = ["trial", "local"]\n')
    with Daemon(backplane, scratch, site) as daemon:
        listed = daemon.ask("plugins", "list")
        plugins = {(plugin["title"], plugin["kind"]): plugin for plugin in listed["plugins"]}
        attempt(daemon, plugins[("Trial Resources", "discovery")])
        table = []
        # What one plugin stores, the next may need.
        files = {(name, kind): path for name, kind, _, path in chosen}
        for name, kind in sorted(files, key=lambda one: (TYPES.index(one[1]) if one[1] in TYPES else 9, one[0])):
            plugin = plugins.get((name, kind))
            if plugin is None:
                problem = next((f["message"] for f in listed["findings"]
                                if f["severity"] == "error" and f["file"] == files[(name, kind)]), "it was not read")
                table.append((name, kind, "no", "-", "-", problem))
                continue
            print(f"trial: {name}", flush=True, file=sys.stderr)
            table.append((name, kind, "yes", *attempt(daemon, plugin)))
        return table
