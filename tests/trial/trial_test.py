"""The trial's parts, without the program that it runs plugins with."""
import json
import smtplib
import socket
import sqlite3
import subprocess
import types
import urllib.error
import urllib.request

import chain
import netalertx
import pytest
import trial
from standins import boxes, table, web
from standins.place import HERE


def plugin(folder, prefix="SCAN", **files):
    folder.mkdir(parents=True)
    settings = [{"function": "RUN", "options": ["disabled", "once"]}, {"function": "CMD"}, {"function": "CMD"}]
    (folder / "config.json").write_text(json.dumps({"unique_prefix": prefix, "code_name": "<plugin folder>",
                                                    "settings": settings}))
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_a_template_is_made_into_a_plugin_outside_its_folder(tmp_path):
    script = 'NAME = "<unique_prefix>"\nPATH = "<plugin folder>/last_result.<unique_prefix>.log"\n'
    source = plugin(tmp_path / "__template", ignore_plugin="", **{"script.py": script})
    (source / "picture.png").write_bytes(b"\xff\xd8<unique_prefix>")
    into = tmp_path / "scratch"
    into.mkdir()
    target = netalertx.ready(source, into)
    assert target == into / "template"
    assert not (target / "ignore_plugin").exists()
    assert (target / "script.py").read_text() == 'NAME = "SCAN"\nPATH = "template/last_result.SCAN.log"\n'
    assert (target / "picture.png").read_bytes() == b"\xff\xd8<unique_prefix>"
    assert (source / "ignore_plugin").exists() and "<unique_prefix>" in (source / "script.py").read_text()


def test_an_ordinary_plugin_is_not_touched(tmp_path):
    source = plugin(tmp_path / "_publisher_x", **{"script.py": "<unique_prefix>"})
    into = tmp_path / "scratch"
    into.mkdir()
    target = netalertx.ready(source, into)
    # The command of its manifest names the folder.
    assert target == into / "_publisher_x"
    assert (target / "script.py").read_text() == "<unique_prefix>"


def test_a_folder_without_plugins_is_an_error(tmp_path):
    assert trial.main(["--backplane", "/nowhere", "netalertx", str(tmp_path)]) == 1


def seen(status="ok", rows=(), output="", refusals=(), message="", readable=("RUN", "CMD"), prefix="SCAN"):
    run = {"status": status, "message": message, "refusals": list(refusals)}
    return netalertx.Seen(readable={f"{prefix}_{key}" for key in readable}, run=run, rows=list(rows), output=output)


KEA = [{"primary": "02:00:00:71:00:01", "secondary": "192.0.2.71", "watched": ["True", "kettle.trial.example"]},
       {"primary": "02:00:00:71:00:02", "secondary": "192.0.2.72", "watched": ["False", ""]}]


@pytest.mark.parametrize("prefix, what, outcome, wrong", [
    # Without expectations a run that ends well is enough.
    ("SCAN", {}, "well", ""),
    ("SCAN", {"refusals": [{"where": "line 4", "reason": "has 7 columns"}]}, "well", "line 4: has 7 columns"),
    ("SCAN", {"status": "failed", "message": "it broke\nmore", "output": "a\nValueError: x\n"}, "NOT WELL",
     "it broke: ValueError: x"),
    ("KEALSS", {"rows": KEA}, "well", ""),
    ("KEALSS", {"rows": KEA[:1], "output": "half of them\n"}, "NOT WELL", "1 rows instead of 2: half of them"),
    ("KEALSS", {"rows": KEA[1:] * 2}, "NOT WELL", "no row holds 02:00:00:71:00:01, 192.0.2.71, kettle.trial.example"),
    ("KEALSS", {"rows": KEA, "refusals": [{"where": "line 3", "reason": "is torn"}]}, "NOT WELL", "line 3: is torn"),
    ("KEALSS", {"rows": KEA, "readable": ["RUN"]}, "NOT WELL", "settings that cannot be read: KEALSS_CMD"),
    ("DDNS", {"output": "good 203.0.113.7\n"}, "well", ""),
    ("DDNS", {"output": "no answer\n"}, "NOT WELL", 'it does not say "good 203.0.113.7": no answer'),
    ("NTFY", {"status": "failed", "message": "no such table"}, "listed", "no such table"),
])
def test_outcomes(tmp_path, prefix, what, outcome, wrong):
    one = netalertx.Plugin(plugin(tmp_path / "one", prefix))
    assert netalertx.outcome(one, seen(prefix=prefix, **what)) == (outcome, wrong)


