"""Validators and helpers."""
import logging
import sys

import pytest

from yahoo_panoptes.framework import const
from yahoo_panoptes.framework.utilities import helpers
from yahoo_panoptes.framework.validators import PanoptesValidators as validators


@pytest.mark.parametrize("check, good, bad", [
    (validators.valid_logger, [logging.getLogger("x")], [None]),
    (validators.valid_callback, [len], [object()]),
    (validators.valid_hashable_object, [object(), "x"], [[], {}]),
    (validators.valid_port, [1, 65535], [0, 65536, 1.0, "1", True]),
    (validators.valid_number, [0, 1.5, 1j], [True, "1", None]),
    (validators.valid_nonzero_integer, [1, 2 ** 70], [0, -1, 1.0, True, "1"]),
    (validators.valid_positive_integer, [0, 1], [-1, False, 1.0]),
    (validators.valid_none_or_string, [None, "x"], ["", 1]),
    (validators.valid_nonempty_string, ["x"], ["", None, b"x"]),
    (validators.valid_none_or_nonempty_string, [None, "x"], ["", 1]),
    (validators.valid_readable_path, ["/"], [__file__, "/not/there", None]),
    (validators.valid_readable_file, [__file__], ["/", None]),
    (validators.valid_nonempty_iterable_of_strings, [["x"], {"x"}], ["x", [], [""], ["x", 1], None]),
    (validators.valid_numeric_snmp_oid, [".1.3.6", ".1"], ["1.3.6", "", "x", None])])
def test_validators(check, good, bad):
    assert all(check(value) for value in good)
    assert not any(check(value) for value in bad)


def test_timestamps(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1000000.0)
    valid = validators.valid_timestamp
    assert valid(1000000) and valid(1000000 - 604800) and valid(1000060.0) and valid(1000100, max_skew=100)
    assert not valid(1000061) and not valid(1000000 - 604801) and not valid("1000000") and not valid(1000000, None)


@pytest.mark.parametrize("call, given, wanted", [
    (helpers.normalize_plugin_name, "My_Plug in", "My__Plug_in"),
    (helpers.convert_celsius_to_fahrenheit, 20, 68.0),
    (helpers.transform_octet_to_mac, "\x00\x1b\xff", "00:1B:FF"),
    (helpers.transform_octet_to_mac, b"\x00\x1b\xff", "00:1B:FF"),
    (helpers.transform_dotted_decimal_to_mac, "0.27.255", "00:1B:FF"),
    (helpers.transform_index_ipv6_address, "254.128.0.0.0.0.0.0.0.5.115.255.254.160.0.3", "fe80::5:73ff:fea0:3"),
    (helpers.convert_netmask_to_cidr, "255.255.255.0", 24),
    (helpers.unknown_hostname, "10.1.2.3", "unknown-10-1-2-3"),
    (helpers.get_ip_version, "192.0.2.1", 4),
    (helpers.get_ip_version, "2001:db8::1", 6),
    (helpers.ordered, {"b": [2, 1], "a": {"c": 3}}, [("a", [("c", 3)]), ("b", [1, 2])])])
def test_conversions(call, given, wanted):
    assert call(given) == wanted


def test_no_address():
    with pytest.raises(ValueError):
        helpers.get_ip_version("10.1")


def test_pairs_in_a_text():
    assert helpers.convert_kv_str_to_dict("a|1|b|2", "geo") == {"geo_a": "1", "geo_b": "2"}
    assert helpers.convert_kv_str_to_dict("a|1|b", "geo") == {}
    with pytest.raises(AssertionError):
        helpers.convert_kv_str_to_dict("", "geo")


def test_when_code_changed(tmp_path):
    import os
    for name, changed in (("old.py", 1000), ("new.py", 2000)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (changed, changed))
    assert helpers.get_module_mtime(str(tmp_path)) == 2000
    assert helpers.get_module_mtime(str(tmp_path / "old")) == 1000
    assert helpers.get_module_mtime(str(tmp_path / "none")) == 0


def test_names_and_addresses():
    assert helpers.resolve_hostnames(["localhost", "no such host"], 60) == [("localhost", "127.0.0.1"),
                                                                            ("no such host", None)]
    assert helpers.get_hostnames(["no address"], 60) == {"no address": "unknown-no address"}
    for call in (helpers.resolve_hostnames, helpers.get_hostnames):
        with pytest.raises(AssertionError):
            call("localhost", 5)
        with pytest.raises(AssertionError):
            call(["localhost"], 0)


def test_who_is_asking():
    assert helpers.get_calling_module_name(1) == __name__
    assert helpers.inspect_calling_module_for_name("test_panoptes_helpers")
    assert not helpers.inspect_calling_module_for_name("nobody")
    words = helpers.get_client_id("plugin").split("_")
    assert words[1] == "plugin" and words[-1] == str(helpers.get_os_tid())


def test_captured_output():
    with helpers.CaptureStdOut() as out, helpers.CaptureStdErr() as err:
        print("one\ntwo")
        print("three", file=sys.stderr)
    assert (out, err) == (["one", "two"], ["three"])


def test_configuration_files(tmp_path):
    spec, good, bad = tmp_path / "spec.ini", tmp_path / "good.ini", tmp_path / "bad.ini"
    spec.write_text("[log]\nrate = integer(0, 100)\n")
    good.write_text("[log]\nrate = 5\n")
    bad.write_text("[log]\nrate = 500\n")
    assert helpers.parse_config_file(str(good), str(spec))["log"]["rate"] == 5
    with pytest.raises(helpers.PanoptesConfigurationParsingError, match='"rate" key in section "log"'):
        helpers.parse_config_file(str(bad), str(spec))
    with pytest.raises(helpers.PanoptesConfigurationParsingError):
        helpers.parse_config_file(str(tmp_path / "none"), str(spec))


def test_constants():
    assert (const.MELTING_POINT_STEEL, const.KV_STORE_DELIMITER) == (1371, "|")
