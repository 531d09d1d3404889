"""What plugins measure, as a person and a program read it, and across a crash."""
import contextlib
import json
import re
import signal
import sqlite3

import pytest
from panoptes_test import PanoptesSite

BODY = """\
count = int(open(context.config["main"]["count"]).read())
group.add_dimension(PanoptesMetricDimension("port", "eth0"))
gauge("load", count / 4)
group.add_metric(PanoptesMetric("seen", count, PanoptesMetricType.COUNTER))"""


class MeasuredSite(PanoptesSite):
    def poll_with(self, count):
        """A counter and a gauge, measured once more. Another definition lifts the minimum interval."""
        (self.folder / "count").write_text(str(count))
        self.polling(BODY, extra=f"count = {self.folder / 'count'}\nround = {count}")
        assert self.post("/plugins/rescan").status == 200
        run = self.poll("poll", "sw1")
        assert run["status"] == "ok", run

    def asked(self, *arguments):
        done = self.command("metrics", *arguments)
        assert done.returncode == 0 and done.stderr == "", done
        return done.stdout


@pytest.fixture
def site(tmp_path):
    site = MeasuredSite(tmp_path / "site")
    site.configure(settings="", options="")
    site.discovery("sw1")
    (site.folder / "count").write_text("0")
    site.polling(BODY, extra=f"count = {site.folder / 'count'}")
    site.start()
    site.poll("find")
    yield site
    site.close()


def test_what_is_measured_is_listed_and_shown_at_once(site):
    site.poll_with(40)
    lines = site.asked("list").splitlines()
    assert re.split(r"\s{2,}", lines[0]) == ["ID", "RESOURCE", "GROUP", "NAME", "KIND", "LAST VALUE", "AT (UTC)", "DIMENSIONS"]
    assert sorted(re.split(r"\s{2,}", line)[1:6] for line in lines[1:]) == [
        ["dc1|network|switch|acme|sw1", "status", "load", "gauge", "10"],
        ["dc1|network|switch|acme|sw1", "status", "seen", "counter", "40"]]
    assert all(line.endswith("port=eth0") for line in lines[1:])
    (seen,) = json.loads(site.asked("list", "--name", "seen", "--where", "port=eth0", "--resource", "SW1", "--group", "status", "--json"))
    assert json.loads(site.asked("list", "--where", "port=eth1", "--json")) == []
    site.poll_with(100)
    shown = json.loads(site.asked("show", seen["id"], "--json"))
    assert [point["value"] for point in shown["points"]] == [40, 100] and shown["points"][1]["rate"] > 0
    text = site.asked("show", seen["id"], "--step", "1d", "--from", "-2h")
    assert re.search(r"^dimensions:\s+port=eth0$", text, re.MULTILINE) and "PER SECOND" in text
    load = next(series["id"] for series in site.read("/metrics")["series"] if series["name"] == "load")
    assert re.search(r"^plot:\s+▁█$", site.asked("show", load), re.MULTILINE)


def test_a_crash_loses_and_doubles_no_sample(site):
    site.poll_with(1)
    site.stop(signal.SIGKILL)
    site.start()
    site.poll_with(2)
    (seen,) = site.read("/metrics", name="seen")["series"]
    assert [point["value"] for point in site.read(f"/metrics/{seen['id']}")["points"]] == [1, 2]
    site.stop()
    checked = site.command("check", "--replay", "--json")
    assert checked.returncode == 0, checked
    assert json.loads(checked.stdout)["rows"]["block"] >= 2


def test_a_damaged_block_is_found(site):
    site.poll_with(1)
    site.stop()
    with contextlib.closing(sqlite3.connect(site.data / "metrics.db")) as connection, connection:
        connection.execute("UPDATE block SET data = x'01ff'")
    checked = site.command("check", "--replay")
    assert checked.returncode == 1 and "samples of series" in checked.stderr, checked
