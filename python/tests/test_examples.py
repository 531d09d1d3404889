"""The example site's plugins and its receiver of notifications, without a daemon."""

import contextlib
import hashlib
import hmac
import http.client
import http.server
import importlib.util
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading

import pytest

SITE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "site"
PLUGINS = SITE / "netalertx" / "plugins"
SECONDS = 60
SECRET = "between us"


def run(app, plugin, **settings):
    """Runs the plugin's script with these settings: {function: value} of the manifest's types."""
    manifest = json.loads((PLUGINS / plugin / "config.json").read_text())
    prefix = manifest["unique_prefix"]
    stored = {"LOG_LEVEL": ("string", "verbose"), "TIMEZONE": ("string", "UTC")}
    for setting in manifest["settings"]:
        function = setting["function"]
        value = settings.pop(function, setting["default_value"])
        stored[f"{prefix}_{function}"] = (setting["type"]["dataType"], str(value))
    assert not settings
    app.settings(stored)
    environment = os.environ | {"PYTHONPATH": f"{app.modules}:{app.modules}/plugins"}
    done = subprocess.run([sys.executable, PLUGINS / plugin / "script.py"], env=environment, capture_output=True,
                          text=True, check=False, timeout=SECONDS)
    assert done.stderr == ""
    result = app.log / "plugins" / f"last_result.{prefix}.log"
    return done, [line.split("|") for line in result.read_text().splitlines()]


def load(app, plugin):
    """Its script as a module."""
    app.settings({"LOG_LEVEL": ("string", "verbose"), "TIMEZONE": ("string", "UTC")})
    spec = importlib.util.spec_from_file_location(plugin, PLUGINS / plugin / "script.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- csv_import --------------------------------------------------------------------------

def test_the_sample_is_imported(app):
    done, rows = run(app, "csv_import", paths=[str(SITE / "devices.csv")])
    assert done.returncode == 0, done.stdout
    assert [row[0] for row in rows] == [f"02:00:5e:00:53:{last}" for last in ("01", "02", "10", "11")]
    printer = rows[2]
    assert printer[1] == "198.51.100.10" and printer[3:7] == ["example-printer", "Example Office", "Printer", ""]
    assert printer[7] == f"{SITE}/devices.csv:5"
    assert printer[8:] == ["02:00:5e:00:53:10", "02:00:5e:00:53:02", "7", "Office", "20"]


def test_bad_lines_are_told_and_the_rest_is_taken(app, tmp_path):
    file = tmp_path / "list.csv"
    file.write_bytes(b"\n".join([
        b"name,mac,ip", b"first,AA-00-00-00-00-01,192.0.2.1", b"no mac,,192.0.2.2", b"mac,aa:00:00:00:00,192.0.2.3",
        b"ip,aa:00:00:00:00:04,192.0.2.300", b"more,aa:00:00:00:00:05,::5,x", b'"o,aa:00:00:00:00:06,::6',
        b"\xff,aa:00:00:00:00:07,192.0.2.7", b"again,aa0000000001,192.0.2.1", b"", b"#", b"last,aa:00:00:00:00:12"]))
    done, rows = run(app, "csv_import", paths=[str(file)])
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("aa:00:00:00:00:01", "192.0.2.1", "first"), ("aa:00:00:00:00:12", "null", "last")]
    assert done.returncode == 1  # else the devices on the other lines would count as gone
    for number, why in {3: "'' is no MAC address", 4: "'aa:00:00:00:00' is no MAC address", 5: "'192.0.2.300'",
                        6: "4 values for 3 columns", 7: "unexpected end of data", 8: "utf-8",
                        9: f"listed before: {file}:2"}.items():
        (told,) = [line for line in done.stdout.splitlines() if f" {file}:{number}: " in line]
        assert why in told


