import pytest


@pytest.fixture
def vendors(app, monkeypatch):
    """query_MAC_vendor with a list that came with the system; `newer` is where a downloaded one would be."""
    (app.root / "oui.txt").write_bytes(b"# a comment\n08002B\tDigital Equipment\naabbcc\tCaf\xc3\xa9\xff\n112233\t\n")
    monkeypatch.setenv("VENDORSPATH", str(app.root / "oui.txt"))
    monkeypatch.setenv("VENDORSPATH_NEWEST", str(app.root / "newer.txt"))
    return app.load("scan.device_handling").query_MAC_vendor


@pytest.mark.parametrize("mac, vendor", [
    ("08:00:2b:00:00:01", "Digital Equipment"), ("AA:BB:CC:00:00:01", "Caf\u00e9\ufffd"),
    ("08:00:2c:00:00:01", -1), ("11:22:33:00:00:01", -1),
    ("08-00-2b-00-00-01", -2), ("08002b000001", -2), ("internet", -2), ("", -2), (None, -2),
])
def test_a_vendor(vendors, mac, vendor):
    assert vendors(mac) == vendor


def test_the_downloaded_list_comes_first(app, vendors):
    (app.root / "newer.txt").write_text("08002b\tNewer\n")
    assert vendors("08:00:2b:00:00:01") == "Newer"
    assert vendors("aa:bb:cc:00:00:01") == -1


def test_without_a_list_no_vendor_is_known(app, vendors, capsys):
    (app.root / "oui.txt").unlink()
    assert [vendors("08:00:2b:00:00:01"), vendors("aa:bb:cc:00:00:01")] == [-1, -1]
    (line,) = capsys.readouterr().out.splitlines()
    assert "oui.txt" in line
