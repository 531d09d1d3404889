"""What people do with devices, at the command line: lists, edits of many, merge, split, archive, delete."""
import json
import subprocess

import pytest
import sites

A, B, C = "aa:00:00:00:00:01", "aa:00:00:00:00:02", "aa:00:00:00:00:03"


@pytest.fixture
def scanned(site):
    """A site whose scanner has found three devices, A, B and C; its daemon runs."""
    site.plugin("scan", f"""
        with open(RESULT, "w") as result:
            result.write(row({A!r}, "10.0.0.10", "router", "Acme"))
            result.write(row({B!r}, "10.0.0.9", "printer", "Acme"))
            result.write(row({C!r}, "10.0.0.100", "camera", "Bolt"))
        """, devices=True)
    site.start()
    assert site.run("SCAN")["status"] == "ok"
    return site


def told(site, *arguments):
    done = site.command("devices", *arguments, "--json")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def answer(site, text, *arguments):
    """The same command with something to read from standard input."""
    return subprocess.run([sites.BIN / "backplane", "devices", *arguments, "--data", site.data], input=text, text=True,
                          capture_output=True, timeout=60)


def names(site, *arguments):
    return [device["name"] for device in told(site, "list", *arguments) if device["mac"] in (A, B, C)]


def ids(site):
    """MAC address → id. This machine itself may be there too."""
    return {device["mac"]: str(device["id"]) for device in told(site, "list", "--status", "all")
            if device["mac"] in (A, B, C)}


def test_lists(scanned):
    assert names(scanned, "--sort", "ip") == ["printer", "router", "camera"]
    assert names(scanned, "--sort", "name", "--desc") == ["router", "printer", "camera"]
    assert names(scanned, "--search", "10.0.0.1") == ["router", "camera"]
    assert names(scanned, "--where", "vendor=Acme", "--limit", "1") == ["router"]
    assert names(scanned, "--status", "new") == ["router", "printer", "camera"]
    assert names(scanned, "--status", "offline") == []
    table = scanned.command("devices", "list", "--limit", "2", "--search", "10.0.0.")
    assert "STATUS" in table.stdout and "online" in table.stdout and "more than these 2" in table.stdout
    wrong = scanned.command("devices", "list", "--where", "vendr=Acme")
    assert wrong.returncode == 1 and "vendr" in wrong.stderr


def test_many_are_edited_and_archived(scanned):
    device = ids(scanned)
    tried = scanned.command("devices", "edit", "--where", "vendor=Acme", "--set", "owner=me", "--dry-run")
    assert tried.stdout == "2 of 2 devices would be changed\n", tried
    assert told(scanned, "edit", device[A], device[B], "--set", "owner=me", "--lock", "owner")["changed"] == 2
    assert {one["mac"] for one in told(scanned, "list", "--where", "owner=me")} == {A, B}
    assert scanned.command("devices", "archive", "--where", "vendor=Bolt").stdout == "1 of 1 devices were changed\n"
    assert names(scanned) == ["router", "printer"]
    assert names(scanned, "--status", "archived") == ["camera"]
    told(scanned, "unarchive", device[C])
    assert names(scanned) == ["router", "printer", "camera"]
    nobody = scanned.command("devices", "edit", "--set", "owner=me")
    assert nobody.returncode == 1 and "which devices" in nobody.stderr


def test_merged_and_split_by_hand_stays_so(scanned):
    device = ids(scanned)
    done = scanned.command("devices", "merge", device[A], device[B], device[C])
    assert done.returncode == 0 and "3 identifiers" in done.stdout, done
    assert scanned.run("SCAN")["status"] == "ok"
    assert names(scanned) == ["router"]
    events = scanned.events(topic="device.merged")
    assert [event["body"]["from"]["fields"]["name"] for event in events] == ["printer", "camera"]

    made = told(scanned, "split", device[A], B)
    assert made["mac"] == B and [one["value"] for one in made["identifiers"]] == [B]
    assert scanned.run("SCAN")["status"] == "ok"
    assert names(scanned) == ["router", "printer"]
    unknown = scanned.command("devices", "split", device[A], B)
    assert unknown.returncode == 1 and f"does not go by {B}" in unknown.stderr
    audited = scanned.read("/audit", action="device.")["entries"]
    assert [entry["action"] for entry in audited] == ["device.split", "device.merge", "device.merge"]
    assert scanned.stop() == 0
    assert scanned.command("check", "--replay").returncode == 0


def test_a_deleted_device_is_new_when_it_is_seen_again(scanned):
    device = ids(scanned)
    asked = answer(scanned, "n\n", "delete", device[A])
    assert asked.returncode == 1 and "nothing was deleted" in asked.stderr
    assert answer(scanned, "y\n", "delete", device[A]).returncode == 0
    assert scanned.command("devices", "delete", device[B], "--yes").returncode == 0
    assert names(scanned) == ["camera"]
    assert [event["kind"] for event in told(scanned, "events", device[A])] == ["connected", "new"]
    scanned.run("SCAN")
    assert sorted(names(scanned)) == ["camera", "printer", "router"]
    assert not {device[A], device[B]} & set(ids(scanned).values())


def test_a_device_tells_who_says_what_and_when_it_was_there(scanned):
    device = ids(scanned)
    shown = scanned.command("devices", "show", device[A])
    assert shown.returncode == 0, shown
    for part in ("present since", "Who says what:", "SCAN", "When it was there:", "What became of it:", "connected"):
        assert part in shown.stdout
    assert {"sessions", "events", "claims", "seen_by"} <= set(told(scanned, "show", device[A]))
    assert {A, B, C} <= {event["mac"] for event in told(scanned, "events", "--kind", "new")}
    assert "older ones than these 1" in scanned.command("devices", "events", "--limit", "1").stdout
