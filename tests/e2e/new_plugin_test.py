"""Beginning a plugin: `plugins new`, and the template copied by hand."""
import json
import shutil

import pytest
import sites

TEMPLATE = sites.ROOT / "examples/netalertx/front/plugins/__template"
ROUTER = {"primary": "02:00:00:00:00:01", "secondary": "192.0.2.1"}


def new(*arguments, cwd=None):
    return sites.command("plugins", "new", "--dialect", "netalertx", *arguments, cwd=cwd)


def outcome(plugin, *arguments):
    done = sites.command("run", plugin, "--json", *arguments)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def test_a_new_plugin_is_valid_and_runs(tmp_path):
    done = new("my_scan", cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == "", done
    assert done.stdout.splitlines()[0] == "made my_scan"
    for step in ("plugins validate my_scan", "run my_scan", "plugins install my_scan"):
        assert f"backplane {step} " in done.stdout
    plugin = tmp_path / "my_scan"
    done = sites.command("plugins", "validate", plugin)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 plugin can be loaded\n", "")
    ran = outcome(plugin)
    assert ran["status"] == "ok" and ran["refused"] == [] and len(ran["objects"]) == len(ran["devices"]) == 2
    assert ran["objects"][0].items() >= ROUTER.items()
    assert ran["objects"][0]["watched"] == ["example-router", "Example Networks", "Router", ""]


def test_its_setting_says_what_it_finds(tmp_path):
    assert new("mine", "--dir", tmp_path / "front/plugins", "--prefix", "OURS").returncode == 0
    ran = outcome(tmp_path / "front/plugins/mine", "--set", 'OURS_devices=["02-00-00-00-00-09, 192.0.2.9, nine", "no MAC"]')
    assert [(found["primary"], found["watched"][0]) for found in ran["objects"]] == [("02:00:00:00:00:09", "nine")]
    assert "passed over, has no MAC address: no MAC" in ran["log"]


def test_in_a_site_it_makes_devices_and_shows_its_forms_and_columns(site):
    assert new("my_scan", "--dir", site.plugins).returncode == 0
    site.start()
    site.run("MYSCAN")
    assert {device["name"] for device in site.read("/devices")["devices"]} == {"example-router", "example-printer"}
    shown = site.read("/plugins/MYSCAN", language="de_de")
    assert shown["title"] == "My scan" and shown["languages"] == ["en_us"]
    forms = {setting["key"]: setting["schema"] for setting in shown["settings"]}
    assert forms["MYSCAN_RUN"]["enum"][:3] == ["disabled", "once", "schedule"]
    assert forms["MYSCAN_devices"]["items"] == {"type": "string"} and forms["MYSCAN_devices"]["x-editable"] is True
    assert shown["columns"][0] == {"field": "primary", "title": "MAC (name)", "shown": True, "css": "col-sm-3", "default": "",
                                   "display": [{"kind": "device_name"}]}
    assert shown["filters"] == [{"field": "primary", "compare": "==", "with": "mac"}]
    table = site.command("plugins", "show", "MYSCAN").stdout
    assert "MYSCAN_RUN " in table and "When to run" in table and "disabled, once, schedule" in table


@pytest.mark.parametrize("name", ["my_scan", "My-Scan2"])
def test_a_copy_by_hand_runs_too(tmp_path, name):
    plugin = tmp_path / name
    shutil.copytree(TEMPLATE, plugin)
    for file in ("config.json", "script.py"):
        text = (plugin / file).read_text().replace("__template", name).replace("TEMPLATE", "HAND")
        (plugin / file).write_text(text)
    ran = outcome(plugin)
    assert ran["status"] == "ok" and len(ran["devices"]) == 2


def test_without_a_dialect_it_is_of_the_one_that_has_a_template(tmp_path):
    done = sites.command("plugins", "new", "mine", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "mine/config.json").is_file(), done


def test_what_cannot_be_made_is_told(tmp_path):
    assert new("twice", cwd=tmp_path).returncode == 0
    for arguments, word in ((["twice"], "is there already"), (["../up"], "is no name for a plugin"),
                            (["__hidden"], "is no name for a plugin"), (["fine", "--prefix", "a b"], "is no prefix")):
        done = new(*arguments, cwd=tmp_path)
        assert done.returncode == 1 and word in done.stderr and done.stdout == "", done
    assert [path.name for path in tmp_path.iterdir()] == ["twice"]
    done = sites.command("plugins", "new", "x", "--dialect", "panoptes", cwd=tmp_path)
    assert done.returncode == 1 and "panoptes has no template" in done.stderr
    done = sites.command("plugins", "new", "x", "--dialect", "netalert", cwd=tmp_path)
    assert done.returncode == 2 and 'expected one of netalertx, panoptes, got "netalert"' in done.stderr
