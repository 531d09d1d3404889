"""kill -9 of the daemon while it takes results in: those of its own runs, and those that scripts leave which nobody
here started. Every file that was left is taken in exactly once, and nothing of a run is doubled.

20 kills, or ten rounds of 20 with BACKPLANE_LONG: one half at random times, one half at named crash points.
BACKPLANE_SEED repeats a round's plan.
"""
import random
import time

import pytest
from fault_load import Load
from fault_site import Plugin, Site, wait_until
from kill_test import KILLS, ROUNDS, SEED, Killer, report, settle_and_check

# How often each may be passed before it kills.
POINTS = {"drop.before": 6, "drop.taken": 6, "drop.accepted": 6, "drop.kept": 6, "run.taken": 10, "accept.before": 10,
          "accept.inside": 10, "accept.after": 10}
LONGEST_WAIT = 0.3


def plan(rng):
    """(where, victim, number) of each kill."""
    names = list(POINTS)
    kills = [("random", "daemon", rng.uniform(0, LONGEST_WAIT)) for _ in range(KILLS // 2)]
    for i in range(KILLS - len(kills)):
        point = names[i % len(names)]
        kills.append((point, "daemon", rng.randint(1, POINTS[point])))
    rng.shuffle(kills)
    return kills


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("seed", [SEED + i for i in range(ROUNDS)])
def test_no_result_is_lost_or_doubled_while_it_is_taken_in(seed, capsys):
    print(f"BACKPLANE_SEED={seed}")
    rng = random.Random(seed)
    site = Site([Plugin("LEFT", count=5, dropped=True), Plugin("MANY", count=100, dropped=True),
                 Plugin("OWN", count=30), Plugin("SEEN", kind="devices", count=20, macs="02:00:00:03")])
    begin = time.monotonic()
    try:
        with Load(site, random.Random(seed + 1)) as load:
            killer = Killer(site, load, rng)
            for kill in plan(rng):
                killer.kill(*kill)
            if site.daemon.poll() is not None or killer.crash_at:
                site.stop()
                site.start()
            well = load.told.well()
            wait_until(lambda: load.told.well() > well + 3, lambda: f"runs that end well\n{site.log_tail()}")
        site.wait_taken()
        left = len(list(site.records.glob("LEFT.*.json"))), len(list(site.records.glob("MANY.*.json")))
        replay = settle_and_check(site, load)
        with capsys.disabled():
            report(seed, killer, load, replay, time.monotonic() - begin)
            print(f"  files left: {left[0]} small, {left[1]} large")
    finally:
        site.remove()
    assert sum(killer.counts.values()) == KILLS and min(left) > KILLS
