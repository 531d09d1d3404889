import base64
import json
import re
import sys

import pytest


@pytest.fixture
def helper(app):
    return app.load("plugin_helper")


def rows(path):
    return [line.split("|") for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_row_has_thirteen_columns(app, helper):
    path = app.log / "plugins" / "last_result.X.log"
    objects = helper.Plugin_Objects(str(path))
    objects.add_object("p", "s", "1", "2", "3", "4", "x", "f", "h1", None, "h3", 4)
    objects.write_result_file()
    (row,) = rows(path)
    assert row[:2] + row[3:] == ["p", "s", "1", "2", "3", "4", "x", "f", "h1", "", "h3", "4"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row[2])


def test_names_of_the_guide_are_understood(helper):
    objects = helper.Plugin_Objects("MINE")
    objects.add_object(objectPrimaryId="p", objectSecondaryId="s", DateTime="2023-01-02 15:56:30", watchedValue1="1",
                       watchedValue2="2", watchedValue3="3", watchedValue4="4", Extra="x", ForeignKey="f", helpVal1="h")
    assert objects.objects[0].write() == "p|s|2023-01-02 15:56:30|1|2|3|4|x|f|h|||\n"
    with pytest.raises(TypeError, match="nobody"):
        objects.add_object(nobody="x")


def test_without_objects_the_file_is_empty(app, helper):
    path = app.log / "plugins" / "last_result.X.log"
    path.write_text("old\n", encoding="utf-8")
    helper.Plugin_Objects(str(path)).write_result_file()
    assert path.read_text(encoding="utf-8") == ""
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_values_cannot_tear_a_row(app, helper):
    path = app.log / "plugins" / "last_result.X.log"
    objects = helper.Plugin_Objects(str(path))
    objects.add_object(primaryId="a|b", secondaryId="c\r\nd\re\nf", extra=None, watched1="\ud800")
    objects.write_result_file()
    (row,) = rows(path)
    assert len(row) == 13
    assert row[0] == "a\u00a6b"
    assert row[1] == "c d e f"
    assert row[7] == "None"


def test_the_file_may_be_named_by_prefix_or_by_the_running_plugin(app, helper, tmp_path, monkeypatch):
    expected = str(app.log / "plugins" / "last_result.MINE.log")
    assert helper.Plugin_Objects("MINE").result_file == expected
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text(json.dumps({"unique_prefix": "MINE"}), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "mine" / "script.py")])
    assert helper.Plugin_Objects().result_file == expected


def test_nothing_to_name_the_file_by_is_said(helper, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "script.py")])
    with pytest.raises(ValueError, match=re.escape(str(tmp_path / "config.json"))):
        helper.Plugin_Objects()


def test_a_folder_that_is_missing_is_made(app, helper):
    (app.log / "plugins").rmdir()
    helper.Plugin_Objects("MINE").write_result_file()
    assert (app.log / "plugins" / "last_result.MINE.log").read_bytes() == b""


def test_collections_add_up(app, helper):
    a, b = helper.Plugin_Objects("/x/a.log"), helper.Plugin_Objects("/x/b.log")
    a.add_object("1")
    b.add_object("2")
    both = a + b
    assert (both.result_file, len(both), len(a)) == ("/x/a.log", 2, 1)
    assert [one.primaryId for one in both.objects] == ["1", "2"]


def test_an_object_can_be_filled_later(helper):
    one = helper.Plugin_Object()
    one.primaryId = "p"
    assert one.write().startswith("p||")
    assert (one.status, one.userData, one.changed, one.pluginPref) == ("", "", "", "")


@pytest.mark.parametrize("text, expected", [
    ("AA:bb:CC:dd:EE:ff", True), ("aa-bb-cc-dd-ee-ff", True), ("aabbccddeeff", True), ("aa:bb:cc:*", True),
    ("AA-BB-CC:*", True),
    ("aa:bb:cc:dd:ee", False), ("aa:bb:cc:dd:ee:ff:", False), ("aa:bb:*", False), ("gg:bb:cc:dd:ee:ff", False), ("internet", False),
    ("", False), (None, False),
])
def test_is_mac(helper, text, expected):
    assert helper.is_mac(text) is expected


@pytest.mark.parametrize("text, expected", [
    ("AA-BB-CC-DD-EE-FF", "aa:bb:cc:dd:ee:ff"), ("aabbccddeeff", "aa:bb:cc:dd:ee:ff"), ("A:B:C:D:E:F", "0a:0b:0c:0d:0e:0f"),
    ("AA:BB:CC:*", "aa:bb:cc:*"), ("aabbcc*", "aa:bb:cc:*"), ("Internet", "internet"),
])
def test_normalize_mac(helper, text, expected):
    assert helper.normalize_mac(text) == expected


def test_parse_scan_subnets(helper, monkeypatch):
    monkeypatch.setattr(helper.os.path, "exists", lambda path: path == "/sys/class/net/eth1.7")
    plain, vlan, gone = helper.parse_scan_subnets([
        "192.168.1.0/24", "10.0.0.0/8 --vlan=7 --interface=eth1 --retry=2", "10.0.0.0/8 --interface=eth1 --vlan=8"])
    assert (plain.subnet, plain.interface, plain.vlan, plain.resolved_interface) == ("192.168.1.0/24", None, None, None)
    assert (vlan.subnet, vlan.interface, vlan.vlan, vlan.resolved_interface) == ("10.0.0.0/8 --retry=2", "eth1", "7", "eth1.7")
    assert gone.resolved_interface == "eth1"
    assert gone.raw == "10.0.0.0/8 --interface=eth1 --vlan=8"


def test_decode_settings_base64(helper):
    form = [["G", "url", "string", "http://x"], ["G", "n", "integer", "5"], ["G", "f", "float", "1.5"],
            ["G", "yes", "Boolean", "True"], ["G", "no", "boolean", "False"]]
    text = base64.b64encode(json.dumps(form).encode()).decode()
    assert helper.decode_settings_base64(text) == {"url": "http://x", "n": 5, "f": 1.5, "yes": True, "no": False}
    assert helper.decode_settings_base64(text, convert_types=False)["n"] == "5"


def test_texts_are_made_harmless(helper):
    assert helper.handleEmpty("") == "null"
    assert helper.handleEmpty(None) == "null"
    assert helper.handleEmpty("caf\u00e9\u00e9 x\r\ny") == "caf  xy"
    assert helper.handleEmpty(5) == 5
    assert helper.rmBadChars("it's") == "it_s"
    assert helper.rmBadChars(None) == "null"


def test_router_addresses(helper):
    assert helper.is_typical_router_ip("192.168.1.1")
    assert not helper.is_typical_router_ip("192.168.1.17")


def test_the_zone_comes_from_app_conf(helper):
    assert helper.timeZone == "Asia/Tokyo"
    assert helper.configFile["TIMEZONE"] == "Asia/Tokyo"


def test_without_app_conf_there_is_a_zone(app):
    (app.root / "data" / "config" / "app.conf").unlink()
    helper = app.load("plugin_helper")
    assert (helper.configFile, helper.timeZone) == ({}, "Europe/Berlin")


def test_an_unknown_zone_falls_back(app):
    (app.root / "data" / "config" / "app.conf").write_text("TIMEZONE='Mars/Olympus'\n", encoding="utf-8")
    assert app.load("plugin_helper").timeZone == "Europe/Berlin"


def test_the_log_is_at_hand(helper):
    assert callable(helper.mylog)
