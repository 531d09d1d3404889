"""Nothing runs that nobody approved, and what runs is what was approved."""
import json
import os

import pytest
import sites

ONE = """\
    import helper
    with open(RESULT, "w") as out:
        out.write(row(helper.NAME, "null"))
"""


@pytest.fixture
def site(tmp_path):
    site = sites.Site(tmp_path / "site")
    site.configure(trust="review")
    folder = site.plugin("scan", ONE, run="once")
    (folder / "helper.py").write_text("NAME = 'approved'\n")
    yield site.start()
    site.close()


def listed(site):
    return {plugin["id"]: plugin for plugin in site.read("/plugins")["plugins"]}


def review(site, plugin="netalertx:SCAN"):
    return site.read(f"/plugins/{plugin}/review")


def approve(site, plugin="netalertx:SCAN"):
    answer = site.request("POST", f"/api/v1/plugins/{plugin}/approve", {"hash": review(site, plugin)["hash"]})
    assert answer.status == 200, answer


def found(site):
    """What the plugin reported, by running it."""
    run = site.run("SCAN")
    assert run["status"] == "ok", run
    return site.read("/objects")["objects"][0]["primary"]


def test_nothing_runs_before_somebody_has_said_so(site):
    assert listed(site)["netalertx:SCAN"]["state"] == "waiting"
    assert site.read("/runs")["runs"] == []
    assert "is waiting for approval" in sites.refused(site.post("/plugins/SCAN/run"), 404)
    shown = review(site)
    assert [os.path.basename(f["path"]) for f in shown["files"]] == ["config.json", "helper.py", "script.py"]
    assert shown["asks"]["runs"] == "python3 /app/server/plugins/scan/script.py" and shown["state"] == "waiting"
    assert "+NAME = 'approved'" in shown["diff"]
    approve(site)
    # It was to run once, and does so now.
    sites.wait_for(lambda: site.read("/runs")["runs"], "it runs")
    entry = site.read("/audit", action="plugin.approve")["entries"][0]
    assert entry["subject"] == "netalertx:SCAN" and entry["actor"] == "local"


def test_a_change_waits_and_shows_its_difference(site):
    approve(site)
    (site.plugins / "scan" / "helper.py").write_text("NAME = 'changed'\n")
    assert site.post("/plugins/rescan").status == 200
    assert found(site) == "approved"
    row = listed(site)["netalertx:SCAN"]
    assert row["state"] == "enabled" and row["waits"] == review(site)["hash"]
    assert "-NAME = 'approved'\n+NAME = 'changed'" in review(site)["diff"]
    approve(site)
    assert site.run("SCAN")["status"] == "ok"
    assert {o["primary"] for o in site.read("/objects")["objects"]} == {"approved", "changed"}


def copy_of(site):
    return next(site.data.glob("plugins/copies/*/**/script.py")).parent


WAYS = {
    "the source": lambda site: (site.plugins / "scan" / "script.py").write_text("raise SystemExit(1)\n"),
    "a module of the source": lambda site: (site.plugins / "scan" / "helper.py").write_text("NAME = 'evil'\n"),
    "the copy": lambda site: (copy_of(site) / "script.py").write_text("raise SystemExit(1)\n"),
    "a module of the copy": lambda site: (copy_of(site) / "helper.py").write_text("NAME = 'evil'\n"),
    "a module beside it": lambda site: (copy_of(site) / "os.py").write_text("raise SystemExit(1)\n"),
    "a link": lambda site: ((copy_of(site) / "helper.py").unlink(),
                            (copy_of(site) / "helper.py").symlink_to(site.plugins / "scan" / "evil.py")),
    "the whole copy": lambda site: [path.unlink() for path in copy_of(site).iterdir() if path.is_file()],
}


@pytest.mark.parametrize("way", sorted(WAYS))
def test_what_runs_is_what_was_approved(site, way):
    (site.plugins / "scan" / "evil.py").write_text("NAME = 'evil'\n")
    site.post("/plugins/rescan")
    approve(site)
    assert found(site) == "approved"
    WAYS[way](site)
    assert site.run("SCAN")["status"] == "ok"
    assert {o["primary"] for o in site.read("/objects")["objects"]} == {"approved"}


def test_a_change_during_a_run_is_not_taken(site):
    site.plugin("slow", """\
        import pathlib
        own = pathlib.Path(os.path.realpath(__file__)).parent
        (own / "script.py").write_text("evil")
        with open(RESULT, "w") as out:
            out.write(row("it", "null"))
        """)
    site.post("/plugins/rescan")
    approve(site, "netalertx:SLOW")
    run = site.run("SLOW")
    assert run["status"] == "failed" and "changed while it ran" in run["message"], run
    assert run["taken"] == 0 and site.read("/objects")["objects"] == []


