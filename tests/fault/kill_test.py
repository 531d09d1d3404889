"""kill -9 of daemon, keeper or both, at random times under load and at named crash points.

20 kills, or ten rounds of 20 with BACKPLANE_LONG, each on a site of its own. BACKPLANE_SEED repeats a round's plan:
who is killed, where and how long after the start; what runs at that moment depends on the machine.
"""
import collections
import os
import random
import signal
import time

import pytest
from fault_checker import check
from fault_load import Load
from fault_site import Plugin, Site, state_of, wait_until

ROUNDS = 10 if os.environ.get("BACKPLANE_LONG") else 1
KILLS = 20
VICTIMS = ("daemon", "keeper", "both")
# How often each point may be passed before it kills: about a second of load.
POINTS = {"accept.before": 12, "accept.inside": 12, "accept.after": 12, "fold.slice.before": 30,
          "fold.slice.inside": 30, "fold.slice.after": 30, "keeper.spawn.before_handle": 8, "keeper.gate": 8,
          "keeper.exit.before_record": 8, "keeper.exit.before_report": 8}
LONGEST_WAIT = 0.9
SEED = int(os.environ.get("BACKPLANE_SEED") or random.SystemRandom().randrange(1 << 32))


def plugins():
    return [Plugin("OBJECTS", count=30, fail=0.2),
            Plugin("BIG", kind="devices", count=1000, macs="02:00:00:01"),
            Plugin("FEW", kind="devices", count=20, macs="02:00:00:02", hold=0.1),
            Plugin("SLOW", count=10, hold=1.5),
            Plugin("FORKS", count=5, hold=0.2, child=True)]


def plan(rng):
    """(where, victim, number) of each kill: a half at random times, a half at crash points."""
    half = KILLS // 2
    kills = [("random", VICTIMS[i % len(VICTIMS)], rng.uniform(0, LONGEST_WAIT)) for i in range(half)]
    names = list(POINTS)
    for i in range(KILLS - half):
        point = names[i % len(names)]
        victim = "both" if rng.random() < 0.3 else "keeper" if point.startswith("keeper.") else "daemon"
        kills.append((point, victim, rng.randint(1, POINTS[point])))
    rng.shuffle(kills)
    return kills


class Killer:
    def __init__(self, site, load, rng):
        self.site, self.load, self.rng = site, load, rng
        self.counts = collections.Counter()
        self.crash_at = None  # of the daemon that runs

    def kill(self, where, victim, number):
        crash_at = None if where == "random" else f"{where}:{number}"
        running = self.site.daemon is not None and self.site.daemon.poll() is None
        if running and (crash_at or self.crash_at):
            # The next kill needs another environment.
            assert self.site.stop() == 0, self.site.log_tail()
            running = False
        if not running:
            self.crash_at = crash_at
            running = self.site.start(crash_at)
        if where == "random":
            self.kill_at_random(victim, number)
        elif where.startswith("keeper."):
            self.await_keeper_crash(victim, crash_at)
        else:
            self.await_daemon_crash(victim, crash_at, running)
        self.counts[(where, victim)] += 1

    def kill_at_random(self, victim, seconds):
        begun = len(self.load.told.started)
        wait_until(lambda: len(self.load.told.started) > begun, lambda: f"a run started\n{self.site.log_tail()}")
        time.sleep(seconds)  # the random time
        keeper = wait_until(self.site.keeper, "a keeper")
        first = self.rng.choice(("keeper", "daemon"))
        if victim != "daemon" and (victim == "keeper" or first == "keeper"):
            os.kill(keeper, signal.SIGKILL)
        if victim != "keeper":
            self.site.kill_daemon()
        if victim == "both" and first == "daemon":
            kill_if_there(keeper)
        if victim == "keeper":
            self.await_recovery(keeper)

    def await_recovery(self, killed):
        wait_until(lambda: self.site.keeper() not in (None, killed), lambda: f"another keeper\n{self.site.log_tail()}")
        well = self.load.told.well()
        wait_until(lambda: self.load.told.well() > well, lambda: f"a run that ends well\n{self.site.log_tail()}")

    def await_daemon_crash(self, victim, crash_at, running):
        keeper = self.site.keeper() if running else None
        wait_until(lambda: self.site.daemon.poll() is not None, lambda: f"crash at {crash_at}\n{self.site.log_tail()}")
        assert self.site.daemon.returncode == -signal.SIGKILL, self.site.log_tail()
        if victim == "both" and keeper:
            kill_if_there(keeper)

    def await_keeper_crash(self, victim, crash_at):
        keeper = self.site.keeper()
        # No keeper: it has died already.
        wait_until(lambda: keeper is None or state_of(keeper) in "ZX",
                   lambda: f"crash at {crash_at}\n{self.site.log_tail()}", step=0.002)
        if victim == "both":
            self.site.kill_daemon()


def kill_if_there(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def settle_and_check(site, load):
    """After the last kill: everything folded, everybody gone, and nothing wrong."""
    if site.daemon.poll() is not None:
        site.start()
    site.wait_folded()
    assert site.stop() == 0, site.log_tail()
    assert not site.remains()
    # What the stop has cancelled may not be folded yet: the replay does that first.
    replay = site.command("check", "--replay")
    assert replay.returncode == 0, replay.stdout + replay.stderr
    problems = check(site.data / "backplane.db", site.records, site.plugins, load.told)
    assert not problems, "\n".join(problems)
    return replay.stdout.strip()


def report(seed, killer, load, replay, seconds):
    print(f"\n{KILLS} kills in {seconds:.0f} s, BACKPLANE_SEED={seed}:")
    for (where, victim), times in sorted(killer.counts.items()):
        print(f"  {times:4} {where:28} {victim}")
    told = load.told
    statuses = collections.Counter(status for status, _ in told.ended.values())
    print(f"  runs seen to end: {dict(statuses)}")
    print(f"  edits: {sum(edit.answered for edit in told.edits)} answered of {len(told.edits)}")
    print(f"  {replay}")


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("seed", [SEED + i for i in range(ROUNDS)])
def test_nothing_is_lost_doubled_or_left_whoever_is_killed(seed, capsys):
    print(f"BACKPLANE_SEED={seed}")
    rng = random.Random(seed)
    kills = plan(rng)
    site = Site(plugins())
    begin = time.monotonic()
    try:
        with Load(site, random.Random(seed + 1)) as load:
            killer = Killer(site, load, rng)
            for kill in kills:
                killer.kill(*kill)
            if site.daemon.poll() is not None or killer.crash_at:
                site.stop()
                site.start()
            # The load goes on for a moment on the daemon that has recovered.
            well = load.told.well()
            wait_until(lambda: load.told.well() > well + 3, lambda: f"runs that end well\n{site.log_tail()}")
        replay = settle_and_check(site, load)
        with capsys.disabled():
            report(seed, killer, load, replay, time.monotonic() - begin)
    finally:
        site.remove()
    assert sum(killer.counts.values()) == KILLS
