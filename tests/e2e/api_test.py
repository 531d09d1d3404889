"""REST v1 from outside: who is let in, what is refused and how, pages, waiting, edits, metrics."""
import concurrent.futures
import re
import threading

import pytest
import sites
from sites import refused

COUNT = 25


@pytest.fixture(scope="module")
def site(module_site):
    site = module_site
    site.plugin("many", f"""
        with open(RESULT, "w") as result:
            for i in range({COUNT}):
                result.write(row(f"aa:00:00:00:00:{{i:02x}}", f"10.0.0.{{i}}", f"host{{i}}", "Acme" if i % 2 else "Bolt"))
        """, devices=True)
    site.plugin("quick", 'print("hello")\nopen(RESULT, "w").write(row("a", "b", "c"))\n')
    site.plugin("hangs", f"""
        import time
        open({str(site.folder / "hangs")!r}, "w").close()
        time.sleep(100000)
        """)
    site.plugin("fails", "sys.exit(3)\n")
    site.plugin("gated", f"""
        import time
        while not os.path.exists({str(site.folder / "gate")!r}):
            time.sleep(0.02)
        """)
    site.plugin("settings_only", "", command=" ")
    site.start()
    assert site.run("MANY")["status"] == "ok"
    return site


@pytest.fixture
def hanging(site):
    """A run that goes on until the test ends it."""
    begun = site.folder / "hangs"
    begun.unlink(missing_ok=True)
    run = site.launch("HANGS")
    sites.wait_for(begun.exists, "the script runs")
    yield run
    site.post(f"/runs/{run}/cancel")
    site.ended(run)


def rows(site):
    """Every row but those that let somebody in."""
    for row in site.read("")["endpoints"]:
        if row["permission"] != "enter":
            yield row["method"], re.sub(r"\{[^}]+\}", "1", row["path"])


# ---- who is let in -----------------------------------------------------------------------

@pytest.mark.parametrize("tcp", [False, True], ids=["socket", "tcp"])
def test_every_row_refuses_strangers(site, tcp):
    every = [*rows(site), ("GET", "/metrics"), ("GET", "/api/v1/nothing")]
    assert len(every) > 12
    before = len(site.read("/runs", limit=1000)["runs"])
    for method, path in every:
        def ask(**headers):
            return site.request(method, path, headers=headers, tcp=tcp)
        anonymous = ask(Authorization=None)
        refused(anonymous, 401)
        assert anonymous.headers["WWW-Authenticate"] == "Bearer"
        for wrong in ("Bearer wrong", f"Bearer {site.token}x", f"Bearer {site.token[:-1]}", "Bearer ", site.token,
                      f"Basic {site.token}"):
            refused(ask(Authorization=wrong), 401)
        for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"):
            refused(ask(Host=host), 403)
            refused(ask(Host=host, Authorization=None), 403)
        for origin in ("http://evil.example", "https://localhost", "http://localhost:1", "null"):
            refused(ask(Origin=origin), 403)
    assert len(site.read("/runs", limit=1000)["runs"]) == before


def test_our_own_page_and_each_name_of_loopback_are_let_in(site):
    for host in ("localhost", "127.0.0.1", "127.9.9.9:80", "[::1]", "[::1]:8700"):
        assert site.request("GET", "/api/v1/status", headers={"Host": host, "Origin": f"http://{host}"}).status == 200
    host, port = site.address
    assert site.request("GET", "/api/v1/status", headers={"Host": f"{host}:{port}"}, tcp=True).status == 200


def test_the_front_door_tells_nothing(site):
    answer = site.request("GET", "/", headers={"Authorization": None})
    assert answer.status == 200 and "token" in answer.text and site.token not in answer.text


# ---- what is refused ---------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/", "/api/v1/devices/", "/api/v1/devices/1/2", "/api/v2/devices",
                                  "/api/v1x", "/metrics/x", "/api/v1/devices/999999", "/api/v1/devices/x",
                                  "/api/v1/devices/1x", "/api/v1/devices/99999999999999999999", "/api/v1/runs/999999",
                                  "/api/v1/runs/999999/log", "/api/v1/runs/0?wait=1", "/api/v1/plugins/NOBODY",
                                  "/api/v1/objects?plugin=NOBODY", "/api/v1/runs?plugin=NOBODY"])
def test_what_is_not_there_is_404(site, path):
    refused(site.request("GET", path), 404)


