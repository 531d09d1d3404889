"""app.db and the snapshots of NetAlertX: what its scripts read of what others found."""
import json
import re
import sqlite3
import subprocess
import sys

import pytest
import sites

# What no scanner here makes up.
OTHER_MAC = re.compile("(?!02:(aa|bb):)[0-9a-f]{2}(:[0-9a-f]{2}){5}")
MACS = ["02:aa:00:00:00:01", "02:aa:00:00:00:02"]
SCANNER = f"""
    with open(RESULT, "w") as file:
        file.write(row("{MACS[0]}", "10.0.0.1", "null", "acme") + row("{MACS[1]}", "10.0.0.2", "printer", "acme"))
    """
# Names each device without a name after its address, as the resolvers do.
RESOLVER = """
    sys.path.insert(0, os.environ["NETALERTX_APP"] + "/server")
    import conf
    from pytz import timezone
    from helper import get_setting_value
    from models.device_instance import DeviceInstance
    from plugin_helper import Plugin_Objects
    conf.tz = timezone(get_setting_value("TIMEZONE"))
    objects = Plugin_Objects(RESULT)
    for device in DeviceInstance().getUnknown():
        objects.add_object(device["devMac"], device["devLastIP"], "", "host-" + device["devLastIP"], "", "", "", "")
    objects.write_result_file()
    """
# Says what the snapshots say.
READER = """
    import json
    def data(name):
        with open(os.environ["NETALERTX_API"] + "/" + name) as file:
            return json.load(file)["data"]
    with open(RESULT, "w") as file:
        for device in data("table_devices.json"):
            file.write(row(device["devMac"], device["devName"], json.dumps(device["devPresentLastScan"])))
        for thing in data("table_plugins_objects.json"):
            file.write(row("object " + thing["objectPrimaryId"], thing["plugin"], thing["status"]))
        names = {row["setKey"]: row["setValue"] for row in data("table_settings.json")}
        file.write(row("setting", "SCANNER_RUN", names["SCANNER_RUN"]))
        file.write(row("plugins", ",".join(sorted(plugin["unique_prefix"] for plugin in data("plugins.json")))))
    """


def objects(site, plugin):
    """[(primary, secondary, first watched value)], but for the host that the daemon runs on."""
    found = site.read("/objects", plugin=f"netalertx:{plugin}")["objects"]
    return [(one["primary"], one["secondary"], one["watched"][0]) for one in found
            if not OTHER_MAC.fullmatch(one["primary"].removeprefix("object "))]


def ran(site, name):
    run = site.run(name)
    assert run["status"] == "ok", (run, site.log)
    return run


def query_plugin(site, name, source, sql, **more):
    plugin = site.plugin(name, "", command=sql)
    document = json.loads((plugin / "config.json").read_text())
    document["data_source"] = source
    for function, value in more.items():
        document["settings"].append(sites.setting(function, "string", value))
    (plugin / "config.json").write_text(json.dumps(document))


@pytest.fixture
def scanned(site):
    """A site whose scanner has found two devices; its daemon runs."""
    site.plugin("scanner", SCANNER, devices=True)
    yield site


def test_a_script_sees_at_once_what_the_one_before_found(scanned):
    scanned.plugin("resolver", RESOLVER)
    scanned.plugin("reader", READER)
    scanned.start()
    ran(scanned, "SCANNER")
    ran(scanned, "RESOLVER")
    assert [(p, s) for p, s, _ in objects(scanned, "RESOLVER")] == [(MACS[0], "10.0.0.1")]
    ran(scanned, "READER")
    assert set(objects(scanned, "READER")) == {
        (MACS[0], "(unknown)", "1"), (MACS[1], "printer", "1"), (f"object {MACS[0]}", "SCANNER", "new"),
        (f"object {MACS[1]}", "SCANNER", "new"), (f"object {MACS[0]}", "RESOLVER", "new"),
        ("setting", "SCANNER_RUN", "disabled"), ("plugins", "READER,RESOLVER,SCANNER", "null")}


def test_a_persons_edit_is_seen_by_the_next_script(scanned):
    scanned.plugin("resolver", RESOLVER)
    scanned.start()
    ran(scanned, "SCANNER")
    assert scanned.patch("/devices/1", {"set": {"name": "mine"}}).status == 200
    ran(scanned, "RESOLVER")
    assert objects(scanned, "RESOLVER") == []


