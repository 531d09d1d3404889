"""A private installation for each test, as a run has it: folders, app.conf and a settings snapshot."""

import importlib
import json
import pathlib
import sys

import pytest

SERVER = pathlib.Path(__file__).resolve().parents[1] / "netalertx" / "server"
MODULES = ("config_paths", "const", "conf", "helper", "logger", "plugin_helper", "utils", "utils.datetime_utils",
           "utils.crypto_utils")


class Installation:
    def __init__(self, root):
        self.root = root
        self.api = root / "api"
        self.log = root / "log"
        for folder in (self.api, self.log / "plugins", root / "data" / "config"):
            folder.mkdir(parents=True)
        (root / "data" / "config" / "app.conf").write_text("TIMEZONE='Asia/Tokyo'\n", encoding="utf-8")
        self.settings({"LOG_LEVEL": ("string", "verbose")})

    def settings(self, values, transformers=()):
        """Writes table_settings.json: {key: (data type, stored value)}."""
        rows = [{"setKey": key, "setValue": value,
                 "setType": str({"dataType": kind, "elements": [{"elementType": "input",
                                                                 "transformers": list(transformers)}]})}
                for key, (kind, value) in values.items()]
        path = self.api / "table_settings.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"data": rows}), encoding="utf-8")
        part.replace(path)

    def load(self, name):
        return importlib.import_module(name)


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.setenv("NETALERTX_APP", str(tmp_path / "app"))
    monkeypatch.setenv("NETALERTX_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NETALERTX_API", str(tmp_path / "api"))
    monkeypatch.setenv("NETALERTX_LOG", str(tmp_path / "log"))
    monkeypatch.delenv("NETALERTX_CONFIG", raising=False)
    monkeypatch.setattr(sys, "path", [str(SERVER), str(SERVER / "plugins"), *sys.path])
    # The modules read the environment at import, as in a fresh process.
    for name in MODULES:
        sys.modules.pop(name, None)
    yield Installation(tmp_path)
    for name in MODULES:
        sys.modules.pop(name, None)
