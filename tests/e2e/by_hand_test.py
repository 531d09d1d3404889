"""Scripts that a person starts by hand beside the daemon, and result files that are kept."""
import os
import shutil
import subprocess

import pytest
import sites
from sites import wait_for

# As the ecosystem's guide shows it.
SCRIPT = """\
import os, sys
sys.path.extend(["/app/front/plugins", "/app/server"])
from plugin_helper import Plugin_Objects
from helper import get_setting_value
plugin_objects = Plugin_Objects()
plugin_objects.add_object(primaryId=os.environ.get("WHO", "somebody"), secondaryId="here",
                          watched1=get_setting_value("HAND_RUN"))
plugin_objects.write_result_file()
"""
COMMAND = "python3 front/plugins/hand/script.py"


@pytest.fixture
def hand(site):
    plugin = site.plugin("hand", "pass")
    (plugin / "script.py").write_text(SCRIPT)
    site.start()
    return site


def by_hand(site, **extra):
    """Runs the script in what `backplane env` prints."""
    printed = site.command("env", "netalertx")
    assert printed.returncode == 0, printed.stderr
    root = site.data / "dialects/netalertx/app"
    assert f"# cd '{root}' && python3 front/plugins/<code_name>/script.py" in printed.stdout
    done = subprocess.run(["sh", "-c", f"{printed.stdout}\ncd '{root}' && {COMMAND}"], capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin"} | extra, timeout=sites.PATIENCE, check=False)
    assert done.returncode == 0, done.stderr


def results(site):
    return site.data / "dialects/netalertx/tmp/log/plugins"


def run_by_file(site, count=1):
    """The newest of `count` runs that took a file in, when its result is kept with it."""
    def found():
        runs = [run for run in site.read("/runs")["runs"] if run["trigger"] == "file" and run["status"] == "ok"]
        return runs if len(runs) >= count else None
    newest = wait_for(found, lambda: f"{count} runs by file\n{site.log}")[0]["id"]
    wait_for(lambda: site.read(f"/runs/{newest}")["results"], "its result is kept")
    site.folded()
    return site.read(f"/runs/{newest}")


def object_ids(site):
    return {one["primary"] for one in site.read("/objects")["objects"]}


def test_a_script_that_is_started_by_hand_is_taken_in(hand):
    by_hand(hand, WHO="me")
    run = run_by_file(hand)
    assert run["plugin"] == "netalertx:HAND" and run["taken"] == 1 and run["exit_code"] is None
    assert object_ids(hand) == {"me"}
    assert list(results(hand).iterdir()) == []
    # Once more, through the same lane.
    by_hand(hand, WHO="you")
    second = run_by_file(hand, count=2)
    assert object_ids(hand) == {"me", "you"}
    # Only the last is kept.
    assert hand.read(f"/runs/{run['id']}")["results"] == []
    assert second["results"] == ["last_result.HAND.log"]
    text = hand.command("runs", "result", second["id"]).stdout
    assert text.startswith("you|here|") and text.endswith("\n")
    assert "runs result" in hand.command("runs", "show", second["id"]).stdout
    sites.refused(hand.get(f"/runs/{run['id']}/result"), 404)
    sites.refused(hand.get(f"/runs/{second['id']}/result", file="other"), 404, "file")


def test_a_result_is_kept_with_a_run_of_ours_whatever_its_end(site):
    plugin = site.plugin("late", "", timeout=3, command="sh /app/server/plugins/late/script.sh")
    (plugin / "script.sh").write_text(
        "echo 'a|b|2026-01-01 00:00:00|null|null|null|null||' > $NETALERTX_PLUGINS_LOG/last_result.LATE.log\nsleep 600\n")
    site.start()
    run = site.run("LATE")
    assert run["status"] == "timeout" and run["taken"] == 1
    wait_for(lambda: site.read(f"/runs/{run['id']}")["results"] == ["last_result.LATE.log"], "it is kept")
    assert site.get(f"/runs/{run['id']}/result").text == "a|b|2026-01-01 00:00:00|null|null|null|null||\n"
    again = site.run("LATE")
    wait_for(lambda: site.read(f"/runs/{run['id']}")["results"] == [], "the older one is gone")
    assert site.read(f"/runs/{again['id']}")["results"] == ["last_result.LATE.log"]


def test_files_of_nobody_in_force_stay_until_somebody_is(hand):
    hand.post("/plugins/netalertx:HAND/disable")
    file = results(hand) / "last_result.HAND.log"
    other = results(hand) / "last_result.HAND2.log"
    node = results(hand) / "last_result.HAND.encoded.node.1.log"
    for one in (file, other, node):
        one.write_text("a|b|2026-01-01 00:00:00|x|||||\n")
    wait_for(lambda: "prefix HAND;" in hand.log and "prefix HAND2;" in hand.log, "it says why")
    assert file.exists()
    hand.post("/plugins/netalertx:HAND/enable")
    assert run_by_file(hand)["taken"] == 1
    assert not file.exists() and other.exists() and node.exists()
    assert hand.log.count("prefix HAND2;") == 1 and "encoded" not in hand.log


def test_what_lies_there_at_the_start_is_taken_in(hand):
    hand.stop()
    by_hand(hand)
    assert (results(hand) / "last_result.HAND.log").exists()
    hand.start()
    assert run_by_file(hand)["taken"] == 1


def test_env_says_what_is_missing(site, tmp_path):
    printed = sites.command("env", "netalertx", "--data", tmp_path / "nothing")
    assert printed.returncode == 1 and "start `backplane serve`" in printed.stderr
    printed = sites.command("env", "panoptes", "--data", tmp_path)
    assert printed.returncode == 1 and "only those of netalertx" in printed.stderr


# ---- links -------------------------------------------------------------------------------

def own_root(site, commands):
    """Runs shell commands where / is empty but for programs and this site: /app, /data and /tmp/log are not there."""
    bind = [site.folder, sites.BIN, sites.ROOT]
    words = ["bwrap", "--unshare-user-try", "--dev", "/dev", "--proc", "/proc"]
    for folder in ("/usr", "/bin", "/lib", "/lib64", "/sbin", "/etc"):
        words += ["--ro-bind-try", folder, folder]
    words += ["--tmpfs", "/tmp"]
    for folder in bind:
        words += ["--bind", folder, folder]
    text = commands.replace("backplane", f"'{sites.BIN}/backplane'").replace("DATA", f"'{site.data}'")
    return subprocess.run([str(word) for word in words] + ["sh", "-ec", text], capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "HOME": "/tmp"}, timeout=sites.PATIENCE * 2, check=False)


