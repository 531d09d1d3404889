"""A release daemon on a folder of its own, and a client of its API: what the benchmarks share."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("BACKPLANE_BIN", ROOT / "build" / "release"))


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the daemon's unix socket, kept alive."""

    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """`config` is a site configuration; the data folder is `data`."""

    def __init__(self, config, data):
        self.data = pathlib.Path(data)
        self.log = open(self.data.with_suffix(".log"), "ab")
        self.process = subprocess.Popen(
            [BIN / "backplane", "serve", "--config", config, "--data", self.data, "--listen", "127.0.0.1:0"],
            stdout=self.log, stderr=self.log)

    def connect(self, patience=20.0):
        """A connection, once the daemon answers."""
        end = time.monotonic() + patience
        while True:
            try:
                connection = UnixConnection(self.data / "api.sock")
                connection.connect()
                return connection
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"the daemon does not answer: {pathlib.Path(self.log.name).read_text()}") from None
                time.sleep(0.001)

    def call(self, connection, method, path, body=None):
        """The decoded answer; an answer that is not 2xx ends the benchmark."""
        connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body),
                           {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        if response.status >= 300:
            raise SystemExit(f"{method} {path}: {response.status} {text.decode()}")
        return json.loads(text)

    def token(self):
        return (self.data / "token").read_text().strip()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


@contextlib.contextmanager
def temporary_folder():
    with tempfile.TemporaryDirectory(prefix="backplane-bench.", dir=os.environ.get("BACKPLANE_BENCH_DIR")) as folder:
        yield pathlib.Path(folder)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
