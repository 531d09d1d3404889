"""Settings: app.conf, the site configuration, the API and the override, as a script reads them."""
import json
import subprocess

import pytest
import sites

PASSWORD = "correct-horse-battery"
SCRIPT = """
import json, sqlite3
sys.path.extend([os.environ["NETALERTX_APP"] + "/server", os.environ["NETALERTX_APP"] + "/server/plugins"])
from helper import get_setting, get_setting_value
import plugin_helper
KEYS = ["READER_RUN", "READER_password", "READER_LIST", "READER_NUMBER", "READER_ENCODED", "TIMEZONE", "SCAN_SUBNETS",
        "LOG_LEVEL", "OTHER_password", "API_TOKEN"]
conf = {}
exec(open(os.environ["NETALERTX_CONFIG"] + "/app.conf").read(), {"__builtins__": {}}, conf)
rows = {row["setKey"]: row for row in json.load(open(os.environ["NETALERTX_API"] + "/table_settings.json"))["data"]}
found = {"helper": {key: get_setting_value(key) for key in KEYS}, "conf": {key: conf.get(key) for key in KEYS},
         "rows": {key: rows.get(key) for key in KEYS}, "metadata": json.loads(rows["READER_LIST__metadata"]["setValue"]),
         "argument": sys.argv[1:], "zone": plugin_helper.timeZone}
print("FOUND " + json.dumps(found))
"""


def element(kind, *transformers, **options):
    return {"elementType": kind, "elementOptions": [options] if options else [], "transformers": list(transformers)}


def add_settings(plugin, *settings, **more):
    manifest = json.loads((plugin / "config.json").read_text())
    for function, data_type, default, elements in settings:
        one = sites.setting(function, data_type, default)
        one["type"]["elements"] = elements
        manifest["settings"].append(one)
    (plugin / "config.json").write_text(json.dumps(manifest | more))


@pytest.fixture
def installation(site):
    """An installation of the original's shape, with a plugin that says what it reads."""
    root = site.folder / "original"
    reader = sites.write_plugin(root / "server/plugins", "reader", SCRIPT, command=(
        "python3 /app/front/plugins/reader/script.py list={list} password={password}"), params=[
            {"name": "list", "type": "setting", "value": "READER_LIST"},
            {"name": "password", "type": "setting", "value": "READER_password"}])
    add_settings(reader, ("password", "string", "", [element("input", type="password")]),
                 ("LIST", "array", ["default"], [element("select", multiple="true")]),
                 ("NUMBER", "integer", 1, [element("input", type="number")]),
                 ("ENCODED", "string", "", [element("input", "prefix|base64")]))
    other = sites.write_plugin(root / "server/plugins", "other", "print('nothing')")
    add_settings(other, ("password", "string", "", [element("input", type="password")]))
    write_conf(root, "")
    site.root = root
    return site


def write_conf(root, text, override=None):
    folder = root / "config"
    folder.mkdir(exist_ok=True)
    (folder / "app.conf").write_text(text)
    (folder / "app.conf").chmod(0o644)
    if override is not None:
        (folder / "app_conf_override.json").write_text(json.dumps(override))
        (folder / "app_conf_override.json").chmod(0o644)


def found(site, plugin="READER"):
    run = site.run(plugin)
    assert run["status"] == "ok", (run, site.log)
    log = site.request("GET", f"/api/v1/runs/{run['id']}/log").text
    assert PASSWORD not in run["command"], run
    return json.loads(log.split("FOUND ", 1)[1].splitlines()[0])


def set_value(site, key, value):
    answer = site.request("PUT", f"/api/v1/settings/netalertx/{key}", {"value": value})
    assert answer.status == 200, answer
    return answer.json


