import json
import re

import pytest


def messages(app):
    return json.loads((app.api / "user_notifications.json").read_text(encoding="utf-8"))


def test_messages_are_added(app):
    in_app = app.load("messaging.in_app")
    in_app.write_notification("caf\u00e9")
    in_app.write_notification("two", "info", "2026-08-22 10:00:00")
    one, two = messages(app)
    assert (one["content"], one["level"], one["read"]) == ("caf\u00e9", "alert", 0)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", one["timestamp"])
    assert (two["content"], two["level"], two["timestamp"]) == ("two", "info", "2026-08-22 10:00:00")
    assert len(one["guid"]) == 36 and one["guid"] != two["guid"]


def test_the_newest_stay_the_newest_first(app):
    in_app = app.load("messaging.in_app")
    for day in ("21", "23", "22"):
        in_app.write_notification(day, timestamp=f"2026-08-{day} 10:00:00")
    in_app.remove_old(2)
    assert [one["content"] for one in messages(app)] == ["23", "22"]
    in_app.remove_old(0)
    assert messages(app) == []


def test_without_messages_there_is_nothing_to_remove(app):
    app.load("messaging.in_app").remove_old(5)
    assert messages(app) == []


@pytest.mark.parametrize("content", ["", "{", "{}", "[1]"])
def test_a_torn_file_begins_anew(app, content):
    (app.api / "user_notifications.json").write_text(content)
    app.load("messaging.in_app").write_notification("text")
    assert [one["content"] for one in messages(app)] == ["text"]
