"""A daemon of the trial's own, on a free port and with its data in a temporary folder."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

PATIENCE = 120


class Daemon:
    """Serves the site of `configuration`, whose plugins run without approval."""

    def __init__(self, backplane, scratch, configuration):
        self.backplane, self.data = backplane, scratch / "data"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("BACKPLANE_")}
        (scratch / "site.toml").write_text('trust = "auto"\n' + configuration)
        with (scratch / "daemon.log").open("wb") as log:
            self.process = subprocess.Popen(
                [backplane, "serve", "--config", str(scratch / "site.toml"), "--data", str(self.data), "--listen",
                 "127.0.0.1:0"], env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while self.ask("plugins", "list") is None:
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                self.process.wait()
                raise RuntimeError((scratch / "daemon.log").read_text(errors="replace"))
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)

    def text(self, *arguments):
        """What a command prints."""
        return subprocess.run([self.backplane, *arguments, "--data", str(self.data)], env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace").stdout

    def ask(self, *arguments):
        """What a command prints as JSON; None if it has none."""
        with contextlib.suppress(ValueError):
            return json.loads(self.text(*arguments, "--json"))
        return None


def toml(value):
    """A value as a site configuration has it."""
    return json.dumps(str(value) if isinstance(value, pathlib.PurePath) else value, ensure_ascii=False)
