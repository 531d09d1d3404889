"""Temporary sites, the daemon on them, and its clients: what the end-to-end tests are written in."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import textwrap
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("BACKPLANE_BIN") or ROOT / "build/release").resolve()
EXAMPLES = ROOT / "examples/site/netalertx/plugins"
# How long anything may take on a slow machine before a test gives it up.
PATIENCE = 60
POLL = 0.02


def environment(**extra):
    """Ours without what could lead a command to another site."""
    return {k: v for k, v in os.environ.items() if not k.startswith("BACKPLANE_")} | extra


def wait_for(probe, what, seconds=PATIENCE):
    """The first true value of `probe()`."""
    end = time.monotonic() + seconds
    while not (value := probe()):
        assert time.monotonic() < end, f"not within {seconds} s: {what() if callable(what) else what}"
        time.sleep(POLL)
    return value


# ---- plugins -----------------------------------------------------------------------------

def setting(function, data_type, default, element="input", options=(), element_options=()):
    text = [{"language_code": "en_us", "string": function}]
    return {"function": function, "type": {"dataType": data_type, "elements": [
        {"elementType": element, "elementOptions": list(element_options), "transformers": []}]},
        "default_value": default, "options": list(options), "localized": ["name", "description"], "name": text,
        "description": text}


def column(name, target=None):
    one = {"column": name, "css_classes": "col-sm-2", "show": True, "type": "label", "default_value": "", "options": [],
           "localized": ["name"], "name": [{"language_code": "en_us", "string": name}]}
    return one | ({"mapped_to_column": target} if target else {})


def manifest(name, devices=False, run="disabled", timeout=PATIENCE, command=None, watch=("watchedValue1",), always=(),
             params=(), report=None):
    """A manifest whose prefix is the name in capitals; runs by hand unless `run` says otherwise. `always` names
    columns that its result replaces whoever wrote them, `report` the statuses of REPORT_ON."""
    text = [{"language_code": "en_us", "string": name}]
    document = {
        "code_name": name, "unique_prefix": name.upper(), "enabled": True, "data_source": "script", "show_ui": True,
        "plugin_type": "device_scanner" if devices else "other", "data_filters": [], "params": list(params),
        "localized": ["display_name", "description", "icon"], "display_name": text, "description": text, "icon": text,
        "settings": [
            setting("RUN", "string", run, "select", ["disabled", "once", "schedule", "always_after_scan", "on_new_device",
                                                     "before_name_updates", "on_notification"]),
            setting("RUN_SCHD", "string", "0 0 1 1 *"),
            setting("CMD", "string", command or f"python3 /app/server/plugins/{name}/script.py"),
            setting("RUN_TIMEOUT", "integer", timeout, element_options=[{"type": "number"}]),
            setting("WATCH", "array", list(watch), "select", [f"watchedValue{i}" for i in range(1, 5)]),
            setting("SET_ALWAYS", "array", list(always), "select", ["devName", "devVendor"]),
        ],
        "database_column_definitions": [
            column("objectPrimaryId", "scanMac" if devices else None),
            column("objectSecondaryId", "scanLastIP" if devices else None),
            column("watchedValue1", "scanName" if devices else None),
            column("watchedValue2", "scanVendor" if devices else None),
            column("dateTimeCreated"), column("dateTimeChanged"), column("status"),
        ],
    }
    if report is not None:
        document["settings"].append(setting("REPORT_ON", "array", list(report), "select", [
            "new", "watched-changed", "watched-not-changed", "missing-in-last-scan"]))
    return document | ({"mapped_to_table": "CurrentScan"} if devices else {})


def write_plugin(folder, name, script, **declared):
    """A plugin in folder/name. `script` finds RESULT, the path of its result file, and row()."""
    plugin = pathlib.Path(folder) / name
    plugin.mkdir(parents=True)
    (plugin / "config.json").write_text(json.dumps(manifest(name, **declared), indent=1))
    (plugin / "script.py").write_text(textwrap.dedent(f"""\
        import os, signal, subprocess, sys
        RESULT = os.environ["NETALERTX_PLUGINS_LOG"] + "/last_result.{name.upper()}.log"
        def row(primary, secondary, *watched):
            cells = [primary, secondary, "2026-01-01 00:00:00", *watched, *["null"] * (4 - len(watched)), "", ""]
            return "|".join(cells) + "\\n"
        """) + textwrap.dedent(script))
    return plugin


# ---- clients -----------------------------------------------------------------------------

class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode("utf-8", errors="surrogateescape")

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"{self.status} {self.text[:2000]}"


def refused(answer, status, field=None):
    """Checks a refusal: its status, that it is a problem document, and the field that it names."""
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/problem+json", answer
    problem = answer.json
    assert problem["status"] == status and problem["detail"], answer
    assert field is None or problem.get("field") == field, answer
    return problem["detail"]


# ---- commands ----------------------------------------------------------------------------

def command(*arguments, cwd=None, seconds=PATIENCE * 2, prefix=(), **extra):
    """Runs `backplane` with `arguments` to its end."""
    return subprocess.run([*prefix, str(BIN / "backplane"), *map(str, arguments)], cwd=cwd, env=environment(**extra),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="surrogateescape",
                          timeout=seconds)


def processes_of(mark):
    """{pid: command line} of the processes in whose arguments, environment or folder `mark` occurs."""
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes()
            where = os.fsencode(os.readlink(folder / "cwd"))
            if not line:  # a zombie
                continue
            if os.fsencode(str(mark)) in line + (folder / "environ").read_bytes() + where:
                found[int(folder.name)] = line.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


# ---- the site ----------------------------------------------------------------------------

class Site:
    """A configuration, a folder of plugins and a data folder; at most one daemon at a time."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.plugins = self.folder / "plugins"
        self.data = self.folder / "data"
        self.config = self.folder / "site.toml"
        self.daemon = None
        self.plugins.mkdir(parents=True)
        self.configure()

    def configure(self, options="", settings="", run_at_start=False, plugins=None, trust="auto"):
        # This machine's own network card would be a device besides those that tests count.
        if "own_host" not in options and not any(line.startswith("[") for line in options.splitlines()):
            options += '\ndevices.own_host = "no"'
        self.config.write_text(f"trust = \"{trust}\"\n{options}\n[[plugins]]\npath = {json.dumps(str(plugins or self.plugins))}\n"
                               f"run_at_start = {str(run_at_start).lower()}\n[settings.netalertx]\n{settings}\n")

    def plugin(self, name, script, **declared):
        return write_plugin(self.plugins, name, script, **declared)

    @property
    def log(self):
        path = self.folder / "daemon.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def spawn(self, *arguments, prefix=(), listen="127.0.0.1:0", **extra):
        """Starts a daemon and does not wait for it."""
        assert self.daemon is None
        with (self.folder / "daemon.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                [*prefix, str(BIN / "backplane"), "serve", "--config", str(self.config), "--data", str(self.data),
                 "--listen", listen, *arguments], env=environment(**extra), stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)
        return self.daemon

    def start(self, **how):
        """Starts a daemon and waits until it answers."""
        (self.data / "address").unlink(missing_ok=True)
        self.spawn(**how)

        def ready():
            assert self.daemon.poll() is None, f"the daemon ended with {self.daemon.returncode}:\n{self.log}"
            if not (self.data / "address").exists():
                return False
            with contextlib.suppress(OSError):
                return self.get("/status").status == 200
        wait_for(ready, lambda: f"the daemon answers:\n{self.log}")
        return self

    def stop(self, with_signal=signal.SIGTERM):
        """Ends the daemon; returns its exit status."""
        daemon, self.daemon = self.daemon, None
        if daemon.poll() is None:
            daemon.send_signal(with_signal)
        try:
            return daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
            raise AssertionError(f"the daemon does not stop:\n{self.log}") from None

    def close(self):
        if self.daemon is not None:
            self.stop()
        wait_for(lambda: not processes_of(self.data), lambda: f"nothing runs any more: {processes_of(self.data)}")

    @property
    def token(self):
        return (self.data / "token").read_text().strip()

    @property
    def address(self):
        """(host, port) of the TCP listener."""
        url = urllib.parse.urlsplit((self.data / "address").read_text().strip())
        return url.hostname, url.port

    def request(self, method, path, body=None, headers=None, tcp=False, seconds=PATIENCE * 2):
        """One request. `headers` replace the ordinary ones; None leaves one out."""
        connection = (http.client.HTTPConnection(*self.address, timeout=seconds) if tcp
                      else UnixConnection(self.data / "api.sock", seconds))
        given = {"Host": "localhost", "Authorization": f"Bearer {self.token}"} | (headers or {})
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                if value is not None:
                    connection.putheader(name, value)
            data = body.encode() if isinstance(body, str) else body
            if data is not None or method in ("POST", "PATCH", "PUT"):
                connection.putheader("Content-Length", str(len(data or b"")))
            connection.endheaders(data)
            return Answer(connection.getresponse())

    def get(self, path, **query):
        text = "?" + urllib.parse.urlencode(query) if query else ""
        return self.request("GET", f"/api/v1{path}{text}")

    def read(self, path, **query):
        """The document at `path`, which must be there."""
        answer = self.get(path, **query)
        assert answer.status == 200, answer
        return answer.json

    def post(self, path, **headers):
        return self.request("POST", f"/api/v1{path}", headers=headers)

    def patch(self, path, body):
        return self.request("PATCH", f"/api/v1{path}", body)

    def launch(self, name):
        """Has a plugin run; returns the run's id as soon as it has started."""
        answer = self.post(f"/plugins/{name}/run")
        assert answer.status == 202, answer
        if answer.json["run"] is not None:
            return answer.json["run"]
        # The run before has ended, and its lane is not free yet.
        key = answer.json["job"]
        return wait_for(lambda: self.read("/runs", key=key)["runs"], f"{name} starts")[0]["id"]

    def ended(self, run):
        """The run, once it has ended and what it said is folded."""
        document = self.read(f"/runs/{run}", wait=PATIENCE)
        assert document["status"] != "running", document
        self.folded()
        return self.read(f"/runs/{run}")

    def run(self, name):
        return self.ended(self.launch(name))

    def folded(self):
        def even():
            journal = self.read("/status")["journal"]
            return journal["folded"] >= journal["last"]
        wait_for(even, "the journal is folded")

    def devices(self, **query):
        return self.read("/devices", **query)["devices"]

    def device(self, device):
        return self.read(f"/devices/{device}")

    def events(self, after=0, **query):
        return self.read("/events", after=after, **query)["events"]

    def command(self, *arguments, **how):
        """Runs a command that asks this site's daemon."""
        return command(*arguments, "--data", self.data, **how)

    def left_over(self):
        """Processes that runs left: everything of this site but the daemon and its keeper."""
        keep = ("backplane serve", "backplane-keeper")
        return {pid: line for pid, line in processes_of(self.data).items() if not any(name in line for name in keep)}


def copy_plugin(source, folder):
    return shutil.copytree(source, pathlib.Path(folder) / source.name)