@pytest.mark.parametrize("method, path, allowed", [
    ("DELETE", "/api/v1/devices", {"GET", "PATCH"}),
    ("PUT", "/api/v1/devices/1", {"GET", "PATCH", "DELETE"}),
    ("GET", "/api/v1/plugins/QUICK/run", {"POST"}),
    ("GET", "/api/v1/runs/1/cancel", {"POST"}),
    ("POST", "/api/v1/events", {"GET"}),
    ("POST", "/metrics", {"GET"}),
])
def test_other_methods_are_405_and_name_those_that_work(site, method, path, allowed):
    answer = site.request(method, path)
    refused(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("path, field", [
    ("/devices?limit=0", "limit"), ("/devices?limit=1001", "limit"), ("/devices?limit=ten", "limit"),
    ("/devices?limit=", "limit"), ("/devices?after=-1", "after"), ("/devices?after=1.5", "after"),
    ("/devices?sort=size", "sort"), ("/devices?status=lost", "status"), ("/devices?favorite=x", "favorite"),
    ("/objects?limit=0", "limit"), ("/objects?after=x", "after"), ("/objects?status=lost", "status"),
    ("/runs?limit=0", "limit"), ("/runs?before=x", "before"), ("/runs?status=lost", "status"),
    ("/runs/1?wait=3601", "wait"), ("/runs/1?wait=-1", "wait"), ("/runs/1/log?bytes=0", "bytes"),
    ("/events?after=-2", "after"), ("/events?wait=61", "wait"), ("/events?limit=x", "limit"),
    ("/events?after=99999999999999999999", "after"),
])
def test_wrong_parameters_are_400_and_named(site, path, field):
    detail = refused(site.get(path), 400, field)
    assert field in detail


@pytest.mark.parametrize("body, field", [
    ({"set": {"nmae": "x"}}, "set.nmae"), ({"set": {"name": 3}}, "set.name"), ({"set": {"name": ["x"]}}, "set.name"),
    pytest.param({"set": {"name": "x" * 4097}}, "set.name", id="long"), ({"set": []}, "set"), ({"lock": "name"}, "lock"),
    ({"lock": ["nmae"]}, "lock"), ({"unlock": [1]}, "unlock"), ({"sett": {"name": "x"}}, "sett"),
    ({"device": 2, "set": {"name": "x"}}, "device"), ({"device": "x"}, "device"), ({}, None), ([], None), ("name", None),
    (None, None), ('{"set": {"name": "x"}', None), (b'{"set": {"name": "\xff"}}', None),
    pytest.param("[" * 100000, None, id="deep"),
])
def test_a_wrong_edit_is_400_and_names_the_field(site, body, field):
    before = site.device(1)
    refused(site.patch("/devices/1", body), 400, field)
    assert site.device(1) == before


def test_an_edit_of_nothing_known_is_404(site):
    refused(site.patch("/devices/999999", {"set": {"name": "x"}}), 404)


def test_settings_are_no_plugin_to_run(site):
    assert "nothing to run" in refused(site.post("/plugins/SETTINGS_ONLY/run"), 409)


def test_head_is_get_without_a_body(site):
    get, head = site.request("GET", "/api/v1/plugins"), site.request("HEAD", "/api/v1/plugins")
    assert head.status == 200 and head.text == ""
    assert head.headers["Content-Length"] == str(len(get.text.encode()))


# ---- pages -------------------------------------------------------------------------------

def pages(site, path, key, cursor, **query):
    """(ids of everything, sizes of the pages)."""
    ids, sizes = [], []
    while True:
        page = site.read(path, **query)
        ids += [one["id"] for one in page[key]]
        sizes.append(len(page[key]))
        if page["next"] is None:
            return ids, sizes
        query[cursor] = page["next"]


@pytest.mark.parametrize("limit", [1, 7, COUNT - 1, COUNT, COUNT + 1])
def test_pages_hold_each_device_and_object_once(site, limit):
    sizes = [min(limit, COUNT - start) for start in range(0, COUNT, limit)]
    assert pages(site, "/devices", "devices", "after", limit=limit) == (list(range(1, COUNT + 1)), sizes)
    ids, object_sizes = pages(site, "/objects", "objects", "after", limit=limit, plugin="MANY")
    assert ids == sorted(set(ids)) and object_sizes == sizes


def test_pages_of_runs_go_back_in_time(site):
    for _ in range(5):
        site.run("QUICK")
    every = [run["id"] for run in site.read("/runs", limit=1000, plugin="QUICK")["runs"]]
    assert len(every) >= 5 and every == sorted(every, reverse=True)
    assert pages(site, "/runs", "runs", "before", limit=2, plugin="QUICK")[0] == every


def test_filters(site):
    assert [one["name"] for one in site.devices(search="host1", vendor="Bolt")] == [f"host{i}" for i in (10, 12, 14, 16, 18)]
    assert [one["mac"] for one in site.devices(ip="10.0.0.7")] == ["aa:00:00:00:00:07"]
    assert site.devices(search="%") == [] and site.devices(search="_") == []
    assert len(site.read("/objects", status="new", plugin="netalertx:MANY")["objects"]) == COUNT
    assert site.read("/objects", status="missing", plugin="MANY")["objects"] == []


# ---- events ------------------------------------------------------------------------------

def test_events_by_number_limit_and_topic(site):
    every = site.events(limit=1000)
    numbers = [event["seq"] for event in every]
    assert numbers == list(range(numbers[0], numbers[0] + len(every))) and len(every) >= 2 * COUNT
    seen, after = [], 0
    while page := site.read("/events", after=after, limit=7):
        assert len(page["events"]) <= 7 and not page["reset"]
        seen += [event["seq"] for event in page["events"]]
        after = page["next"]
        if not page["events"]:
            break
    assert seen == numbers
    devices = site.read("/events", topic="device.", limit=1000)
    assert {event["topic"].split(".")[0] for event in devices["events"]} == {"device"}
    assert devices["next"] == numbers[-1]
    assert site.read("/events", topic="device_", limit=1000)["events"] == []
    last = site.read("/events", after=-1)
    assert last == {"events": [], "next": numbers[-1], "reset": False}


def test_a_number_that_never_was_is_a_reset(site):
    last = site.read("/events", after=-1)["next"]
    page = site.read("/events", after=last + 1000, wait=60)
    assert page["reset"] and page["events"] == [] and page["next"] == last


def test_waiting_ends_with_the_next_event(site):
    last = site.read("/events", after=-1)["next"]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(site.read, "/events", after=last, wait=60) for _ in range(3)]
        picky = pool.submit(site.read, "/events", after=last, wait=60, topic="run.failed")
        site.patch("/devices/3", {"set": {"comment": "wake up"}})
        for page in (one.result() for one in waiting):
            assert [event["body"]["changes"]["comment"]["to"] for event in page["events"]] == ["wake up"]
        assert not picky.done()
        run = site.run("FAILS")
        assert [event["run"] for event in picky.result()["events"]] == [run["id"]]


