"""Single faults: full disks, torn files, stops, second daemons and dead keepers."""
import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile

import pytest
from fault_checker import check
from fault_load import Load
from fault_site import Plugin, Site, state_of, wait_until

STEP = 64 << 10


@pytest.fixture
def make_site():
    sites = []

    def make(*plugins, **options):
        sites.append(Site(plugins, **options))
        return sites[-1]
    yield make
    for site in sites:
        site.remove()


def hanging():
    return Plugin("HANGS", hold=3600, timeout=3600)


def lines_of(site, prefix, what):
    path = site.records / f"{prefix}.log"
    return sum(f'"{what}"' in line for line in path.read_text().splitlines()) if path.exists() else 0


def start_hanging(site):
    """A run whose script has reported its rows and goes on."""
    before = lines_of(site, "HANGS", "alive")
    run = site.run("HANGS")
    wait_until(lambda: lines_of(site, "HANGS", "alive") > before, lambda: f"a sign of life\n{site.log_tail()}")
    return run


def wrong(site, told=None, disturbed=False):
    """What the checker says of a site whose daemon has stopped. What a stop leaves to be folded, the replay folds."""
    replay = site.command("check", "--replay")
    assert replay.returncode == 0, replay.stderr
    return check(site.data / "backplane.db", site.records, site.plugins, told, disturbed)


def test_sigterm_cancels_what_runs_and_leaves_nothing(make_site):
    site = make_site(hanging(), Plugin("SHORT"), run_at_start=False)
    site.start()
    run = start_hanging(site)
    assert site.stop() == 0
    assert "stopped" in site.log_tail()
    assert not site.remains()
    assert wrong(site) == []
    site.start()
    assert site.get(f"/runs/{run}")["status"] == "cancelled"


def test_a_second_daemon_refuses_the_folder(make_site):
    site = make_site(Plugin("SHORT"), run_at_start=False)
    site.start()
    second = subprocess.run([os.fspath(site.daemon.args[0]), "serve", "--config", site.config], capture_output=True,
                            text=True, timeout=60, check=False, env={"PATH": "/usr/bin:/bin", "HOME": str(site.root)})
    assert second.returncode == 1 and "another daemon runs on" in second.stderr, second.stderr
    assert site.ended(site.run("SHORT"))["status"] == "ok"


def test_a_run_whose_keeper_dies_is_interrupted_and_its_lane_goes_on(make_site):
    site = make_site(hanging(), Plugin("SHORT"), run_at_start=False)
    site.start()
    run = start_hanging(site)
    keeper = site.keeper()
    os.kill(keeper, signal.SIGKILL)
    ended = site.ended(run)
    assert ended["status"] == "interrupted" and "keeper died" in ended["message"], ended
    # The rows that it had written are taken; nothing is concluded from what is not among them.
    assert ended["taken"] == len(rows_of(site, "HANGS", run))
    assert site.ended(site.run("SHORT"))["status"] == "ok"
    start_hanging(site)
    assert site.keeper() not in (None, keeper)
    assert site.stop() == 0
    assert wrong(site) == []


def rows_of(site, prefix, run):
    """What the script of the run reported."""
    starts = map(json.loads, (site.records / f"{prefix}.log").read_text().splitlines())
    nonce = next(line["nonce"] for line in starts if line["what"] == "start" and line["run"] == run)
    return json.loads((site.records / "rows" / f"{nonce}.json").read_text())


@pytest.mark.parametrize("damage", [
    pytest.param(lambda text: text + b"7 12", id="a torn last line"),
    pytest.param(lambda text: text + bytes(range(256)) * 40, id="bytes behind the last line"),
    pytest.param(lambda text: text + b"\n\n- - - -\n9999999999999999999999 x y z\n4 1 0 \n",
                 id="lines that say nothing"),
])
def test_a_damaged_handle_file_still_names_what_is_left(make_site, damage):
    site = make_site(hanging(), Plugin("SHORT"), run_at_start=False)
    site.start()
    run = start_hanging(site)
    kill_both(site)
    handles = site.data / "keeper" / "handles"
    handles.write_bytes(damage(handles.read_bytes()))
    site.start()
    assert site.get(f"/runs/{run}")["status"] == "interrupted"
    start_hanging(site)  # its script looks for its predecessor
    assert site.ended(site.run("SHORT"))["status"] == "ok"
    assert site.stop() == 0
    assert not site.remains()
    assert wrong(site) == []


