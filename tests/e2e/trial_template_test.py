"""scripts/trial with the program itself, on a template laid out as the ecosystem's own is."""
import json
import re
import subprocess

import pytest
import sites

SCRIPT = """\
#!/usr/bin/env python
import os
import sys

from pytz import timezone

INSTALL_PATH = os.getenv("NETALERTX_APP", "/app")
sys.path.extend([f"{INSTALL_PATH}/server/plugins", f"{INSTALL_PATH}/server"])

from const import logPath
from plugin_helper import Plugin_Objects
from logger import mylog, Logger
from helper import get_setting_value
import conf

conf.tz = timezone(get_setting_value("TIMEZONE"))
Logger(get_setting_value("LOG_LEVEL"))

pluginName = "<unique_prefix>"
LOG_PATH = logPath + "/plugins"
RESULT_FILE = os.path.join(LOG_PATH, f"last_result.{pluginName}.log")
plugin_objects = Plugin_Objects(RESULT_FILE)


def main():
    mylog("verbose", [f"[{pluginName}] In script"])
    some_setting = get_setting_value("SYNC_plugins")
    mylog("verbose", [f"[{pluginName}] some_setting value {some_setting}"])
    for device in get_device_data(some_setting):
        plugin_objects.add_object(
            primaryId=device["mac_address"],
            secondaryId=device["ip_address"],
            watched1=device["hostname"],
            watched2=device["vendor"],
            watched3=device["device_type"],
            watched4=device["last_seen"],
            extra="",
            foreignKey=device["mac_address"],
        )
    mylog("verbose", [f'[{pluginName}] New entries: "{len(plugin_objects)}"'])
    plugin_objects.write_result_file()
    return 0


def get_device_data(some_setting):
    return [{"mac_address": "00:00:00:00:00:0" + str(i), "ip_address": f"10.0.0.{i}", "hostname": f"host{i}",
             "vendor": "Vendor", "device_type": "Server", "last_seen": "2026-01-01 00:00:00"} for i in range(3)]


if __name__ == "__main__":
    main()
"""


@pytest.fixture
def template(tmp_path):
    folder = tmp_path / "plugins" / "__template"
    folder.mkdir(parents=True)
    # The script's folder is a placeholder in the command, to be filled in by whoever copies it.
    document = sites.manifest("<plugin folder>", devices=True)
    document["unique_prefix"] = "TEMPLATE"
    (folder / "config.json").write_text(json.dumps(document, indent=2))
    (folder / "script.py").write_text(SCRIPT)
    (folder / "README.md").write_text("# <unique_prefix>\n")
    (folder / "ignore_plugin").write_text("This plugin will be ignored\n")
    return folder


def trial(*arguments):
    done = subprocess.run([sites.ROOT / "scripts/trial", "netalertx", *map(str, arguments)], capture_output=True, text=True,
                          env=sites.environment(BACKPLANE_BIN=str(sites.BIN)), timeout=sites.PATIENCE * 2)
    rows = [re.split(r"\s{2,}", line) for line in done.stdout.splitlines()]
    return done, rows


def test_a_template_runs_unmodified(template):
    before = {path: path.read_bytes() for path in template.iterdir()}
    for folder in (template, template.parent):
        done, rows = trial(folder)
        assert done.returncode == 0, done
        assert rows[1] == ["template", "TEMPLATE", "yes", "6/6", "ok", "3", "3", "-", "well"]
        assert rows[-1] == ["1 of 1 did well, 0 did not"]
    assert {path: path.read_bytes() for path in template.iterdir()} == before


def test_what_is_wrong_stands_in_the_table(template):
    sites.write_plugin(template.parent, "fails", "sys.exit(3)\n")
    sites.write_plugin(template.parent, "half", 'open(RESULT, "w").write(row("a", "b") + "half a row\\n")\n')
    broken = sites.write_plugin(template.parent, "unreadable", "") / "config.json"
    broken.write_text("{")
    done, rows = trial(template.parent)
    table = {row[0]: row[1:] for row in rows[1:-1]}
    assert done.returncode == 1 and rows[-1] == ["2 of 4 did well, 2 did not"]
    assert table["template"][3:] == ["ok", "3", "3", "-", "well"]
    assert table["fails"] == ["FAILS", "yes", "6/6", "failed", "0", "0", "-", "NOT WELL", "exit code 3"]
    assert table["half"][3:8] == ["ok", "1", "0", "-", "well"] and table["half"][8].startswith("line 2: expected 9 or 13")
    assert table["unreadable"][:3] == ["-", "no", "0/0"] and "config.json" in table["unreadable"][-1]


def test_a_plugin_of_the_original_gets_its_stand_ins(tmp_path):
    plugins = tmp_path / "plugins"
    # Named as two of the original's, and asking the network for what those ask it.
    sites.write_plugin(plugins, "ipneigh", """
        found = subprocess.check_output(["ip", "neighbor", "show", "nud", "all", "dev", "lo"], text=True)
        with open(RESULT, "w") as result:
            for fields in (line.split() for line in found.splitlines() if "REACHABLE" in line):
                result.write(row(fields[2], fields[0], "(unknown)"))
        """, devices=True)
    sites.write_plugin(plugins, "kealss", 'open(RESULT, "w").close()\n', devices=True)
    packages = tmp_path / "venv"
    (packages / "bin").mkdir(parents=True)
    (packages / "bin" / "python3").symlink_to("/usr/bin/python3")
    done, rows = trial("--venv", packages, "--json", tmp_path / "table.json", plugins)
    assert done.returncode == 1, done
    assert rows[1][:9] == ["ipneigh", "IPNEIGH", "yes", "6/6", "ok", "2", "2", "2 rows", "well"]
    assert rows[2][:9] == ["kealss", "KEALSS", "yes", "6/6", "ok", "0", "0", "2 rows", "NOT WELL"]
    assert [one["outcome"] for one in json.loads((tmp_path / "table.json").read_text())] == ["well", "NOT WELL"]
