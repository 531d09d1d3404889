"""Runs of plugins as the program starts them: each in an interpreter of its own."""
import json
import os
import pathlib
import subprocess
import sys

PANOPTES = pathlib.Path(__file__).resolve().parents[2] / "panoptes"

RESOURCE = {"resource_site": "dc1", "resource_class": "network", "resource_subclass": "switch",
            "resource_type": "arista", "resource_id": "sw1", "resource_endpoint": "sw1.example",
            "resource_metadata": {"_resource_ttl": "900", "model": "X"},
            "resource_creation_timestamp": 1700000000.25, "resource_plugin": "My_Plug"}


class Run:
    """Runs the plugin whose code is given in `folder`; what came of it is in the members."""

    def __init__(self, folder, type, code, **request):
        files = {name: folder / (name + ".json") for name in ("request", "result", "error")}
        (folder / "plugin.py").write_text(code)
        files["request"].write_text(json.dumps({
            "type": type, "name": "Test Plugin", "module": str(folder / "plugin.py"), "config": {},
            "resource": None if type == "discovery" else RESOURCE, "sites": ["dc1"], "snmp": {"port": 161}, "x509": {},
            "enrichments": {}, "level": "INFO", "limit": 1 << 20, "result": str(files["result"]),
            "error": str(files["error"]), **request}))
        process = subprocess.run(
            [sys.executable, str(PANOPTES / "run_plugin.py"), str(files["request"])], cwd=folder,
            env=dict(os.environ, PYTHONPATH=str(PANOPTES), PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        self.status = process.returncode
        self.log = process.stdout.decode(errors="replace")
        self.result, self.error = (json.loads(files[name].read_text()) if files[name].exists() else None
                                   for name in ("result", "error"))
        assert not list(folder.glob("*.part"))
