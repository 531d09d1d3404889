"""Scripts as a person starts them: no environment but the root of the installation, by several names."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
INSTALL_PATH = os.getenv("NETALERTX_APP", "/app")
sys.path.extend([f"{INSTALL_PATH}/front/plugins", f"{INSTALL_PATH}/server"])
import conf
from helper import get_setting_value
from logger import Logger, mylog
from plugin_helper import Plugin_Objects
from pytz import timezone
conf.tz = timezone(get_setting_value("TIMEZONE"))
Logger(get_setting_value("LOG_LEVEL"))
plugin_objects = Plugin_Objects()
plugin_objects.add_object("one")
plugin_objects.write_result_file()
mylog("minimal", "done")
"""


@pytest.mark.parametrize("folder, path", [
    (".", "front/plugins/mine/script.py"), ("server/plugins/mine", "script.py"), ("server/plugins", "./mine/script.py"),
    ("/", "{root}/front/plugins/mine/script.py"),
])
def test_a_script_runs_with_nothing_but_the_modules(app, folder, path):
    root = app.root / "app"
    mine = root / "server" / "plugins" / "mine"
    root.mkdir()
    (root / "server").mkdir()
    for one in app.modules.iterdir():
        if one.name != "plugins":
            (root / "server" / one.name).symlink_to(one)
    mine.mkdir(parents=True)
    (root / "server" / "plugins" / "plugin_helper.py").symlink_to(app.modules / "plugins" / "plugin_helper.py")
    (root / "front").mkdir()
    (root / "front" / "plugins").symlink_to("../server/plugins")
    (mine / "script.py").write_text(SCRIPT)
    (mine / "config.json").write_text(json.dumps({"unique_prefix": "MINE"}))
    # None of these folders is there.
    environment = {"NETALERTX_APP": str(root), "NETALERTX_DATA": str(app.root / "no-data"),
                   "NETALERTX_TMP": str(app.root / "by-hand"), "PATH": os.environ["PATH"]}
    run = subprocess.run([sys.executable, path.format(root=root)], cwd=root / folder, env=environment,
                         capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    snapshot, done = run.stdout.splitlines()
    assert "table_settings.json" in snapshot and done.endswith(" done")
    result = app.root / "by-hand" / "log" / "plugins" / "last_result.MINE.log"
    assert result.read_text().startswith("one||")
