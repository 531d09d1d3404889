"""What becomes of objects, as people are shown it; and results that are made to do harm."""
import json

import pytest
from sites import wait_for


def objects(site, *options):
    shown = site.command("objects", "list", *options, "--json")
    assert shown.returncode == 0, shown
    return json.loads(shown.stdout)


def show(site, one, *options):
    shown = site.command("objects", "show", one, *options)
    assert shown.returncode == 0, shown
    return shown.stdout


# ---- status, history, reports -------------------------------------------------------------

@pytest.fixture
def scan(site):
    """Has a plugin report objects, {primary id: first watched value}; returns the run."""
    rows = site.folder / "rows"
    site.plugin("scan", f"""
        with open({str(rows)!r}) as wanted, open(RESULT, "w") as result:
            for line in wanted:
                result.write(row(line.split("=")[0], "s", line.split("=")[1].strip()))
        """, report=("new", "missing-in-last-scan"))
    site.start()

    def scan(**things):
        rows.write_text("".join(f"{name}={value}\n" for name, value in things.items()))
        run = site.run("SCAN")
        assert run["status"] == "ok", run
        return run

    return scan


def test_an_object_shows_what_became_of_it(site, scan):
    runs = [scan(a="1", b="1"), scan(a="2", b="1"), scan(b="1"), scan(b="1"), scan(a="2", b="1")]
    a, b = objects(site)
    assert (a["primary"], a["status"], a["watched"][0]) == ("a", "unchanged", "2")
    told = json.loads(show(site, a["id"], "--json"))
    assert [(line["status"], line["run"], line["watched"][0]) for line in told["history"]] == [
        ("unchanged", runs[4]["id"], "2"), ("missing", runs[2]["id"], "2"), ("changed", runs[1]["id"], "2"),
        ("new", runs[0]["id"], "1")]
    # It is back as it was, so it changed last when it went missing.
    assert told["created"] == "2026-01-01T00:00:00.000Z" and told["changed"] == told["history"][1]["at"]
    assert [(line["status"], line["run"]) for line in told["reports"]] == [
        ("missing", runs[3]["id"]), ("missing", runs[2]["id"]), ("new", runs[0]["id"])]
    assert [line["status"] for line in json.loads(show(site, b["id"], "--json"))["history"]] == ["new"]

    page = site.read(f"/objects/{a['id']}", limit=3)
    assert len(page["history"]) == 3
    rest = site.read(f"/objects/{a['id']}", before=page["next"], limit=3)
    assert page["history"] + rest["history"] == told["history"] and rest["next"] is None

    every = site.read("/plugins/SCAN/history")["history"]
    assert [(line["primary"], line["status"]) for line in every] == [
        ("a", "unchanged"), ("a", "missing"), ("a", "changed"), ("b", "new"), ("a", "new")]
    assert len(site.read("/plugins/SCAN/reports", limit=1)["reports"]) == 1

    text = show(site, a["id"])
    assert "HISTORY (UTC)" in text and "REPORTED (UTC)" in text and "status:" in text
    assert "watchedValue1:" in text  # what the plugin calls it
    assert site.command("objects", "show", 99).returncode == 1

    assert site.stop() == 0
    replayed = site.command("check", "--replay", "--json")
    assert replayed.returncode == 0, replayed
    rows = json.loads(replayed.stdout)["rows"]
    assert (rows["object_history"], rows["object_report"]) == (5, 4)


def test_only_the_newest_history_is_kept(site, scan):
    for value in "12345":
        scan(a=value, b="1")
    assert site.stop() == 0
    site.configure(options="objects.history_keep = 2")
    site.start()

    def kept():
        return [line["watched"][0] for line in site.read("/plugins/SCAN/history")["history"]]
    wait_for(lambda: kept() == ["5", "4"], lambda: f"the history is forgotten: {kept()}")
    scan(a="6", b="1")
    assert kept()[:3] == ["6", "5", "4"]
    assert site.stop() == 0
    replayed = site.command("check", "--replay")
    assert replayed.returncode == 0, replayed


