"""A site in a temporary folder, and a daemon on it that may be killed and started again."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
# BACKPLANE_KEEP leaves the folder of each site, to look into.
BIN = pathlib.Path(os.environ.get("BACKPLANE_BIN", HERE.parent.parent / "build" / "release"))
# Long enough for a slow machine; what takes longer hangs.
BOUND = 90


class NotReached(AssertionError):
    """Something did not happen within its bound."""


def wait_until(condition, what, bound=BOUND, step=0.01):
    """Asks until `condition()` gives something true, and returns it."""
    end = time.monotonic() + bound
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise NotReached(f"not within {bound} s: {what() if callable(what) else what}")
        time.sleep(step)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Plugin:
    """What one plugin of the site is to do; see recording_script.py. `dropped`: it is never run, and its result files
    are left where those of scripts go that were started by hand."""

    def __init__(self, prefix, kind="objects", count=5, hold=0.0, fail=0.0, child=False, macs="02:00:00:00",
                 timeout=30, dropped=False):
        self.prefix, self.kind, self.count, self.hold, self.dropped = prefix, kind, count, hold, dropped
        self.fail, self.child, self.macs, self.timeout = fail, child, macs, timeout

    def write(self, folder, records):
        folder.mkdir(parents=True)
        shutil.copy(HERE / "recording_script.py", folder / "script.py")
        plan = {"records": str(records), "prefix": self.prefix, "kind": self.kind, "count": self.count,
                "macs": self.macs, "fail": self.fail, "hold": self.hold, "child": self.child}
        (folder / "plan.json").write_text(json.dumps(plan))
        (folder / "config.json").write_text(json.dumps(self.manifest(folder.name), indent=1))

    def manifest(self, name):
        def text(value):
            return [{"language_code": "en_us", "string": value}]

        def setting(function, kind, value):
            return {"function": function, "default_value": value, "options": [], "localized": ["name", "description"],
                    "type": {"dataType": kind, "elements": [{"elementType": "input", "elementOptions": [],
                                                             "transformers": []}]},
                    "name": text(function), "description": text(function)}

        devices = self.kind == "devices"
        columns = [("objectPrimaryId", "scanMac"), ("objectSecondaryId", "scanLastIP"), ("watchedValue1", "scanName")]
        manifest = {
            "code_name": name, "unique_prefix": self.prefix, "plugin_type": "device_scanner", "data_source": "script",
            "localized": ["display_name", "description", "icon"], "display_name": text(self.prefix),
            "description": text("Of the fault suite"), "icon": text("i"), "params": [],
            "settings": [setting("RUN", "string", "disabled" if self.dropped else "schedule"), setting("RUN_SCHD", "string", "* * * * *"),
                         setting("CMD", "string", f"python3 /app/server/plugins/{name}/script.py"),
                         setting("RUN_TIMEOUT", "integer", self.timeout),
                         setting("WATCH", "array", ["watchedValue1"]),
                         setting("SET_ALWAYS", "array", ["devName", "devLastIP"])],
            "database_column_definitions": [
                {"column": column, "show": True, "type": "label", "default_value": "", "options": [],
                 "localized": ["name"], "name": text(column), **({"mapped_to_column": target} if devices else {})}
                for column, target in columns]}
        return manifest | ({"mapped_to_table": "CurrentScan"} if devices else {})


class Site:
    """Folder, configuration, daemon and a client of its API."""

    def __init__(self, plugins, run_at_start=True, data=None, options=""):
        # Not pytest's folder: the address of a unix socket is short.
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="bpf-"))
        self.data = data or self.root / "data"
        self.records = self.root / "records"
        (self.records / "rows").mkdir(parents=True)
        self.plugins = {plugin.prefix: plugin for plugin in plugins}
        for plugin in plugins:
            plugin.write(self.root / "plugins" / plugin.prefix.lower(), self.records)
        self.config = self.root / "site.toml"
        self.config.write_text(
            f'listen = "127.0.0.1:0"\ndata = "{self.data}"\ntrust = "auto"\ndevices.own_host = "no"\n{options}\n'
            '[runs]\nworkers = 8\nkeep = 100000\nkeep_all = 1000000\n[journal]\nkeep = "7d"\n[events]\nkeep = "7d"\n'
            f'[[plugins]]\npath = "plugins"\ndialect = "netalertx"\nrun_at_start = {str(run_at_start).lower()}\n')
        self.log = self.root / "daemon.log"
        self.daemon = None

    # -- the daemon -----------------------------------------------------------------------------

    def launch(self, crash_at=None):
        """Starts the daemon and does not wait for it."""
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.root), "LANG": "C.UTF-8"}
        if crash_at:
            environment["BACKPLANE_CRASH_AT"] = crash_at
        with self.log.open("ab") as log:
            self.daemon = subprocess.Popen([BIN / "backplane", "serve", "--config", self.config], env=environment,
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self.daemon

    def start(self, crash_at=None):
        """Starts the daemon; whether it answers. False: it died before, which only a crash point may do."""
        self.launch(crash_at)
        wait_until(lambda: self.daemon.poll() is not None or self.answers(),
                   lambda: f"daemon ready\n{self.log_tail()}")
        if self.daemon.poll() is not None and not (crash_at and self.daemon.returncode == -signal.SIGKILL):
            raise AssertionError(f"the daemon ended with {self.daemon.returncode}\n{self.log_tail()}")
        return self.daemon.returncode is None

    def answers(self):
        try:
            return self.get("/status")["pid"] == self.daemon.pid
        except (OSError, http.client.HTTPException, KeyError):
            return False

    def keeper(self):
        """The pid of the daemon's keeper; None while there is none."""
        for pid in children_of(self.daemon.pid):
            with contextlib.suppress(OSError):
                name = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
                if name == "backplane-keeper" and state_of(pid) not in "ZX":
                    return pid
        return None

    def kill_daemon(self):
        self.daemon.kill()
        self.daemon.wait(BOUND)

    def stop(self):
        """SIGTERM; returns the exit status."""
        if self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
        try:
            return self.daemon.wait(BOUND)
        except subprocess.TimeoutExpired:
            raise NotReached(f"the daemon does not stop\n{self.log_tail()}") from None

    def log_tail(self, lines=40):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def command(self, *words):
        """Runs a command of the program on this site's data."""
        return subprocess.run([BIN / "backplane", *words, "--data", self.data], capture_output=True, text=True,
                              timeout=1800, check=False, env={"PATH": "/usr/bin:/bin", "HOME": str(self.root)})

    def remains(self):
        """Processes that belong to this site, as "pid: command"."""
        here = str(self.root).encode()
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
                ours = b"BACKPLANE_MARK=" in environment and here in environment
                if (ours or here in words) and state_of(pid) not in "ZX":
                    found.append(f"{pid}: {words.replace(bytes(1), b' ').decode(errors='replace')}")
        return found

    def remove(self):
        if self.daemon and self.daemon.poll() is None:
            self.kill_daemon()
        try:
            # The keeper goes by itself when its daemon has gone, and what it kept with it.
            wait_until(lambda: not self.remains(), lambda: f"no process left: {self.remains()}")
        finally:
            for process in self.remains():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(process.partition(":")[0]), signal.SIGKILL)
            if not os.environ.get("BACKPLANE_KEEP"):
                shutil.rmtree(self.root, ignore_errors=True)

    # -- its API --------------------------------------------------------------------------------

    def call(self, method, path, body=None, headers=None, timeout=BOUND):
        """Returns (status, document). OSError or HTTPException: there was no answer."""
        token = (self.data / "token").read_text().strip()
        connection = UnixConnection(self.data / "api.sock", timeout)
        try:
            connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body),
                               {"Authorization": "Bearer " + token, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def get(self, path):
        status, document = self.call("GET", path)
        if status != 200:
            raise KeyError(f"{path}: {status} {document}")
        return document

    def results(self):
        """Where scripts leave their results that were started by hand."""
        return self.data / "dialects/netalertx/tmp/log/plugins"

    def wait_taken(self):
        """Until every such result is with its run."""
        places = (self.results(), self.data / "dialects/netalertx/taken")
        wait_until(lambda: not any(os.listdir(place) for place in places),
                   lambda: f"results taken: {[os.listdir(place) for place in places]}\n{self.log_tail()}")

    def plugin_id(self, prefix):
        return f"netalertx:{prefix}"

    def run(self, prefix):
        """Calls a run and returns its id once it has started."""
        key = os.urandom(8).hex()
        path = f"/plugins/{self.plugin_id(prefix)}/run"

        def started():
            status, document = self.call("POST", path, headers={"Idempotency-Key": key})
            assert status in (202, 409), document
            return document.get("run")
        return wait_until(started, f"a run of {prefix}")

    def ended(self, run):
        """The run when it has ended."""
        def it():
            document = self.get(f"/runs/{run}?wait=30")
            return document if document["status"] != "running" else None
        return wait_until(it, f"end of run {run}")

    def wait_folded(self):
        def folded():
            journal = self.get("/status")["journal"]
            return journal["last"] == journal["folded"]
        wait_until(folded, "the journal folded", bound=600)


def state_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def children_of(pid):
    children = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                children += map(int, pathlib.Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
    return children