def test_what_a_script_keeps_beside_itself_stays(site):
    site.plugin("counts", """\
        import pathlib
        kept = pathlib.Path(os.path.realpath(__file__)).parent / "count.txt"
        count = int(kept.read_text()) + 1 if kept.exists() else 1
        kept.write_text(str(count))
        with open(RESULT, "w") as out:
            out.write(row("it", "null", str(count)))
        """)
    site.post("/plugins/rescan")
    approve(site, "netalertx:COUNTS")
    for expected in ("1", "2", "3"):
        assert site.run("COUNTS")["status"] == "ok"
        assert site.read("/objects")["objects"][0]["watched"][0] == expected


def test_a_disabled_plugin_stops(site):
    site.plugin("hangs", "import time\nwhile True: time.sleep(1)\n")
    site.post("/plugins/rescan")
    approve(site, "netalertx:HANGS")
    run = site.launch("HANGS")
    done = site.command("plugins", "disable", "HANGS")
    assert done.returncode == 0, done
    assert site.ended(run)["status"] == "cancelled"
    assert listed(site)["netalertx:HANGS"]["state"] == "disabled"
    assert "is disabled" in sites.refused(site.post("/plugins/HANGS/run"), 404)
    assert site.command("plugins", "enable", "HANGS").returncode == 0
    assert listed(site)["netalertx:HANGS"]["state"] == "enabled"


def test_the_commands(site, tmp_path):
    waiting = site.command("plugins", "list")
    assert "waiting" in waiting.stdout, waiting
    shown = site.command("plugins", "review", "SCAN")
    assert shown.returncode == 0 and "helper.py" in shown.stdout and "runs:" in shown.stdout, shown
    unattended = site.command("plugins", "approve", "SCAN")
    assert unattended.returncode == 1 and "--hash" in unattended.stderr, unattended
    by_hash = site.command("plugins", "approve", "SCAN", "--hash", review(site)["hash"][:12])
    assert by_hash.returncode == 0 and "is approved" in by_hash.stdout, by_hash
    wrong = site.command("plugins", "approve", "SCAN", "--hash", "0000")
    assert wrong.returncode == 1 and "no version" in wrong.stderr, wrong

    sites.write_plugin(tmp_path / "more", "extra", 'open(RESULT, "w").write(row("x", "null"))\n')
    installed = site.command("plugins", "install", tmp_path / "more")
    assert installed.returncode == 0 and "waiting" in installed.stdout, installed
    assert site.command("plugins", "approve", "EXTRA", "--yes").returncode == 0
    assert site.run("EXTRA")["status"] == "ok"
    removed = site.command("plugins", "remove", "EXTRA", "--json")
    assert json.loads(removed.stdout)["removed"] is True
    assert "netalertx:EXTRA" not in listed(site)
    log = site.command("audit", "list")
    for action in ("plugin.install", "plugin.approve", "plugin.remove"):
        assert action in log.stdout, log


def test_decisions_survive_a_restart_and_a_kill(site):
    approve(site)
    site.stop(with_signal=9)
    site.start()
    assert listed(site)["netalertx:SCAN"]["state"] == "enabled"
    assert found(site) == "approved"


def test_naming_a_plugin_by_hand_approves_it_once(site, tmp_path):
    done = sites.command("run", site.plugins / "scan", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["status"] == "ok", done
    assert listed(site)["netalertx:SCAN"]["state"] == "waiting"


POINTS = ["plugin.keep.before", "plugin.approve.inside", "plugin.approve.after", "plugin.copy", "plugin.remove.inside",
          "plugin.remove.after"]


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_leaves_the_old_or_the_new(site, point):
    """Install, approve, upgrade and remove, with the daemon killed at a point on the way."""
    approve(site)
    assert found(site) == "approved"
    (site.plugins / "scan" / "helper.py").write_text("NAME = 'changed'\n")
    site.stop()
    (site.data / "address").unlink()
    site.spawn(BACKPLANE_CRASH_AT=f"{point}:1")
    # What reaches the point kills it; what does not, is done.
    for step in (lambda: sites.wait_for(lambda: (site.data / "address").exists(), "it starts", seconds=10),
                 lambda: approve(site), lambda: found(site),
                 lambda: site.request("DELETE", "/api/v1/plugins/netalertx:SCAN")):
        try:
            step()
        except Exception:
            break
    assert site.stop(with_signal=9) == -9
    site.start()
    row = listed(site)["netalertx:SCAN"]
    shown = review(site)
    if row["state"] == "enabled":
        assert site.run("SCAN")["status"] == "ok"
        primaries = {o["primary"] for o in site.read("/objects")["objects"]}
        assert primaries <= {"approved", "changed"}, primaries
        # Approved and written down together, or neither.
        approvals = len(site.read("/audit", action="plugin.approve")["entries"])
        assert approvals == (2 if shown["in_force"] is None else 1), (approvals, shown)
    else:
        assert row["state"] == "waiting" and shown["state"] == "waiting"
        assert site.read("/audit", action="plugin.remove")["entries"], "it was removed"
    approve(site)
    assert site.run("SCAN")["status"] == "ok"
