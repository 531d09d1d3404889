#!/usr/bin/env python3
"""Template scanner: reports the devices that the setting TEMPLATE_devices lists."""

import os
import sys

# Where the modules lie that a plugin imports.
INSTALL_PATH = os.getenv("NETALERTX_APP", "/app")
sys.path.extend([f"{INSTALL_PATH}/front/plugins", f"{INSTALL_PATH}/server"])

from pytz import timezone  # noqa: E402

import conf  # noqa: E402
from helper import get_setting_value  # noqa: E402
from logger import Logger, mylog  # noqa: E402
from plugin_helper import Plugin_Objects, is_mac, normalize_mac  # noqa: E402

PREFIX = "TEMPLATE"

# Log lines are in the site's time zone, and as many as it wants to see.
conf.tz = timezone(get_setting_value("TIMEZONE"))
Logger(get_setting_value("LOG_LEVEL"))


def find_devices():
    """What there is to report. Replace this: ask a router, read a file, scan a network."""
    for entry in get_setting_value(f"{PREFIX}_devices"):
        mac, ip, name, vendor, kind = ([part.strip() for part in entry.split(",")] + [""] * 5)[:5]
        if is_mac(mac):
            yield normalize_mac(mac), ip, name, vendor, kind, entry
        else:
            mylog("none", [f"[{PREFIX}] passed over, has no MAC address: {entry}"])


def main():
    mylog("verbose", [f"[{PREFIX}] In script"])
    plugin_objects = Plugin_Objects()
    for mac, ip, name, vendor, kind, entry in find_devices():
        # config.json says under database_column_definitions what becomes of each of these.
        plugin_objects.add_object(
            primaryId=mac,
            secondaryId=ip,
            watched1=name,
            watched2=vendor,
            watched3=kind,
            watched4="",
            extra=entry,
            foreignKey=mac,
        )
    # Exactly once, at the end: what is written then is taken in at once.
    plugin_objects.write_result_file()
    mylog("verbose", [f"[{PREFIX}] {len(plugin_objects)} devices"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
