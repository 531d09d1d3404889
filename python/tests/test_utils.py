import datetime
import hashlib
import re

import pytest
import pytz


def test_now_is_utc_in_whole_seconds(app):
    times = app.load("utils.datetime_utils")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", times.timeNowUTC())
    now = times.timeNowUTC(as_string=False)
    assert now.utcoffset() == datetime.timedelta(0) and now.microsecond == 0
    assert times.DATETIME_PATTERN == "%Y-%m-%d %H:%M:%S"


def test_iso_has_the_offset_of_the_zone(app):
    times = app.load("utils.datetime_utils")
    app.load("conf").tz = pytz.timezone("Asia/Tokyo")
    assert times.format_date_iso("2026-08-22 10:00:00") == "2026-08-22T19:00:00+09:00"
    assert times.format_date_iso("") is None
    assert times.format_date_iso("never") is None


def test_fake_mac_depends_on_the_text_alone(app):
    crypto = app.load("utils.crypto_utils")
    digest = hashlib.sha256(b"name").hexdigest()
    assert crypto.string_to_fake_mac("name") == "fa:ce:" + ":".join(digest[at:at + 2] for at in (4, 6, 8, 10))


def test_the_cipher_goes_both_ways(app):
    pytest.importorskip("cryptography")
    crypto = app.load("utils.crypto_utils")
    text = crypto.encrypt_data("h\u00e9llo", "key")
    assert text[22:24] == "=="
    assert crypto.encrypt_data("h\u00e9llo", "key") != text
    assert crypto.decrypt_data(text, "key") == "h\u00e9llo"
    with pytest.raises((ValueError, UnicodeDecodeError)):
        crypto.decrypt_data(text, "other")