def test_queries_are_data_sources_and_parameters(scanned, tmp_path):
    ftl = tmp_path / "ftl.db"
    with sqlite3.connect(ftl) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE network (id INTEGER, hwaddr TEXT, lastQuery INTEGER, macVendor TEXT)")
        db.execute("INSERT INTO network VALUES (1, '02:bb:00:00:00:01', 1700000000, 'acme')")
    db.close()
    query_plugin(scanned, "appq", "app-db-query",
                 "SELECT devMac, devLastIP, devLastConnection, devName, devVendor, {s-quote}x{s-quote}, NULL, '', '' FROM Devices")
    query_plugin(scanned, "ftlq", "sqlite-db-query",
                 "SELECT hwaddr, NULL, '2026-01-01 00:00:00', macVendor, lastQuery, '', '', '', '' FROM EXTERNAL_FTLQ.network",
                 DB_PATH=str(ftl))
    scanned.plugin("listed", """
        open(RESULT, "w").write(row("argv", sys.argv[1], sys.argv[2]))
        """, command="python3 /app/server/plugins/listed/script.py {ips} {count}", params=[
            {"name": "ips", "type": "sql", "timeoutMultiplier": True,
             "value": "SELECT devLastIP FROM Devices WHERE devMac LIKE '02:aa:%' ORDER BY devMac"},
            {"name": "count", "type": "sql",
             "value": "SELECT COUNT(*) FROM Plugins_Objects WHERE objectPrimaryId LIKE '02:aa:%' OR plugin = 'FTLQ'"}])
    scanned.plugin("broken", "", command="python3 {x}", params=[{"name": "x", "type": "sql", "value": "DELETE FROM Devices"}])
    scanned.start()
    ran(scanned, "SCANNER")
    ran(scanned, "APPQ")
    assert objects(scanned, "APPQ") == [(MACS[0], "10.0.0.1", "(unknown)"), (MACS[1], "10.0.0.2", "printer")]
    ran(scanned, "FTLQ")
    assert objects(scanned, "FTLQ") == [("02:bb:00:00:00:01", "null", "acme")]
    ran(scanned, "LISTED")
    assert objects(scanned, "LISTED") == [("argv", "10.0.0.1,10.0.0.2", "5")]
    failed = scanned.run("BROKEN")
    assert failed["status"] != "ok" and 'BROKEN: parameter "x": ' in failed["message"], failed
    assert {one["mac"] for one in scanned.devices()} >= set(MACS)


def test_others_that_use_the_file_lose_nothing_and_hold_nobody_up(site, tmp_path):
    """A reader in a transaction and a writer that never rests, beside scans."""
    found = tmp_path / "found"
    site.plugin("scanner", f"""
        for i in range(int(open({str(found)!r}).read())):
            open(RESULT, "a").write(row(f"02:cc:00:00:00:0{{i}}", f"10.0.1.{{i}}"))
        """, devices=True)
    found.write_text("1")
    site.start()
    ran(site, "SCANNER")
    app_db = site.data / "dialects/netalertx/data/db/app.db"
    reader = sqlite3.connect(app_db, isolation_level=None)
    count = "SELECT COUNT(*) FROM Devices WHERE devMac LIKE '02:cc:%'"
    sites.wait_for(lambda: reader.execute(count).fetchone() == (1,), "the device is there")
    reader.execute("BEGIN")
    assert reader.execute(count).fetchone() == (1,)
    writer = subprocess.Popen([sys.executable, "-c", f"""
import sqlite3
db = sqlite3.connect({str(app_db)!r}, timeout=30, isolation_level=None)
for i in range(300):
    db.execute("INSERT INTO Parameters VALUES (?, 'x')", (i,))
"""])
    for devices in range(2, 7):
        found.write_text(str(devices))
        run = ran(site, "SCANNER")
        assert not run["message"], run
    assert writer.wait(sites.PATIENCE) == 0
    assert reader.execute(count).fetchone() == (1,)
    reader.execute("COMMIT")
    sites.wait_for(lambda: reader.execute(count).fetchone() == (6,), "all devices are there")
    assert reader.execute("SELECT COUNT(*) FROM Parameters").fetchone() == (300,)
    reader.close()


def test_without_a_daemon_a_script_has_a_database_of_its_own(tmp_path):
    folder = sites.write_plugin(tmp_path, "resolver", RESOLVER + """
    from database import DB
    db = DB()
    db.open()
    print("settings:", len(db.read("SELECT * FROM Settings WHERE setKey LIKE 'RESOLVER_%'")) > 5)
    """)
    done = sites.command("run", folder)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "settings: True" in done.stdout + done.stderr, done.stdout + done.stderr