def test_each_layer_counts_over_the_one_below_and_every_reader_sees_it(installation):
    site = installation
    write_conf(site.root, """# General
TIMEZONE='Asia/Tokyo'
SCAN_SUBNETS=['10.0.0.0/24 --interface=eth0',
              '10.0.1.0/24']  # two
READER_NUMBER=2
READER_LIST=['from the file', 'it{s-quote}s']
READER_ENCODED='base64:aGVsbG8='
READER_LIST__metadata={'a': 1}
import os
OTHER_RUN='disabled'
""", {"READER_LIST": ["over", "it's"], "NOBODY_KNOWS": 1})
    site.configure(plugins=site.root, settings='READER_NUMBER = 3\nLOG_LEVEL = "debug"')
    site.start()
    assert "app.conf: line 9: is no assignment" in site.log
    assert "NOBODY_KNOWS: no plugin that was read declares it" in site.log
    set_value(site, "LOG_LEVEL", "trace")
    assert set_value(site, "READER_LIST", ["set"])["source"] == "override"
    seen = found(site)
    assert seen["helper"] == {
        "READER_RUN": "disabled", "READER_password": "", "READER_LIST": ["over", "it's"], "READER_NUMBER": 3,
        "READER_ENCODED": "hello", "TIMEZONE": "Asia/Tokyo",
        "SCAN_SUBNETS": ["10.0.0.0/24 --interface=eth0", "10.0.1.0/24"], "LOG_LEVEL": "trace", "OTHER_password": "",
        "API_TOKEN": ""}
    assert seen["conf"] | {"READER_ENCODED": "hello"} == seen["helper"]
    assert seen["conf"]["READER_ENCODED"] == "base64:aGVsbG8="
    assert seen["zone"] == "Asia/Tokyo"
    assert seen["argument"][0] == "list=over,its"
    rows = seen["rows"]
    assert rows["READER_NUMBER"]["setValue"] == "3" and rows["READER_NUMBER"]["setOverriddenByEnv"] == 0
    assert rows["READER_LIST"]["setOverriddenByEnv"] == 1 and rows["READER_LIST"]["setGroup"] == "READER"
    assert rows["SCAN_SUBNETS"]["setValue"] == "['10.0.0.0/24 --interface=eth0', '10.0.1.0/24']"
    assert rows["SCAN_SUBNETS"]["setGroup"] == "General"
    assert "'dataType': 'array'" in rows["READER_LIST"]["setType"]
    assert seen["metadata"]["function"] == "LIST"
    listed = {row["key"]: row for row in site.read("/settings", dialect="netalertx")["settings"]}
    assert {key: listed[key]["source"] for key in ("READER_RUN", "TIMEZONE", "READER_NUMBER", "LOG_LEVEL")} == {
        "READER_RUN": "default", "TIMEZONE": "app.conf", "READER_NUMBER": "site", "LOG_LEVEL": "set by local"}
    assert listed["TIMEZONE"]["place"].endswith("/config/app.conf:2")


def test_a_change_of_the_file_counts_from_the_next_run_on(installation):
    site = installation
    site.configure(plugins=site.root)
    site.start()
    assert found(site)["helper"]["LOG_LEVEL"] == "verbose"
    write_conf(site.root, "LOG_LEVEL='debug'\nREADER_NUMBER=5\n")
    assert site.post("/plugins/rescan").status == 200
    seen = found(site)["helper"]
    assert seen["LOG_LEVEL"] == "debug" and seen["READER_NUMBER"] == 5
    # A value of no plugin alone is a change too, and so is one over the API, at once.
    write_conf(site.root, "LOG_LEVEL='minimal'\nREADER_NUMBER=5\n")
    site.post("/plugins/rescan")
    assert found(site)["helper"]["LOG_LEVEL"] == "minimal"
    set_value(site, "LOG_LEVEL", "trace")
    assert found(site)["helper"]["LOG_LEVEL"] == "trace"
    assert site.request("DELETE", "/api/v1/settings/netalertx/LOG_LEVEL").status == 200
    assert found(site)["helper"]["LOG_LEVEL"] == "minimal"


def test_a_wrong_value_names_its_line_and_stops_nobody_else(installation):
    site = installation
    write_conf(site.root, "\nREADER_NUMBER='many'\nDAYS_TO_KEEP_EVENTS='soon'\n")
    site.configure(plugins=site.root)
    site.start()
    assert [plugin["name"] for plugin in site.read("/plugins")["plugins"] if plugin["state"] == "enabled"] == ["OTHER"]
    assert "READER_NUMBER: expected a whole number (given in" in site.log and "app.conf:2)" in site.log
    assert "app.conf:3: DAYS_TO_KEEP_EVENTS" in site.log and "the default counts" in site.log
    # Over the API it is refused.
    for value in ("many", [], None):
        sites.refused(site.request("PUT", "/api/v1/settings/netalertx/OTHER_RUN_TIMEOUT", {"value": value}), 400,
                      "OTHER_RUN_TIMEOUT")
    set_value(site, "OTHER_RUN", "schedule")
    detail = sites.refused(site.request("PUT", "/api/v1/settings/netalertx/OTHER_RUN_SCHD", {"value": "noon"}), 400,
                           "OTHER_RUN_SCHD")
    assert "noon" in detail
    set_value(site, "OTHER_RUN_SCHD", "0 12 * * *")
    assert site.read("/plugins/OTHER")["triggers"][0]["cron"] == "0 12 * * *"
    site.stop()
    site.start()
    assert site.read("/plugins/OTHER")["triggers"][0]["cron"] == "0 12 * * *"


