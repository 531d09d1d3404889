"""The checker of the fault suite must be able to fail: each way of tampering shows, and an honest store is clean."""
import copy
import json
import random
import shutil
import sqlite3

import pytest
from fault_checker import check
from fault_load import Load
from fault_site import Plugin, Site, wait_until


@pytest.fixture(scope="module")
def honest():
    """A site after a short load that nobody disturbed, and what its clients were told."""
    site = Site([Plugin("OBJECTS", count=20, fail=0.2), Plugin("FEW", kind="devices", count=10, macs="02:00:00:02")])
    try:
        site.start()
        with Load(site, random.Random(1)) as load:
            wait_until(lambda: load.told.well() >= 12 and sum(a.answered for a in load.told.edits) > 20, "some load")
        site.wait_folded()
        assert site.stop() == 0
        yield site, load.told
    finally:
        site.remove()


class Copy:
    """Store, records and told of the honest site, to tamper with."""

    def __init__(self, site, told, folder):
        self.site = site
        shutil.copytree(site.data, folder / "data", ignore=shutil.ignore_patterns("api.sock", "runs"))
        shutil.copytree(site.records, folder / "records")
        self.data, self.records, self.told = folder / "data", folder / "records", copy.deepcopy(told)

    def sql(self, *statements):
        connection = sqlite3.connect(self.data / "backplane.db")
        with connection:
            for statement in statements:
                assert connection.execute(statement).rowcount > 0, statement
        connection.close()

    def check(self):
        return check(self.data / "backplane.db", self.records, self.site.plugins, self.told)

    def note(self, prefix, **line):
        with (self.records / f"{prefix}.log").open("a") as record:
            record.write(json.dumps(line) + "\n")

    def replay(self):
        self.site.data, kept = self.data, self.site.data
        try:
            return self.site.command("check", "--replay")
        finally:
            self.site.data = kept


@pytest.fixture
def tampered(honest, tmp_path):
    return Copy(*honest, tmp_path)


def test_an_honest_store_is_clean(tampered):
    assert tampered.check() == []
    replay = tampered.replay()
    assert replay.returncode == 0, replay.stderr


LAST_CHANGE = "(SELECT MAX(seq) FROM event WHERE topic = 'device.changed' AND run IS NOT NULL AND run <> 0)"
LAST_OK = "(SELECT MAX(id) FROM run WHERE status = 'ok' AND taken > 0)"
AN_EDIT = "(SELECT MAX(seq) FROM event WHERE topic = 'device.changed' AND plugin = '')"


@pytest.mark.parametrize("statement, complaint", [
    (f"DELETE FROM event WHERE seq = {LAST_CHANGE}", "events"),
    ("INSERT INTO event (org, topic, at, plugin, entity, run, body) SELECT org, topic, at, plugin, entity, run, body "
     f"FROM event WHERE seq = {LAST_CHANGE}", "events"),
    (f"DELETE FROM event WHERE seq = {AN_EDIT}", "edit"),
    ("DELETE FROM object WHERE id = (SELECT MAX(id) FROM object)", "objects"),
    ("UPDATE object SET watched1 = 'made up' WHERE id = (SELECT MIN(id) FROM object)", "objects"),
    ("UPDATE object SET status = 'missing' WHERE id = (SELECT MIN(id) FROM object WHERE status <> 'missing')",
     "objects"),
    ("UPDATE entity SET ip = '10.9.9.9' WHERE id = (SELECT MIN(id) FROM entity)", "devices"),
    ("UPDATE entity SET revision = revision + 1 WHERE id = (SELECT MIN(id) FROM entity)", "revisions"),
    (f"UPDATE run SET status = 'running' WHERE id = {LAST_OK}", "running"),
    (f"UPDATE run SET status = 'interrupted' WHERE id = {LAST_OK}", "interrupted"),
    (f"UPDATE run SET taken = taken - 1 WHERE id = {LAST_OK}", "records were taken"),
    (f"UPDATE run SET changed = changed + 1 WHERE id = {LAST_OK}", "changes counted"),
    (f"DELETE FROM run WHERE id = {LAST_OK}", "not in the store"),
    ("UPDATE run SET job_key = 'call/other' WHERE id = (SELECT MAX(id) FROM run WHERE cause = 'call' AND status = "
     "'ok')",
     "a client was told"),
    (f"DELETE FROM journal WHERE run = {LAST_OK}", "journal entries"),
    ("INSERT INTO journal (org, kind, at, plugin, run, status, complete, body) SELECT org, kind, at, plugin, run, "
     f"status, complete, body FROM journal WHERE run = {LAST_OK}", "journal"),
    ("UPDATE watermark SET entry = entry - 1", "folded up to"),
    ("UPDATE claim SET value = 'made up' WHERE source = 'user'", "a person set"),
    ("UPDATE entity SET comment = 'made up' WHERE id = (SELECT entity FROM claim WHERE source = 'user' AND "
     "field = 'comment' LIMIT 1)", "a person set"),
])
def test_a_tampered_store_shows(tampered, statement, complaint):
    tampered.sql(statement)
    problems = tampered.check()
    assert any(complaint in problem for problem in problems), problems


def first_start(tampered, prefix):
    return json.loads((tampered.records / f"{prefix}.log").read_text().splitlines()[0])


def test_an_overlap_that_a_script_saw_shows(tampered):
    tampered.note("FEW", what="overlap", nonce="b", other="a", of="start", pid=1, at=1)
    assert any("lived" in problem for problem in tampered.check())


def test_a_sign_of_life_after_the_next_start_shows(tampered):
    tampered.note("FEW", what="alive", nonce=first_start(tampered, "FEW")["nonce"], at=1)
    assert any("sign of life" in problem for problem in tampered.check())


def test_a_run_that_the_store_does_not_know_shows(tampered):
    tampered.note("FEW", what="start", run=1_000_000, nonce="c", pid=1, born=1, at=1 << 62)
    assert any("not in the store" in problem for problem in tampered.check())


def test_a_run_that_was_executed_twice_shows(tampered):
    tampered.note("FEW", **(first_start(tampered, "FEW") | {"at": 1 << 62}))
    assert any("executed twice" in problem for problem in tampered.check())


def test_rows_that_a_script_did_not_report_show(tampered):
    file = next((tampered.records / "rows").iterdir())
    file.write_text(json.dumps(json.loads(file.read_text())[1:]))
    assert tampered.check()


def test_an_end_that_the_script_did_not_write_down_shows(tampered):
    record = tampered.records / "FEW.log"
    lines = record.read_text().splitlines()
    last_end = max(i for i, line in enumerate(lines) if '"end"' in line)
    record.write_text("\n".join(lines[:last_end] + lines[last_end + 1:]) + "\n")
    assert any("its script ended with None" in problem for problem in tampered.check())


def test_what_a_client_was_told_counts(tampered):
    run = next(iter(tampered.told.ended))
    tampered.told.ended[run] = ("failed", 7)
    assert any("a client was told" in problem for problem in tampered.check())


def test_a_lost_edit_shows(tampered):
    tampered.told.edits.append(copy.copy(tampered.told.edits[-1]))
    tampered.told.edits[-1].value, tampered.told.edits[-1].answered = "lost", True
    assert any("made 0 times" in problem for problem in tampered.check())


def test_replaying_notices_another_state(tampered):
    tampered.sql("UPDATE object SET watched1 = 'made up' WHERE id = (SELECT MIN(id) FROM object)")
    replay = tampered.replay()
    assert replay.returncode == 1 and "differs" in replay.stderr, replay.stdout + replay.stderr