@pytest.fixture
def rooted(hand):
    if not shutil.which("bwrap"):
        pytest.skip("no bwrap")
    if (tried := own_root(hand, "true")).returncode != 0:
        pytest.skip(f"bwrap: {tried.stderr.strip()}")
    return hand


def test_with_links_the_guides_command_works_as_it_is_written(rooted):
    assert "/app/server does not lead here" in rooted.log or os.path.islink("/app/server")
    done = own_root(rooted, f"""
        backplane env netalertx --link --data DATA
        cd /app
        {COMMAND}
        backplane env netalertx --link --data DATA
        backplane env netalertx --unlink --data DATA
        ls -A /app /app/front /data /tmp/log 2>&1 || true
        """)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert f"/tmp/log -> {rooted.data}/dialects/netalertx/tmp/log" in lines
    assert f"/tmp/log -> {rooted.data}/dialects/netalertx/tmp/log (was there)" in lines
    assert "/app/front/plugins is gone" in lines
    assert run_by_file(rooted)["taken"] == 1


def test_a_link_replaces_nothing(rooted):
    done = own_root(rooted, """
        mkdir -p /app/server /tmp/log && ln -s /nowhere /data-of-others && mkdir /data && ln -s /nowhere /data/db
        backplane env netalertx --link --data DATA || echo failed with $?
        readlink /data/db; readlink /app/front/plugins
        backplane env netalertx --unlink --data DATA
        ls -d /app/server /tmp/log; readlink /data/db
        """)
    assert done.returncode == 0, done.stderr
    assert "failed with 1" in done.stdout
    assert "/app/server: is there, and is no link of ours" in done.stderr
    assert "/data/db: is a link to /nowhere" in done.stderr
    assert done.stdout.count("/nowhere") == 2 and "/app/front/plugins is gone" in done.stdout
    assert done.stdout.rstrip().endswith("/app/server\n/tmp/log\n/nowhere")