def test_a_backup_is_a_list_too(app, tmp_path):
    file = tmp_path / "devices.csv"
    file.write_text('\ufeff"devName";"devOwner";"devMac";"devLastIP";"devParentMAC"\r\n'
                    '"a;b";"None";"aa:00:00:00:00:01";"192.0.2.1";"None"\r\n'
                    '"(unknown)";"None";"Internet";"198.51.100.1";"null"\r\n', encoding="utf-8")
    done, rows = run(app, "csv_import", paths=[str(file)])
    assert done.returncode == 0, done.stdout
    assert [(row[0], row[3], row[9]) for row in rows] == [("aa:00:00:00:00:01", "a;b", ""), ("internet", "", "")]
    assert "not used: devOwner" in done.stdout


def test_a_file_that_cannot_be_read_takes_no_other_with_it(app, tmp_path):
    (tmp_path / "headless.csv").write_text("aa:00:00:00:00:01,192.0.2.1\naa:00:00:00:00:02,192.0.2.2\n")
    paths = [str(tmp_path / "gone.csv"), str(tmp_path / "headless.csv"), str(SITE / "devices.csv")]
    done, rows = run(app, "csv_import", paths=paths)
    assert done.returncode == 1 and len(rows) == 4
    assert f"{paths[0]}: No such file" in done.stdout and f"{paths[1]}:1: is no line of column names" in done.stdout


# ---- hosts_names -------------------------------------------------------------------------

def test_who_has_no_name_gets_that_of_the_file(app, tmp_path):
    app.database()
    (tmp_path / "hosts").write_text("# 192.0.2.3 comment\n192.0.2.2\tprinter.lan printer # old\n192.0.2.1 known\nx y\n")
    done, rows = run(app, "hosts_names", file=str(tmp_path / "hosts"), wait=0)
    assert done.returncode == 0, done.stdout
    # Two more have no name; whether the resolver was quick enough to say that it knows none does not matter.
    assert [row[:2] + row[3:7] + row[8:9] for row in rows] == [
        ["aa:00:00:00:00:02", "192.0.2.2", "file", "printer.lan", "null", "null", "aa:00:00:00:00:02"]]
    assert "names for 1 of 3 devices" in done.stdout


def test_names_come_from_the_resolver(app, monkeypatch):
    script = load(app, "hosts_names")

    def answer(address):
        if address == "192.0.2.1":
            return "one.lan", [], [address]
        if address == "192.0.2.2":
            return address, [], [address]
        raise socket.herror(1, "Unknown host")

    monkeypatch.setattr(socket, "gethostbyaddr", answer)
    addresses = {f"192.0.2.{last}" for last in range(1, 40)}
    assert {k: v for k, v in script.ask_resolver(addresses, SECONDS).items() if v} == {"192.0.2.1": "one.lan"}


def test_a_resolver_that_does_not_answer_is_not_waited_for(app, monkeypatch, capsys):
    script = load(app, "hosts_names")
    given_up = threading.Event()
    monkeypatch.setattr(socket, "gethostbyaddr", lambda address: given_up.wait(SECONDS) and (address, [], []))
    assert script.ask_resolver({"192.0.2.1", "192.0.2.2"}, 0) == {}
    given_up.set()
    assert "no answer within 0 s for 2 addresses" in capsys.readouterr().out


# ---- webhook -----------------------------------------------------------------------------

@contextlib.contextmanager
def server(status, headers=(), body=b"seen"):
    """A receiver that answers so; gives its address and the requests that it got."""
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            got.append((self.command, dict(self.headers), self.rfile.read(int(self.headers.get("Content-Length", 0)))))
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET = answer

        def log_request(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{one.server_port}/hook", got
        one.shutdown()
        thread.join()


def notify(app, *guids):
    connection = app.database()
    db = app.load("database").DB()
    db.open()
    app.load("models.notification_instance").NotificationInstance(db)
    connection.executemany("INSERT INTO Notifications (guid, status, json, text, html) VALUES"
                           " (?, ?, '{\"new_devices\": []}', 'Gerät', '<b>')",
                           [("old", "processed"), *((guid, "new") for guid in guids)])


def test_each_new_notification_is_sent_and_signed(app):
    notify(app, "a", "b")
    with server(204, body=b"") as (url, got):
        done, rows = run(app, "webhook", url=url, SECRET=SECRET)
    assert done.returncode == 0, done.stdout
    assert [json.loads(body)["guid"] for _, _, body in got] == ["a", "b"]
    method, headers, body = got[0]
    assert method == "POST" and headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"guid": "a", "text": "Gerät", "html": "<b>", "json": {"new_devices": []}}
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Webhook-Signature"] == f"sha256={signature}"
    assert [(row[0], row[3], row[5], row[8]) for row in rows] == [("HOOK", "a", "204", "a"), ("HOOK", "b", "204", "b")]


