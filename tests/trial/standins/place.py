"""Where the original's plugins run: an interpreter with their packages, programs, files and servers in place of those
of a network. Nothing outside the given folders is changed.
"""
import contextlib
import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys

from standins import boxes, table, web

HERE = pathlib.Path(__file__).resolve().parent


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")


def make_environment(folder):
    """A virtual environment with the packages that the plugins import, and a certificate that one of them trusts."""
    print(f"trial: installing the plugins' packages into {folder}", file=sys.stderr)
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin/python3", "-m", "pip", "install", "--quiet", "--requirement", HERE / "requirements.txt")
    packages = next(folder.glob("lib/python3*/site-packages"))
    shutil.copytree(HERE / "packages", packages, dirs_exist_ok=True)
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=127.0.0.1",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate)
    # The client of that box trusts the maker's certificates alone, which lie among its code.
    with (packages / "freebox_api/freebox_certificates.pem").open("a") as trusted:
        trusted.write(certificate.read_text())
    (folder / "trial.pem").write_text(key.read_text() + certificate.read_text())


class Place:
    """Ports are on 127.0.0.1. `environment` is used as it is if it exists, else it is made."""

    def __init__(self, scratch, environment):
        self.python = environment / "bin/python3"
        if not self.python.exists():
            make_environment(environment)
        certificate = environment / "trial.pem"
        self.path = f"{HERE / 'bin'}:{environment / 'bin'}"
        self.tools = HERE / "bin"
        self.files = scratch / "files"
        self.files.mkdir()
        for name, text in table.LEASES.items():
            (self.files / name).write_text(text)
        (self.files / "oui.txt").write_text(table.OUI)
        with contextlib.closing(sqlite3.connect(self.files / "pihole-FTL.db")) as database:
            database.executescript(table.PIHOLE)
        self.servers = {"web": web.serve(), "routeros": boxes.serve(boxes.RouterOs), "mail": boxes.serve(boxes.Mail), "mqtt": boxes.serve(boxes.Mqtt)}
        # An environment from elsewhere may have none; then what wants TLS finds nobody there.
        if certificate.exists():
            self.servers["tls"] = web.serve(certificate)

    def seed(self, devices):
        """What the seeding scanner reports from now on."""
        (self.files / "seeds.json").write_text(json.dumps(devices))

    def sent(self):
        """What came to the publishers' sinks: {prefix: [text]}."""
        telegrams = self.files / "telegram.txt"
        sent = {"SMTP": list(self.servers["mail"].received),
                "MQTT": [text for topic, text in self.servers["mqtt"].received if topic.endswith("/notifications/all")],
                "TELEGRAM": telegrams.read_text().splitlines() if telegrams.exists() else []}
        for prefix in ("APPRISE", "NTFY", "WEBHOOK"):
            sent[prefix] = [text for path, text in self.servers["web"].received if path == prefix.lower()]
        return sent

    def port(self, name):
        return self.servers[name].server_address[1] if name in self.servers else 1

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        for server in self.servers.values():
            server.shutdown()
            server.server_close()