def test_waiting_in_vain_ends_at_its_time(site):
    last = site.read("/events", after=-1)["next"]
    assert site.read("/events", after=last, wait=1) == {"events": [], "next": last, "reset": False}


def test_waiters_do_not_hold_up_others_or_the_end(site, hanging):
    last = site.read("/events", after=-1)["next"]
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        waiting = [pool.submit(site.read, "/events", after=last, wait=60) for _ in range(20)]
        waiting += [pool.submit(site.read, f"/runs/{hanging}", wait=60) for _ in range(20)]
        assert site.read("/status")["pid"] == site.daemon.pid
        site.post(f"/runs/{hanging}/cancel")
        for one in waiting:
            one.result()


# ---- runs --------------------------------------------------------------------------------

def test_a_run_tells_all_about_itself(site):
    run = site.run("QUICK")
    assert (run["plugin"], run["trigger"], run["status"], run["exit_code"]) == ("netalertx:QUICK", "call", "ok", 0)
    assert run["finished"] > run["started"] and "script.py" in run["command"]
    answer = site.get(f"/runs/{run['id']}/log")
    assert answer.text == "hello\n" and answer.headers["Content-Type"].startswith("text/plain")
    assert site.get(f"/runs/{run['id']}/log", bytes=3).text == "lo\n"
    assert site.read("/runs", key=run["key"])["runs"][0]["id"] == run["id"]


def test_cancelling(site, hanging):
    assert site.read(f"/runs/{hanging}")["status"] == "running"
    assert site.read("/plugins/HANGS")["running"] == hanging
    answer = site.post(f"/runs/{hanging}/cancel")
    assert answer.status == 202 and answer.json["id"] == hanging
    ended = site.ended(hanging)
    assert (ended["status"], ended["message"]) == ("cancelled", "cancelled; the process tree was killed")
    assert "cancelled" in refused(site.post(f"/runs/{hanging}/cancel"), 409)
    refused(site.post("/runs/999999/cancel"), 404)
    assert not site.left_over()


def test_waiting_for_a_run(site):
    (site.folder / "gate").unlink(missing_ok=True)
    run = site.launch("GATED")
    assert site.read(f"/runs/{run}", wait=1)["status"] == "running"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(site.read, f"/runs/{run}", wait=60)
        (site.folder / "gate").touch()
        assert waiting.result()["status"] == "ok"


