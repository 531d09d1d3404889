"""The peer of manifests_bench: the manifests of a folder by Python's json, with what the original does with each.

    manifests_peer.py FOLDER

Prints the seconds of processor time. Each manifest is parsed, its settings become rows (key, name, description,
type, choices, default, as text), its texts language strings, and the plugins are ordered. Nothing is checked but what
has to be there for that.
"""

import json
import pathlib
import resource
import sys


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def strings(prefix, thing, rows):
    for key in thing["localized"]:
        for entry in thing[key]:
            rows.append((entry["language_code"], f"{prefix}_{key}", entry["string"], ""))


def layer(manifest):
    order = manifest.get("execution_order", "Layer_N").removeprefix("Layer_")
    return float("inf") if order == "N" else int(order)


def load(folder):
    manifests, settings, texts = [], [], []
    for path in sorted(pathlib.Path(folder).iterdir()):
        if path.name.startswith("__") or (path / "ignore_plugin").exists():
            continue
        with open(path / "config.json", encoding="utf-8") as file:
            manifest = json.load(file)
        prefix = manifest["unique_prefix"]
        strings(prefix, manifest, texts)
        for setting in manifest["settings"]:
            function = setting["function"]
            settings.append((f"{prefix}_{function}", setting["name"][0]["string"], setting["description"][0]["string"],
                             str(setting["type"]), str(setting.get("options", [])), prefix,
                             str(setting["default_value"]), str(setting.get("events", []))))
            strings(f"{prefix}_{function}", setting, texts)
        for column in manifest["database_column_definitions"]:
            strings(f"{prefix}_{column['column']}", column, texts)
        manifests.append(manifest)
    manifests.sort(key=layer)
    return manifests, settings, texts


start = cpu()
loaded, rows, texts = load(sys.argv[1])
seconds = cpu() - start
assert loaded and rows and texts
print(seconds)
