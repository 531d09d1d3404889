"""Passes and notifications: a real daemon with real scripts, killed where it hurts."""
import shutil
import signal

import pytest
from sites import wait_for

SCANNER = """\
open(RESULT, "w").write("".join(row(f"02:00:00:00:00:0{i}", f"192.0.2.{i}", "n", "v") for i in range(3)))
"""
# A publisher that leaves a line for each time that it sends something.
PUBLISHER = """\
open("{sent}", "a").write("sent\\n")
"""
POINTS = ["cycle.opened", "cycle.append.before", "cycle.append.after", "cycle.seal.before", "cycle.seal.after",
          "round.begin", "round.deliver.before", "round.deliver.after", "round.end.before", "round.end.after"]


@pytest.fixture
def chain(site):
    """A plugin of each phase, and one scanner; `site.sent()` counts what was sent."""
    site.plugin("seer", SCANNER, devices=True)
    for name, run in (("after", "always_after_scan"), ("fresh", "on_new_device"), ("named", "before_name_updates")):
        site.plugin(name, "pass", run=run)
    path = site.folder / "sent.txt"
    site.plugin("teller", PUBLISHER.format(sent=path), run="on_notification")
    site.sent = lambda: len(path.read_text().splitlines()) if path.exists() else 0
    return site


def passes_with(site, plugin):
    """Passes that are closed and have a run of this plugin, newest first."""
    found = []
    for cycle in site.read("/cycles")["cycles"]:
        runs = site.read(f"/cycles/{cycle['id']}")["runs"]
        if cycle["closed"] and any(run["plugin"] == f"netalertx:{plugin}" for run in runs):
            found.append((cycle, runs))
    return found


def pass_with(site, plugin):
    return wait_for(lambda: passes_with(site, plugin), lambda: f"a pass with {plugin}\n{site.log}")[0]


def test_a_new_device_becomes_a_notification_that_is_sent(chain):
    chain.start()
    pass_with(chain, "AFTER")  # that of the start, which may find the machine itself
    known, sent = len(chain.devices()), chain.sent()
    chain.launch("SEER")
    cycle, runs = pass_with(chain, "SEER")
    assert cycle["status"] == "ok", cycle
    assert [(run["phase"], run["plugin"]) for run in runs] == [
        ("scan", "netalertx:SEER"), ("after_scan", "netalertx:AFTER"), ("new_device", "netalertx:FRESH"),
        ("before_names", "netalertx:NAMED"), ("notification", "netalertx:TELLER")], runs
    assert all(run["status"] == "ok" for run in runs), runs
    assert len(chain.devices()) == known + 3
    notification = chain.read("/notifications")["notifications"][0]
    assert notification["state"] == "done"
    assert [(one["plugin"], one["state"]) for one in notification["deliveries"]] == [("netalertx:TELLER", "sent")]
    assert chain.sent() == sent + 1

    table = chain.command("cycles", "list")
    assert table.returncode == 0 and "STAGE" in table.stdout, table
    shown = chain.command("cycles", "show", str(cycle["id"]))
    assert "new_device" in shown.stdout, shown
    runs_of = chain.command("runs", "list", "--cycle", str(cycle["id"]))
    assert "netalertx:FRESH" in runs_of.stdout, runs_of
    assert "netalertx:TELLER sent" in chain.command("notifications", "list").stdout


def test_a_person_raises_and_resends(chain):
    chain.start()
    raised = chain.command("notifications", "raise", "--title", "a test", "--text", "of ours", "--level", "warning")
    assert raised.returncode == 0, raised
    wait_for(lambda: chain.read("/notifications/1")["state"] == "done", lambda: f"it is sent\n{chain.log}")
    shown = chain.command("notifications", "show", "1").stdout
    assert "of ours" in shown and "netalertx:TELLER: sent" in shown, shown
    assert chain.command("notifications", "resend", "1").returncode == 0
    wait_for(lambda: chain.sent() == 2, lambda: f"it is sent again\n{chain.log}")
    wrong = chain.command("notifications", "raise", "--title", "x", "--level", "loud")
    assert wrong.returncode == 1 and "loud" in wrong.stderr, wrong


def test_a_pass_is_cancelled_with_what_runs_in_it(site):
    site.plugin("seer", SCANNER, devices=True)
    site.plugin("named", "import time; time.sleep(600)", run="before_name_updates", timeout=700)
    site.start()
    site.launch("SEER")
    wait_for(lambda: site.read("/runs", plugin="NAMED", status="running")["runs"], lambda: f"it runs\n{site.log}")
    cycle = site.read("/status")["cycle"]
    cancelled = site.command("cycles", "cancel", str(cycle))
    assert cancelled.returncode == 0, cancelled
    wait_for(lambda: site.read(f"/cycles/{cycle}")["closed"], "it is closed")
    assert site.read(f"/cycles/{cycle}")["status"] == "cancelled"
    wait_for(lambda: site.read("/runs", plugin="NAMED")["runs"][0]["status"] == "cancelled", "its run is stopped")
    assert site.command("cycles", "cancel", str(cycle)).returncode == 1


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_loses_no_notification_and_doubles_none(chain, point):
    shutil.rmtree(chain.plugins / "after")  # so that the first pass is that of the scan
    chain.start(BACKPLANE_CRASH_AT=f"{point}:1")
    try:
        chain.launch("SEER")
    except OSError:
        pass  # it died before it could answer
    wait_for(lambda: chain.daemon.poll() is not None, lambda: f"it dies at {point}\n{chain.log}")
    assert chain.daemon.returncode == -signal.SIGKILL, chain.log
    chain.stop()
    chain.start()
    if not chain.read("/runs", plugin="SEER")["runs"]:
        chain.launch("SEER")
    wait_for(lambda: len(chain.devices()) >= 3, lambda: f"the devices\n{chain.log}")
    wait_for(lambda: not chain.read("/status")["cycle"] and passes_with(chain, "SEER"),
             lambda: f"its pass\n{chain.log}")

    def told():
        notifications = chain.read("/notifications")["notifications"]
        return all(one["state"] == "done" for one in notifications) and notifications
    notifications = wait_for(told, lambda: f"it is told\n{chain.log}")
    reports = [chain.read(f"/notifications/{one['id']}")["data"] for one in notifications]
    new = [row["eveMac"] for report in reports for row in report["new_devices"] if row["eveMac"].startswith("02:00")]
    assert sorted(new) == [f"02:00:00:00:00:0{i}" for i in range(3)], new  # each of them once
    runs = chain.read("/runs", plugin="TELLER")["runs"]
    assert len({run["key"] for run in runs}) == len(runs), runs  # no round twice
    assert chain.sent() <= len(runs)
    statuses = {run["id"]: run["status"] for run in runs}
    for notification in notifications:
        [delivery] = notification["deliveries"]
        assert delivery["state"] == ("sent" if statuses[delivery["run"]] == "ok" else "uncertain"), delivery
    assert {one["status"] for one in chain.read("/cycles")["cycles"]} <= {"ok", "interrupted"}
