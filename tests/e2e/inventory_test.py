"""What the inventory, the objects and the event stream say of a scanner whose result changes."""
import pytest
import sites

A, B, C = "aa:00:00:00:00:01", "aa:00:00:00:00:02", "aa:00:00:00:00:03"


@pytest.fixture
def scan(site):
    """Runs a scanner that finds the given rows; returns (run, new events)."""
    rows = site.folder / "rows"
    site.plugin("scan", f"""
        with open({str(rows)!r}) as wanted, open(RESULT, "w") as result:
            for line in wanted:
                result.write(row(*line.rstrip("\\n").split("|")))
        """, devices=True, always=("devName", "devVendor"))
    site.start()
    seen = 0

    def scan(*lines):
        nonlocal seen
        rows.write_text("".join(line + "\n" for line in lines))
        run = site.run("SCAN")
        assert run["status"] == "ok", run
        numbers = [event["seq"] for event in site.events()]
        assert numbers == list(range(1, len(numbers) + 1))
        events = [event for event in of_devices(site) if event["seq"] > seen]
        assert all(event.get("plugin") == "netalertx:SCAN" and event["run"] == run["id"] for event in events), events
        seen = numbers[-1]
        return run, events

    return scan


def of_devices(site):
    """Events of scans and of people, without those of the pass that follows a scan."""
    return [event for event in site.events()
            if event.get("plugin") != "netalertx" and event["topic"] not in ("cycle.closed", "notification.raised")]


def told(events):
    """[(topic, device's MAC or object's primary id)]; the fixture's ids are found again by name."""
    return [(event["topic"], event["body"].get("primary") or event["device"]) for event in events]


def statuses(site):
    return {one["primary"]: one["status"] for one in site.read("/objects", plugin="SCAN")["objects"]}


def by_mac(site):
    return {device["mac"]: device for device in site.devices()}


def test_new_then_seen_again_then_changed(site, scan):
    run, events = scan(f"{A}|10.0.0.1|router|Acme", f"{B}|10.0.0.2|printer|Acme")
    first = by_mac(site)
    assert set(first) == {A, B}
    assert told(events) == [("object.new", A), ("device.new", first[A]["id"]), ("device.connected", first[A]["id"]),
                            ("object.new", B), ("device.new", first[B]["id"]), ("device.connected", first[B]["id"])]
    assert events[1]["body"] == {"name": "router", "mac": A, "ip": "10.0.0.1", "vendor": "Acme"}
    assert (run["taken"], run["refused"], run["changed"]) == (4, 0, 4)
    assert statuses(site) == {A: "new", B: "new"}
    for device in first.values():
        assert device["first_seen"] == device["last_seen"]

    run, events = scan(f"{A}|10.0.0.1|router|Acme", f"{B}|10.0.0.2|printer|Acme")
    again = by_mac(site)
    assert events == [] and run["changed"] == 0
    assert statuses(site) == {A: "unchanged", B: "unchanged"}
    for mac, device in again.items():
        assert device["first_seen"] == first[mac]["first_seen"]
        assert device["last_seen"] > first[mac]["last_seen"]

    run, events = scan(f"{A}|10.0.0.9|gateway|Acme", f"{C}|10.0.0.3|camera|Bolt")
    changed = by_mac(site)
    # The object of A under its old address is missing: both ids make its identity.
    assert told(events) == [
        ("object.new", A), ("device.changed", first[A]["id"]), ("device.ip_changed", first[A]["id"]),
        ("object.new", C), ("device.new", changed[C]["id"]), ("device.connected", changed[C]["id"]),
        ("object.missing", A), ("object.missing", B), ("device.disconnected", first[B]["id"])]
    assert events[1]["body"]["changes"] == {"name": {"from": "router", "to": "gateway"},
                                            "ip": {"from": "10.0.0.1", "to": "10.0.0.9"}}
    assert changed[A]["revision"] > first[A]["revision"] and changed[A]["id"] == first[A]["id"]
    assert changed[A]["first_seen"] == first[A]["first_seen"] and changed[A]["last_seen"] > again[A]["last_seen"]
    # Not seen: nothing is said of it but that it is gone.
    assert changed[B]["status"] == "offline" and changed[B]["since"] > again[B]["since"]
    assert all(changed[B][key] == again[B][key] for key in ("id", "name", "ip", "vendor", "last_seen"))