@pytest.mark.parametrize("content", [b"", b"boot", b"\xff" * 5000, b"boot another-machine\n1 1 1 x\n"],
                         ids=["empty", "cut", "noise", "of another boot"])
def test_a_handle_file_without_any_sense_does_not_keep_the_daemon_from_starting(make_site, content):
    site = make_site(Plugin("SHORT"), run_at_start=False)
    site.start()
    site.ended(site.run("SHORT"))
    kill_both(site)
    (site.data / "keeper" / "handles").write_bytes(content)
    site.start()
    assert site.ended(site.run("SHORT"))["status"] == "ok"


def kill_both(site):
    """The keeper first, so that it cannot clean up."""
    keeper = site.keeper()
    os.kill(site.daemon.pid, signal.SIGSTOP)  # it starts no other one meanwhile
    os.kill(keeper, signal.SIGKILL)
    site.kill_daemon()
    wait_until(lambda: state_of(keeper) in "ZX", "the keeper dead")


@contextlib.contextmanager
def small_disk(megabytes):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bpd-"))
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", folder], capture_output=True,
        check=False).returncode == 0
    try:
        if not mounted:
            pytest.skip("no file system of a given size can be mounted here")
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=False)
        folder.rmdir()


def fill(path):
    """Takes every free byte of the file system."""
    with path.open("wb", buffering=0) as filler:
        for step in (1 << 20, STEP, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    filler.write(bytes(step))


def free_and_recover(site, load, filler):
    filler.unlink()
    well = load.told.well()
    wait_until(lambda: load.told.well() > well + 4, lambda: f"runs that end well again\n{site.log_tail()}")


def settle_after_full_disk(site, load):
    # What was refused was said so, as the daemon's trouble.
    load.told.wrong = [text for text in load.told.wrong if ": 50" not in text]
    assert site.stop() == 0
    assert wrong(site, load.told, disturbed=True) == []


def fill_under_load(site, load, filler):
    wait_until(lambda: load.told.well() >= 6, "some load")
    fill(filler)
    # The word is SQLite's.
    wait_until(lambda: "full" in site.log_tail(400), lambda: f"the full disk in the log\n{site.log_tail()}")


def full_disk_site(make_site, disk):
    return make_site(Plugin("OBJECTS", count=30), Plugin("BIG", kind="devices", count=300), data=disk / "data")


def test_a_full_disk_is_told_and_costs_nothing_that_was_accepted(make_site):
    with small_disk(48) as disk:
        site = full_disk_site(make_site, disk)
        try:
            site.start()
            with Load(site, random.Random(2)) as load:
                fill_under_load(site, load, disk / "filler")
                assert site.answers(), "reading goes on"
                free_and_recover(site, load, disk / "filler")
            settle_after_full_disk(site, load)
        finally:
            site.remove()


def test_a_daemon_that_is_killed_on_a_full_disk_goes_on_when_there_is_room(make_site):
    with small_disk(48) as disk:
        site = full_disk_site(make_site, disk)
        try:
            site.start()
            with Load(site, random.Random(3)) as load:
                fill_under_load(site, load, disk / "filler")
                site.kill_daemon()
                site.launch()
                wait_until(lambda: site.daemon.poll() is not None or site.answers(), "the daemon up, or refusing")
                if site.daemon.poll() is not None:
                    assert site.daemon.returncode == 1, site.log_tail()
                    (disk / "filler").write_bytes(b"")
                    site.start()
                free_and_recover(site, load, disk / "filler")
            settle_after_full_disk(site, load)
        finally:
            site.remove()