def test_lists_are_found_by_every_filter(site, scan):
    scan(**{f"n{i}": "x" for i in range(5)})
    scan(**{f"n{i}": "y" if i == 3 else "x" for i in range(4)})
    every = objects(site)
    assert [one["primary"] for one in every] == [f"n{i}" for i in range(5)]

    def found(*options):
        return [one["primary"] for one in objects(site, *options)]
    assert found("--plugin", "SCAN", "--status", "missing") == ["n4"]
    assert found("--status", "changed") == ["n3"]
    assert found("--primary", "n2") == ["n2"] and found("--primary", "n") == []
    assert found("--secondary", "s", "--limit", "2") == ["n0", "n1"]
    assert found("--find", "Y") == ["n3"] and found("--find", "%") == []
    assert found("--since", "-1h") == ["n4"]  # the others' rows are of the past
    assert found("--foreign-key", "none") == []
    shown = site.command("objects", "list", "--status", "missing")
    assert shown.returncode == 0 and "n4" in shown.stdout and "PRIMARY ID" in shown.stdout
    for wrong in (("--status", "lost"), ("--limit", "0"), ("--limit", "x"), ("--since", "soon")):
        answer = site.command("objects", "list", *wrong)
        assert answer.returncode == 1 and wrong[1] in answer.stderr, answer


# ---- results that are made to do harm -----------------------------------------------------

HOSTILE = {
    "sql": "'); DROP TABLE object; --",
    "html": "<script>alert('x')</script>",
    "shell": "$(touch /tmp/owned) `id` %s {0}",
    "json": '"}],"x":[{"',
    "terminal": "\x1b]0;owned\x07\x1b[31mred",
    "nothing": "\0",
    "direction": "\u202egnp.exe",
    "megabyte": "m" * 1_000_000,
}


def test_hostile_values_are_shown_as_data(site):
    site.plugin("harm", f"""
        with open(RESULT, "wb") as result:
            for name, value in {HOSTILE!r}.items():
                result.write(row(name, value, value).encode())
            result.write(row("torn", "a|b").encode())
            result.write(b"bytes\\xff|\\xc3\\x28|2026-01-01 00:00:00|\\xed\\xa0\\x80|||||\\n")
            result.write(b"half a li")
        """)
    site.start()
    run = site.run("HARM")
    assert run["status"] == "ok" and run["refused"] == 2, run
    found = {one["primary"]: one for one in objects(site)}
    assert set(found) == HOSTILE.keys() | {"bytes\ufffd"}
    for name, value in HOSTILE.items():
        assert (found[name]["secondary"], found[name]["watched"][0]) == (value, value), name
    assert found["bytes\ufffd"]["secondary"] == "\ufffd("
    for name, one in found.items():
        shown = json.loads(show(site, one["id"], "--json"))
        assert shown["history"][0]["secondary"] == one["secondary"], name
        text = show(site, one["id"])
        assert not set(text) & set("\x1b\x07\0") and len(text) < 20_000, name
    assert HOSTILE["sql"] in show(site, found["sql"]["id"])
    assert [one["primary"] for one in objects(site, "--find", "DROP table")] == ["sql"]
    assert [one["primary"] for one in objects(site, "--secondary", HOSTILE["html"])] == ["html"]
    listed = site.command("objects", "list")
    assert listed.returncode == 0 and "\x1b" not in listed.stdout and len(listed.stdout) < 20_000

    again = site.run("HARM")
    assert again["changed"] == 0, again
    assert site.stop() == 0
    replayed = site.command("check", "--replay")
    assert replayed.returncode == 0, replayed


@pytest.mark.parametrize("line, why", [
    ("x", "expected 9 or 13 columns"),  # 20 MB of them
    ("||||||||", "larger"),  # 90 MB
])
def test_ten_million_lines(site, line, why):
    site.plugin("flood", f"""
        with open(RESULT, "w") as result:
            for _ in range(100):
                result.write({line + chr(10)!r} * 100_000)
        """)
    site.start()
    run = site.run("FLOOD")
    assert run["taken"] == 0 and run["refused"] > 0, run
    assert why in run["refusals"][0]["reason"], run
    status = open(f"/proc/{site.daemon.pid}/status").read()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    assert peak < 1_000_000, f"{peak} kB"


# ---- of plugins that do not run now -------------------------------------------------------

def test_what_a_disabled_plugin_reported_is_still_listed(site, scan):
    scan(a="1", b="1")
    assert site.command("plugins", "disable", "SCAN").returncode == 0
    assert [one["primary"] for one in objects(site, "--plugin", "SCAN")] == ["a", "b"]
    cut = site.command("objects", "list", "--plugin", "SCAN", "--limit", "1")
    assert cut.returncode == 0 and "more than these 1" in cut.stdout, cut


def test_a_result_under_another_name_is_told(site):
    site.plugin("astray", """
        open(RESULT.replace("ASTRAY", "ASTRAYED"), "w").write(row("a", "s"))
        """)
    site.start()
    run = site.run("ASTRAY")
    (refused,) = run["refusals"]
    assert refused["where"] == "last_result.ASTRAYED.log" and "last_result.ASTRAY.log" in refused["reason"], run
    assert objects(site) == []