def test_a_secret_is_in_the_vault_and_known_to_its_plugin_alone(installation):
    site = installation
    site.configure(plugins=site.root)
    site.start()
    refused = site.command("settings", "set", f"READER_password={PASSWORD}")
    assert refused.returncode == 1 and "standard input" in refused.stderr
    for key in ("READER_password", "OTHER_password"):
        done = subprocess.run([str(sites.BIN / "backplane"), "settings", "set", key, "--data", str(site.data)],
                              input=PASSWORD + "\n", env=sites.environment(), capture_output=True, text=True,
                              timeout=sites.PATIENCE * 2)
        assert done.returncode == 0 and done.stdout == f"{key} is (set)\n", done
    seen = found(site)
    assert seen["helper"]["READER_password"] == PASSWORD and seen["helper"]["OTHER_password"] == ""
    assert seen["argument"][1] == f"password={PASSWORD}"
    for command in (("settings", "list"), ("settings", "get", "READER_password"), ("audit", "list"),
                    ("plugins", "show", "READER"), ("settings", "list", "--json")):
        shown = site.command(*command)
        assert shown.returncode == 0 and PASSWORD not in shown.stdout + shown.stderr, shown
    assert "(set)" in site.command("settings", "get", "READER_password").stdout
    assert PASSWORD not in site.log
    assert site.command("settings", "unset", "READER_password").returncode == 0
    assert [one["name"] for one in site.read("/secrets")["secrets"]] == ["settings/netalertx/OTHER_password"]
    assert found(site)["helper"]["READER_password"] == ""


def test_the_token_of_the_api_is_made_up_once_for_whom_it_concerns(installation):
    site = installation
    site.configure(plugins=site.root)
    site.start()
    assert site.read("/secrets")["secrets"] == []  # nobody needs it
    add_settings(site.root / "server/plugins/reader", plugin_type="core")
    site.post("/plugins/rescan")
    token = found(site)["helper"]["API_TOKEN"]
    assert token.startswith("t_") and len(token) == 22
    site.stop()
    site.start()
    assert found(site)["helper"]["API_TOKEN"] == token
    write_conf(site.root, "API_TOKEN='t_mine'\n")
    site.post("/plugins/rescan")
    assert found(site)["helper"]["API_TOKEN"] == "t_mine"


def test_commands(installation):
    site = installation
    site.configure(plugins=site.root)
    site.start()
    done = site.command("settings", "set", "READER_LIST=['a', 'b']")
    assert done.returncode == 0 and done.stdout == "READER_LIST is ['a', 'b']\n" or "a" in done.stdout, done
    assert site.command("settings", "get", "READER_LIST").stdout == '["a","b"]\n'
    assert site.command("settings", "set", "READER_CMD=python3 1.50").stdout == "READER_CMD is python3 1.50\n"
    given = site.command("settings", "list", "--given")
    assert given.returncode == 0 and [line.split()[0] for line in given.stdout.splitlines()[1:]] == [
        "READER_CMD", "READER_LIST"], given
    assert site.command("settings", "unset", "READER_LIST").stdout == 'READER_LIST is ["default"] again (default)\n'
    unknown = site.command("settings", "set", "READER_LITS=1")
    assert unknown.returncode == 1 and "did you mean READER_LIST?" in unknown.stderr
    assert site.command("settings", "set", "READER_NUMBER").returncode == 1


def test_run_takes_the_configuration_that_the_site_names(installation):
    site = installation
    write_conf(site.root, "READER_NUMBER=7\n")
    site.config.write_text(f'[[plugins]]\npath = "{site.root}/server/plugins"\nconfig = "{site.root}/config"\n')
    done = sites.command("run", site.root / "server/plugins/reader", "--config", site.config, "--json",
                         "--set", "LOG_LEVEL=debug")
    assert done.returncode == 0, done
    seen = json.loads(json.loads(done.stdout)["log"].split("FOUND ", 1)[1].splitlines()[0])
    assert seen["helper"]["READER_NUMBER"] == 7 and seen["helper"]["LOG_LEVEL"] == "debug"