def test_what_has_nothing_to_run_need_only_be_read(tmp_path):
    one = netalertx.Plugin(plugin(tmp_path / "one", "WORKFLOWS"))
    assert netalertx.outcome(one, netalertx.Seen(readable=set(one.settings))) == ("well", "")
    assert netalertx.outcome(one, netalertx.Seen(finding="no such type")) == ("NOT WELL", "no such type")


def test_nothing_runs_beside_the_trial(tmp_path):
    one = netalertx.Plugin(plugin(tmp_path / "one"))
    assert 'SCAN_RUN = "disabled"' in netalertx.site([one], tmp_path, None)


def test_settings_are_given_to_plugins_that_are_known():
    place = types.SimpleNamespace(port=lambda name: 1, files=HERE, tools=HERE / "bin", python="python3")
    assert set(table.settings(place)) - {""} <= set(table.EXPECTED)
    assert len(table.EXPECTED) == 52


def test_every_program_answers():
    for program in sorted((HERE / "bin").iterdir()):
        if program.name in ("sudo", "omada"):  # these have nothing of their own to say
            continue
        done = subprocess.run([program, "192.0.2.1"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stdout, program
    dead = subprocess.run([HERE / "bin/fping", "-a", "127.0.0.1", "192.0.2.9"], capture_output=True, text=True)
    assert dead.returncode == 1 and dead.stdout.startswith("127.0.0.1 ") and "192.0.2.9" not in dead.stdout


def test_the_web_answers_what_it_knows():
    server = web.serve()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with urllib.request.urlopen(url + "/control/clients") as answer:
            assert json.load(answer)["auto_clients"][0]["ip"] == "192.0.2.61"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url + "/control")
    finally:
        server.shutdown()
        server.server_close()


def test_the_web_keeps_notifications():
    server = web.serve()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with urllib.request.urlopen(url + "/notify/webhook", data=b'{"text": "hello"}') as answer:
            assert answer.status == 200
        assert server.received == [("webhook", '{"text": "hello"}')]
    finally:
        server.shutdown()
        server.server_close()


def asked(router, sentence):
    router.sendall(sentence)
    answer = b""
    while not answer.endswith(b"!done\0"):
        answer += router.recv(4096)
    return answer


def test_the_router_answers_in_sentences():
    server = boxes.serve(boxes.RouterOs)
    try:
        with socket.create_connection(server.server_address) as router:
            assert asked(router, b"\x06/login\0") == b"\x05!done\0"
            answer = asked(router, b"\x1b/ip/dhcp-server/lease/print\0")
        assert answer.count(b"\x03!re") == 2 and b"\x14=address=192.0.2.171" in answer
    finally:
        server.shutdown()
        server.server_close()


def test_mail_is_kept_as_it_is_read():
    server = boxes.serve(boxes.Mail)
    try:
        with smtplib.SMTP(*server.server_address) as client:
            client.sendmail("a@example.com", "b@example.com", "Subject: x\nMIME-Version: 1.0\n"
                            "Content-Type: multipart/alternative; boundary=B\n\n--B\nContent-Type: text/plain\n"
                            "Content-Transfer-Encoding: base64\n\naGVsbG8=\n--B\n"
                            "Content-Type: text/html\n\n<b>hello</b>\n--B--\n")
        assert server.received == ["hello"]
        with socket.create_connection(server.server_address) as torn:  # its handler ends, and harms nobody
            torn.sendall(b"DATA\r\nhalf a mess")
    finally:
        server.shutdown()
        server.server_close()


def test_the_broker_keeps_what_is_published():
    server = boxes.serve(boxes.Mqtt)
    try:
        with socket.create_connection(server.server_address) as client:
            client.sendall(b"\x10\x11\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x04name")
            assert client.recv(16) == b"\x20\x03\x00\x00\x00"
            body = b"\x00\x03a/b" + b"\x03\x01\x00\x00" + b"m" * 200
            # Retained; its length takes two bytes. What is answered to the ping comes after it was kept.
            client.sendall(b"\x31" + bytes([len(body) % 128 | 128, len(body) // 128]) + body + b"\xc0\x00")
            assert client.recv(16) == b"\xd0\x00"
            client.sendall(b"\xe0\x00")
        assert server.received == [("a/b", "m" * 200)]
    finally:
        server.shutdown()
        server.server_close()


def test_programs_do_as_their_variables_say(tmp_path):
    def output(*command, **variables):
        return subprocess.run(command, env={"PATH": "/usr/bin:/bin"} | variables, capture_output=True, text=True).stdout
    unknown = {"TRIAL_UNKNOWN": "192.0.2.1,192.0.2.2"}
    assert not output(HERE / "bin/dig", "+short", "-x", "192.0.2.2", **unknown)
    assert "192-0-2-3" in output(HERE / "bin/dig", "+short", "-x", "192.0.2.3", **unknown)
    assert "NXDOMAIN" in output(HERE / "bin/nslookup", "192.0.2.1", **unknown)
    assert "name = host-192-0-2-3." in output(HERE / "bin/nslookup", "192.0.2.3", **unknown)
    # A message may speak of this machine.
    for text in ("at 127.0.0.1", "two"):
        said = output(HERE / "bin/curl", "https://api.telegram.org/bot/sendMessage", "--data", text,
                      TRIAL_SENT=str(tmp_path / "sent"))
        assert said == '{"ok":true}'
    assert (tmp_path / "sent").read_text() == "at 127.0.0.1\ntwo\n"


# ---- the chain ---------------------------------------------------------------------------

GUIDS = ("g-1", "g-2")
SPOKEN = [" ".join(chain.WORDS[:-1]), chain.NOTICE]


def whole(prefix, **changed):
    """What is seen of a publisher that did all it should, but for what is changed."""
    one = {"id": 1, "status": "ok", "message": "", "refusals": []}
    response = "ProxyError" if prefix in chain.OFFLINE else "sent"
    parts = {
        "runs": [one, one | {"id": 2}],
        "rows": [{"watched": [guid, response, "null", "null"], "foreign_key": guid} for guid in GUIDS],
        "sent": SPOKEN,
        "told": [{"id": number, "guid": guid, "deliveries": [{"plugin": f"netalertx:{prefix}", "state": "sent"},
                                                             {"plugin": "netalertx:OTHER", "state": "failed"}]}
                 for number, guid in enumerate(GUIDS, 1)]} | changed
    if prefix == "MQTT":
        parts["sent"] = [f"{guid} {text}" for guid, text in zip(GUIDS, parts["sent"])]
    found = chain.Seen(told=parts["told"])
    for key in ("runs", "rows", "sent"):
        getattr(found, key)[prefix] = parts[key]
    return found


def judged(prefix, found):
    return chain.problem(types.SimpleNamespace(prefix=prefix, name=prefix.lower()), found)


@pytest.mark.parametrize("prefix", chain.PUBLISHERS)
def test_a_publisher_that_told_of_each_device_once_is_well(prefix):
    assert judged(prefix, whole(prefix)) == ""
    row = chain.line(types.SimpleNamespace(prefix=prefix, name="it"), whole(prefix))
    assert row == ("it", prefix, "publish", "2", "2", "2", "well", "")


FAILED = {"id": 7, "status": "failed", "message": "exit code 1", "refusals": []}
REFUSED = {"id": 7, "status": "ok", "message": "", "refusals": [{"where": "line 3", "reason": "is torn"}]}


@pytest.mark.parametrize("prefix, changed, wrong", [
    ("NTFY", {"runs": []}, "it did not run"),
    ("NTFY", {"runs": [FAILED]}, "run 7 failed: exit code 1"),
    ("NTFY", {"runs": [REFUSED]}, "run 7 ok: is torn"),
    ("NTFY", {"told": []}, "nobody was told of anything"),
    ("NTFY", {"told": [{"id": 3, "guid": "g-1", "deliveries": []}]}, "notification 3 is not delivered instead of sent"),
    ("NTFY", {"told": [{"id": 3, "guid": "g-1", "deliveries": [{"plugin": "netalertx:NTFY", "state": "uncertain"}]}]},
     "notification 3 is uncertain instead of sent"),
    ("NTFY", {"rows": [{"watched": ["g-1"], "foreign_key": ""}]}, "notification 1 (g-1) is named 0 times instead of once"),
    ("NTFY", {"rows": [{"watched": ["g-1"], "foreign_key": "g-1"}] * 2},
     "notification 1 (g-1) is named 2 times instead of once"),
    ("NTFY", {"sent": SPOKEN[:1]}, "its sink got trial-notice 0 times instead of once"),
    ("NTFY", {"sent": SPOKEN + ["toaster"]}, "its sink got toaster 2 times instead of once"),
    ("MQTT", {"sent": SPOKEN[:1]}, "notification 2 (g-2) is named 0 times instead of once"),
    ("PUSHOVER", {"rows": [{"watched": [guid, "200"], "foreign_key": guid} for guid in GUIDS]},
     "its row does not say that nobody could be reached"),
])
def test_what_a_publisher_does_wrong_is_named(prefix, changed, wrong):
    assert judged(prefix, whole(prefix, **changed)) == wrong


def test_each_resolver_has_a_device_to_name():
    found = whole("NBTSCAN")
    found.names = {"02:00:00:21:00:01": "TRIAL-PC"}
    assert judged("NBTSCAN", found) == ""
    found.names = {"02:00:00:21:00:01": ""}
    assert judged("NBTSCAN", found) == "02:00:00:21:00:01 is named '' instead of 'TRIAL-PC'"


def test_what_cleaners_leave_or_break_is_named(tmp_path):
    app_db = chain.AppDb(tmp_path)
    app_db.file.parent.mkdir(parents=True)
    with sqlite3.connect(app_db.file) as connection:
        connection.executescript("""
            CREATE TABLE Events (eveMac, eveIp, eveDateTime, eveEventType);
            CREATE TABLE Online_History (scanDate);
            CREATE TABLE AppEvents (dateTimeCreated);
            CREATE TABLE Notifications (guid);
            CREATE TABLE Plugins_History (plugin);""")
    assert app_db.wrong() == ""
    app_db.spoil()
    assert len(app_db.beyond()) == len(chain.STALE)
    assert app_db.wrong() == f"1 instead of 0 at most: {next(iter(chain.LIMITS))}"
    found = whole("DBCLNP")
    found.cleaned["DBCLNP"] = app_db.wrong()
    assert judged("DBCLNP", found) == app_db.wrong()


def test_what_is_only_listed_alone_is_judged_in_the_chain():
    prefixes = [prefix for some in chain.PARTS.values() for prefix in some]
    assert {prefix for prefix, expected in table.EXPECTED.items() if expected == table.LISTED} <= set(prefixes)
    assert len(prefixes) == len(set(prefixes))


def test_the_chain_takes_all_plugins_and_one_dialect(tmp_path, capsys):
    plugin(tmp_path / "one", "ARPSCAN")
    assert trial.main(["--backplane", "/nowhere", "--chain", "netalertx", str(tmp_path)]) == 1
    assert "not all in" in capsys.readouterr().err
    for wrong in (["panoptes", str(tmp_path)], ["netalertx", str(tmp_path), "one"]):
        with pytest.raises(SystemExit):
            trial.main(["--backplane", "/nowhere", "--chain", *wrong])