@pytest.mark.parametrize("status, headers", [(403, ()), (500, ()), (302, [("Location", "/elsewhere")])])
def test_a_receiver_that_refuses_fails_the_run(app, status, headers):
    notify(app, "a", "b")
    with server(status, headers) as (url, got):
        done, rows = run(app, "webhook", url=url)
    assert done.returncode == 1 and len(got) == 2  # each had its try, and no redirect was followed
    assert "X-Webhook-Signature" not in got[0][1]
    assert [row[3:6] for row in rows] == [["a", "seen", str(status)], ["b", "seen", str(status)]]
    assert f"notification a was not taken: {status}: seen" in done.stdout


def test_no_receiver_is_told(app):
    notify(app, "a")
    with server(200) as (url, _):
        pass
    done, rows = run(app, "webhook", url=url)
    assert done.returncode == 1 and "a was not taken: no answer: [Errno 111] Connection refused" in done.stdout
    assert rows[0][5] == "null"
    for wrong in ("", "file:///etc/hostname"):
        done, _ = run(app, "webhook", url=wrong)
        assert done.returncode == 1 and "HOOK_url is no http:// or https:// address" in done.stdout


# ---- the receiver ------------------------------------------------------------------------

@pytest.fixture
def receiver():
    """The receiver, which ends with a process that stands for the daemon: (itself, its port, that process)."""
    with contextlib.ExitStack() as stack:
        daemon = stack.enter_context(subprocess.Popen(["cat"], stdin=subprocess.PIPE))
        stack.callback(daemon.kill)
        command = [sys.executable, SITE / "webhook_receiver.py", "--port=0", f"--secret={SECRET}",
                   f"--with-pid={daemon.pid}"]
        one = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(one.kill)
        yield one, int(one.stdout.readline().rpartition(":")[2].strip(" /\n")), daemon


def post(port, body, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    with contextlib.closing(connection):
        connection.request("POST", "/", body, headers)
        return connection.getresponse().status


def signed(body):
    return {"X-Webhook-Signature": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


def test_the_receiver_prints_what_is_signed_and_ends_with_the_daemon(app, receiver):
    one, port, daemon = receiver
    notify(app, "right")
    assert run(app, "webhook", url=f"http://127.0.0.1:{port}/", SECRET="of somebody else")[0].returncode == 1
    done, rows = run(app, "webhook", url=f"http://127.0.0.1:{port}/", SECRET=SECRET)
    assert done.returncode == 0 and rows[0][4:6] == ["taken", "200"]
    daemon.kill()
    said = one.communicate(timeout=SECONDS)[0]
    assert one.returncode == 0
    refused, taken, text = said.splitlines()
    assert refused.endswith("refused: no valid signature")
    assert taken.endswith("notification right, signature valid") and text == "Gerät"


def test_the_receiver_refuses_what_is_no_notification(receiver):
    one, port, daemon = receiver
    for body in (b"", b"text", b"[1]", b'{"guid": "a"}', b"[" * 100000):
        assert post(port, body, **signed(body)) == 400
    assert post(port, b"", **{"Content-Length": str(1 << 40)}) == 413
    escape = json.dumps({"guid": "a", "text": "\x1b[2J"}).encode()
    assert post(port, escape, **signed(escape)) == 200
    daemon.kill()
    assert one.communicate(timeout=SECONDS)[0].splitlines()[-1] == "?[2J"