def test_a_repeated_key_finds_the_first_run(site):
    first = site.post("/plugins/QUICK/run", **{"Idempotency-Key": "once only"})
    assert first.status == 202
    for _ in range(3):
        assert site.post("/plugins/QUICK/run", **{"Idempotency-Key": "once only"}).json == first.json
    site.ended(first.json["run"])
    assert site.post("/plugins/QUICK/run", **{"Idempotency-Key": "once only"}).json["run"] == first.json["run"]
    other = site.post("/plugins/QUICK/run", **{"Idempotency-Key": "another"})
    assert other.json["run"] != first.json["run"]
    refused(site.post("/plugins/QUICK/run", **{"Idempotency-Key": "x" * 201}), 400, "Idempotency-Key")
    site.ended(other.json["run"])


def test_a_repeated_key_while_the_first_runs(site, hanging):
    (site.folder / "gate").unlink(missing_ok=True)
    first = site.post("/plugins/GATED/run", **{"Idempotency-Key": "long"})
    assert site.post("/plugins/GATED/run", **{"Idempotency-Key": "long"}).json == first.json
    (site.folder / "gate").touch()
    site.ended(first.json["run"])


def test_a_repeated_key_while_the_first_waits(site, hanging):
    first = site.post("/plugins/HANGS/run", **{"Idempotency-Key": "in line"})
    assert first.status == 202 and first.json["run"] is None and first.json["state"] == "waiting: lane busy"
    again = site.post("/plugins/HANGS/run", **{"Idempotency-Key": "in line"})
    assert again.status == 202 and again.json == first.json
    site.post(f"/runs/{hanging}/cancel")
    site.ended(hanging)

    def started():
        return site.read("/runs", plugin="HANGS", key=first.json["job"])["runs"]
    runs = sites.wait_for(started, "the job in line starts")
    assert len(runs) == 1
    site.post(f"/runs/{runs[0]['id']}/cancel")
    site.ended(runs[0]["id"])


def test_a_key_repeated_at_the_same_moment(site):
    for attempt in range(5):
        barrier = threading.Barrier(8)

        def ask():
            barrier.wait()
            return site.post("/plugins/QUICK/run", **{"Idempotency-Key": f"race {attempt}"})
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = [one.result() for one in [pool.submit(ask) for _ in range(8)]]
        assert {answer.status for answer in answers} == {202}, answers
        assert len({answer.json["run"] for answer in answers}) == 1, answers
        site.ended(answers[0].json["run"])


# ---- the rest ----------------------------------------------------------------------------

def test_plugins_show_settings_and_what_was_decided(site):
    site.run("QUICK")
    listed = {plugin["id"]: plugin for plugin in site.read("/plugins")["plugins"]}
    assert {"netalertx:QUICK", "netalertx:MANY", "netalertx:SETTINGS_ONLY"} <= set(listed)
    shown = site.read("/plugins/netalertx:QUICK")
    assert shown["last_decision"]["what"] == "started" and shown["limits"]["timeout"] == "1m"
    assert {setting["key"]: setting["value"] for setting in shown["settings"]}["QUICK_RUN"] == "disabled"


def test_metrics_are_prometheus_text(site):
    answer = site.request("GET", "/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer.text.endswith("\n")
    name = "[a-zA-Z_:][a-zA-Z0-9_:]*"
    label = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
    types, samples = {}, {}
    for line in answer.text.splitlines():
        if found := re.fullmatch(rf"# TYPE ({name}) (counter|gauge|histogram|summary|untyped)", line):
            assert found[1] not in types, line
            types[found[1]] = found[2]
        elif not re.fullmatch(rf"# HELP {name} .+", line):
            found = re.fullmatch(rf"({name})(\{{(?:{label}(?:,{label})*)?\}})? (\S+)", line)
            assert found and found[1] in types, line
            assert (found[1], found[2]) not in samples, line
            samples[found[1], found[2]] = float(found[3])
    assert samples["backplane_http_requests_total", None] > 0 and samples["backplane_accepted_total", None] > 0


def test_garbage_on_the_wire_leaves_the_daemon_well(site):
    import socket
    for garbage in (b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST /api/v1/plugins HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                    b"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n"):
        with socket.create_connection(site.address, timeout=sites.PATIENCE) as wire:
            try:
                wire.sendall(garbage)
                wire.shutdown(socket.SHUT_WR)
                while wire.recv(65536):
                    pass
            except ConnectionError:
                pass  # hung up on: just as well
    assert site.read("/status")["pid"] == site.daemon.pid


def test_a_body_beyond_the_limit_is_refused(site):
    try:
        answer = site.request("PATCH", "/api/v1/devices/1", body=b"x" * (64 << 20))
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before all of it was read
    else:
        assert answer.status in (400, 413), answer
    assert site.read("/status")["pid"] == site.daemon.pid
