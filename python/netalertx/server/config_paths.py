"""Where things are, as the environment says.

Read once, at import. The ..._PATH names are pathlib.Path, the ..._PATH_STR names text.
"""

import os
from pathlib import Path


def _folder(variable, default):
    value = os.environ.get(variable, "").strip()
    return Path(value) if value else Path(default)


APP_PATH = _folder("NETALERTX_APP", "/app")
DATA_PATH = _folder("NETALERTX_DATA", "/data")
CONFIG_PATH = _folder("NETALERTX_CONFIG", DATA_PATH / "config")
DB_PATH = _folder("NETALERTX_DB", DATA_PATH / "db")
TMP_PATH = _folder("NETALERTX_TMP", "/tmp")
API_PATH = _folder("NETALERTX_API", TMP_PATH / "api")
LOG_PATH = _folder("NETALERTX_LOG", TMP_PATH / "log")
FRONT_PATH = APP_PATH / "front"
SERVER_PATH = APP_PATH / "server"
PLUGINS_PATH = SERVER_PATH / "plugins"
REPORT_TEMPLATES_PATH = FRONT_PATH / "report_templates"

APP_PATH_STR = str(APP_PATH)
DATA_PATH_STR = str(DATA_PATH)
CONFIG_PATH_STR = str(CONFIG_PATH)
DB_PATH_STR = str(DB_PATH)
TMP_PATH_STR = str(TMP_PATH)
API_PATH_STR = str(API_PATH)
LOG_PATH_STR = str(LOG_PATH)
SERVER_PATH_STR = str(SERVER_PATH)
PLUGINS_PATH_STR = str(PLUGINS_PATH)
