import datetime
import hashlib
import re
import sys

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
    crypto = app.load("utils.crypto_utils")
    text = crypto.encrypt_data("h\u00e9llo", "key")
    assert text[22:24] == "=="
    assert crypto.encrypt_data("h\u00e9llo", "key") != text
    assert crypto.decrypt_data(text, "key") == "h\u00e9llo"
    for wrong in (text[:24], text[:-4], "x"):
        with pytest.raises(ValueError):
            crypto.decrypt_data(wrong, "key")


def test_the_cipher_is_the_one_other_nodes_use(app):
    crypto = app.load("utils.crypto_utils")
    # openssl enc -aes-256-cbc -K $(printf key | sha256sum | cut -d' ' -f1) -iv 000102...0e0f
    known = "AAECAwQFBgcICQoLDA0ODw==pqmw5+1VOLgC+upkfFK6qQ=="
    assert crypto.decrypt_data(known, "key") == "hello"


def test_without_the_package_for_ciphers_it_is_named(app, monkeypatch):
    crypto = app.load("utils.crypto_utils")
    for name in ("Crypto", "Crypto.Cipher", "Cryptodome", "Cryptodome.Cipher"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="pycryptodome"):
        crypto.encrypt_data("text", "key")
