"""Manifests, objects and the files of other nodes, for scripts."""

import json
import os
import re

import conf
from const import apiPath, pluginsPath
from helper import get_setting_value
from logger import mylog
from utils.crypto_utils import decrypt_data


def get_plugins_configs(loadAll):
    """The manifests in the plugin folder by execution order, then folder name.

    Unless `loadAll`, only those in conf.LOADED_PLUGINS, if that names any. What cannot be read is left out and logged.
    """
    wanted = [] if loadAll else getattr(conf, "LOADED_PLUGINS", [])
    found = []
    for folder in sorted(os.listdir(pluginsPath)):
        path = os.path.join(pluginsPath, folder)
        if folder.startswith("__") or not os.path.isdir(path) or os.path.isfile(os.path.join(path, "ignore_plugin")):
            continue
        try:
            with open(os.path.join(path, "config.json"), encoding="utf-8") as file:
                manifest = json.load(file)
            if not wanted or manifest["unique_prefix"] in wanted:
                found.append(manifest)
        except (OSError, ValueError, KeyError, TypeError) as error:
            mylog("none", f"[Plugins] {path}/config.json: {error!r}")
    return sorted(found, key=_layer)


def _layer(manifest):
    layer = re.fullmatch(r"Layer_(\d+)", str(manifest.get("execution_order")))
    return int(layer.group(1)) if layer else float("inf")


def getPluginObject(keyValues):
    """The first row of table_plugins_objects.json that has all these values, or {}."""
    path = os.path.join(apiPath, "table_plugins_objects.json")
    try:
        with open(path, encoding="utf-8") as file:
            rows = json.load(file)["data"]
        return next((row for row in rows if all(row.get(key) == value for key, value in keyValues.items())), {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        mylog("verbose", f"[Plugins] {path}: {error!r}")
        return {}


def decode_and_rename_files(file_dir, file_prefix):
    """The names of the files in `file_dir` that begin with `file_prefix`, once they can be read.

    If the plugin SYNC is loaded and has a key, files `*.encoded.*` are deciphered and named `*.decoded.*`.
    One that does not open with the key stays as it is, is logged, and is not among the names.
    """
    key = get_setting_value("SYNC_encryption_key") if "SYNC" in get_setting_value("LOADED_PLUGINS") else ""
    readable = []
    for name in sorted(os.listdir(file_dir)):
        if not name.startswith(file_prefix):
            continue
        if key and ".encoded." in name:
            path = os.path.join(file_dir, name)
            name = name.replace(".encoded.", ".decoded.")
            try:
                with open(path, encoding="utf-8") as file:
                    text = decrypt_data(file.read(), key)
            except ValueError as error:
                mylog("none", f"[Plugins] {path}: cannot be deciphered: {error}")
                continue
            with open(os.path.join(file_dir, name), "w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.remove(path)
        readable.append(name)
    return readable