def test_an_object_changes_goes_missing_and_comes_back(site, scan):
    scan(f"{A}|10.0.0.1|router|Acme", f"{B}|10.0.0.2|printer|Acme")
    _, events = scan(f"{A}|10.0.0.1|gateway|Acme", f"{B}|10.0.0.2|printer|Other")
    devices = by_mac(site)
    # WATCH names the first value only, so the second one's change makes no changed object.
    assert told(events) == [("object.changed", A), ("device.changed", devices[A]["id"]),
                            ("device.changed", devices[B]["id"])]
    assert statuses(site) == {A: "changed", B: "unchanged"}

    _, events = scan(f"{A}|10.0.0.1|gateway|Acme")
    assert told(events) == [("object.missing", B), ("device.disconnected", devices[B]["id"])]
    assert statuses(site) == {A: "unchanged", B: "missing"}

    _, events = scan(f"{A}|10.0.0.1|gateway|Acme")
    assert events == []  # it was said once

    _, events = scan(f"{A}|10.0.0.1|gateway|Acme", f"{B}|10.0.0.2|printer|Other")
    assert told(events) == [("object.changed", B), ("device.connected", devices[B]["id"])]
    assert statuses(site) == {A: "unchanged", B: "unchanged"}


def test_a_result_without_rows_makes_nothing_missing(site, scan):
    scan(f"{A}|10.0.0.1|router|Acme")
    run, events = scan()
    assert (run["taken"], events) == (0, [])
    assert statuses(site) == {A: "new"}


def test_state_and_numbers_outlive_the_daemon(site, scan):
    scan(f"{A}|10.0.0.1|router|Acme")
    # The pass that follows is over, and what it concluded is said.
    sites.wait_for(lambda: (cycles := site.read("/cycles")["cycles"]) and all(one["closed"] for one in cycles), "a pass")
    site.folded()
    devices, objects, events = site.devices(), site.read("/objects"), of_devices(site)
    assert site.stop() == 0
    site.start()
    assert (site.devices(), site.read("/objects"), of_devices(site)) == (devices, objects, events)
    _, events = scan(f"{A}|10.0.0.1|gateway|Acme")
    assert told(events) == [("object.changed", A), ("device.changed", devices[0]["id"])]
    assert site.stop() == 0
    replayed = site.command("check", "--replay")
    assert replayed.returncode == 0, replayed


def test_a_persons_edit_survives_scans_and_gives_way_when_taken_back(site, scan):
    scan(f"{A}|10.0.0.1|router|Acme")
    device = by_mac(site)[A]["id"]
    edited = site.patch(f"/devices/{device}", {"set": {"name": "mine", "comment": "in the cellar"}})
    assert edited.status == 200 and edited.json["name"] == "mine" and edited.json["revision"] == 2
    event = of_devices(site)[-1]
    assert event["topic"] == "device.changed" and event["body"]["by"] == "user"
    assert event["body"]["changes"]["name"] == {"from": "router", "to": "mine"}

    for name in ("second", "third"):
        (site.folder / "rows").write_text(f"{A}|10.0.0.1|{name}|Acme\n")
        assert site.run("SCAN")["status"] == "ok"
        shown = site.device(device)
        assert shown["name"] == "mine"
        claims = {claim["source"]: (claim["value"], claim["wins"]) for claim in shown["claims"] if claim["field"] == "name"}
        assert claims == {"user": ("mine", True), "SCAN": (name, False)}

    back = site.patch(f"/devices/{device}", {"set": {"name": None}})
    assert back.status == 200 and back.json["name"] == "third" and back.json["comment"] == "in the cellar"
    (site.folder / "rows").write_text(f"{A}|10.0.0.1|fourth|Acme\n")
    site.run("SCAN")
    assert site.device(device)["name"] == "fourth"


def test_a_lock_holds_until_it_is_taken_off(site, scan):
    scan(f"{A}|10.0.0.1|router|Acme")
    device = by_mac(site)[A]["id"]
    assert site.patch(f"/devices/{device}", {"lock": ["name", "ip"]}).status == 200
    scan_rows = site.folder / "rows"
    scan_rows.write_text(f"{A}|10.0.0.2|other|Bolt\n")
    site.run("SCAN")
    shown = site.device(device)
    assert (shown["name"], shown["ip"], shown["vendor"]) == ("router", "10.0.0.1", "Bolt")
    assert sorted(shown["locked"]) == ["ip", "name"]
    assert site.patch(f"/devices/{device}", {"unlock": ["name"]}).status == 200
    scan_rows.write_text(f"{A}|10.0.0.3|third|Bolt\n")
    site.run("SCAN")
    shown = site.device(device)
    assert (shown["name"], shown["ip"], shown["locked"]) == ("third", "10.0.0.1", ["ip"])


def test_what_a_lock_kept_out_counts_once_it_is_off(site, scan):
    scan(f"{A}|10.0.0.1|router|Acme")
    device = by_mac(site)[A]["id"]
    site.patch(f"/devices/{device}", {"lock": ["name"]})
    rows = site.folder / "rows"
    rows.write_text(f"{A}|10.0.0.1|other|Acme\n")
    site.run("SCAN")
    site.patch(f"/devices/{device}", {"unlock": ["name"]})
    site.run("SCAN")
    assert site.device(device)["name"] == "other"
