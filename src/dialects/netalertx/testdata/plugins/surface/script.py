#!/usr/bin/env python3
import os
import sys

from pytz import timezone

INSTALL_PATH = os.getenv("NETALERTX_APP", "/app")
sys.path.extend([f"{INSTALL_PATH}/server/plugins", f"{INSTALL_PATH}/server"])

import conf  # noqa: E402
from const import confFileName, fullConfPath, logPath  # noqa: E402
from helper import get_setting_value  # noqa: E402
from logger import Logger, mylog  # noqa: E402
from plugin_helper import Plugin_Objects  # noqa: E402
from server.plugins.plugin_helper import normalize_mac  # noqa: E402
from utils.crypto_utils import string_to_fake_mac  # noqa: E402
from utils.datetime_utils import timeNowUTC  # noqa: E402

conf.tz = timezone(get_setting_value("TIMEZONE"))
Logger(get_setting_value("LOG_LEVEL"))

assert os.path.basename(fullConfPath) == confFileName and os.path.isfile(fullConfPath)
assert get_setting_value("NOBODY_HAS_THIS", "fallback") == "fallback"
assert timeNowUTC()

# Without a path the file is that of the plugin beside whose manifest the script lies.
objects = Plugin_Objects()
assert objects.result_file == os.path.join(logPath, "plugins", "last_result.SURFACE.log")
objects.add_object(
    primaryId=normalize_mac("00-11-22-33-44-55"),
    secondaryId="192.168.1.2",
    watched1=str(get_setting_value("SURFACE_list")),
    watched2=get_setting_value("TIMEZONE"),
    watched3=f"{get_setting_value('SURFACE_flag')} {get_setting_value('SURFACE_number')}",
    extra=f"argv: {sys.argv[1]}",
)
objects.add_object(primaryId=string_to_fake_mac("x"), secondaryId="null", watched1="a|b\r\nc\rd")
objects.write_result_file()
mylog("none", ["done", len(objects)])
