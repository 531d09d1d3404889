import os

import pytest


@pytest.mark.parametrize("kind, stored, expected", [
    ("string", "a 'b'", "a 'b'"),
    ("string", "", ""),
    ("integer", "5", 5),
    ("integer", "TRUE", 1),
    ("integer", "false", 0),
    ("boolean", "True", True),
    ("boolean", "1", True),
    ("boolean", "yes", False),
    ("array", "['a', 'b']", ["a", "b"]),
    ("array", '["a", "b"]', ["a", "b"]),
    ("array", "['it\\'s', 1, True, None]", ["it's", 1, True, None]),
    ("array", "default", []),
    ("object", '{"a": 1}', {"a": 1}),
])
def test_values_have_their_type(app, kind, stored, expected):
    app.settings({"KEY": (kind, stored)})
    assert app.load("helper").get_setting_value("KEY") == expected


def test_an_integer_that_is_none_raises(app):
    app.settings({"KEY": ("integer", "")})
    with pytest.raises(ValueError):
        app.load("helper").get_setting_value("KEY")


def test_a_missing_key_gives_the_default(app):
    helper = app.load("helper")
    assert helper.get_setting_value("NOBODY_HAS") == ""
    assert helper.get_setting_value("NOBODY_HAS", 7) == 7


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"data": 1}', b'{"data": [1]}', b"\xff"])
def test_without_a_snapshot_settings_have_their_defaults(app, capsys, content):
    path = app.api / "table_settings.json"
    os.remove(path)
    if content is not None:
        path.write_bytes(content)
    helper = app.load("helper")
    assert helper.get_setting_value("X_RUN") == ""
    assert helper.get_setting_value("X_RUN", 7) == 7
    assert helper.get_setting("X_RUN") is None
    # A script begins by reading these two, and a zone cannot be empty.
    assert helper.get_setting_value("TIMEZONE") == "Europe/Berlin"
    assert helper.get_setting_value("LOG_LEVEL") == "verbose"
    (line,) = capsys.readouterr().out.splitlines()
    assert str(path) in line


def test_a_snapshot_that_comes_later_is_seen(app):
    os.remove(app.api / "table_settings.json")
    helper = app.load("helper")
    assert helper.get_setting_value("KEY") == ""
    app.settings({"KEY": ("string", "value")})
    assert helper.get_setting_value("KEY") == "value"


def test_a_new_snapshot_is_seen(app):
    helper = app.load("helper")
    app.settings({"KEY": ("string", "old")})
    assert helper.get_setting_value("KEY") == "old"
    app.settings({"KEY": ("string", "new")})
    os.utime(app.api / "table_settings.json", ns=(1, 1))
    assert helper.get_setting_value("KEY") == "new"


def test_a_list_is_the_callers_own(app):
    app.settings({"KEY": ("array", "['a']")})
    helper = app.load("helper")
    helper.get_setting_value("KEY").append("b")
    assert helper.get_setting_value("KEY") == ["a"]


@pytest.mark.parametrize("step, stored, expected", [
    ("base64", "aGVsbG8=", "hello"),
    ("prefix|base64", "base64:aGVsbG8=", "hello"),
    ("prefix|base64", "plain", "plain"),
    ("sha256", "5e88", "5e88"),
])
def test_transformers_are_reversed(app, step, stored, expected):
    app.settings({"KEY": ("string", stored)}, transformers=[step])
    assert app.load("helper").get_setting_value("KEY") == expected


def test_the_last_element_decides_unless_one_is_marked(app):
    convert = app.load("helper").setting_value_to_python_type
    plain, coded = {"transformers": []}, {"transformers": ["base64"]}
    assert convert({"dataType": "string", "elements": [plain, coded]}, "aGVsbG8=") == "hello"
    marked = dict(plain, elementHasInputValue=1)
    assert convert({"dataType": "string", "elements": [marked, coded]}, "aGVsbG8=") == "aGVsbG8="


def test_text_helpers(app, tmp_path):
    helper = app.load("helper")
    assert helper.check_IP_format(";; answer 203.0.113.7 ok") == "203.0.113.7"
    assert helper.check_IP_format("communications error to 203.0.113.7") == ""
    assert helper.check_IP_format("none") == ""
    assert helper.hide_string("secret") == "s****t"
    assert helper.hide_string("ab") == "ab"
    assert helper.hide_email("alice@example.com") == "a***e@example.com"
    assert helper.hide_email("nobody") == "nobody"
    assert helper.bytes_to_string(b"caf\xc3\xa9") == "caf\u00e9"
    assert helper.sanitize_string("a/b c-d_e!") == "ab c-d_e"
    assert helper.normalize_string("caf\u00e9") == "cafe"


@pytest.mark.parametrize("content, written", [("t\u00e9xt", "t\u00e9xt"), ({"a": 1}, '{"a": 1}'), (["x", "y"], "y"), (None, "")])
def test_write_file(app, tmp_path, content, written):
    app.load("helper").write_file(str(tmp_path / "out"), content)
    assert (tmp_path / "out").read_text(encoding="utf-8") == written
