#!/usr/bin/env python3
"""Reports the TCP ports on which something listens that can be reached over loopback."""

import ipaddress
import os
import pwd
import socket
import struct
import sys

INSTALL_PATH = os.getenv("NETALERTX_APP", "/app")
sys.path.extend([f"{INSTALL_PATH}/server/plugins", f"{INSTALL_PATH}/server"])

from pytz import timezone  # noqa: E402

import conf  # noqa: E402
from const import logPath  # noqa: E402
from helper import get_setting_value  # noqa: E402
from logger import Logger, mylog  # noqa: E402
from plugin_helper import Plugin_Objects  # noqa: E402

conf.tz = timezone(get_setting_value("TIMEZONE"))
Logger(get_setting_value("LOG_LEVEL"))

PREFIX = "LISTENERS"
RESULT_FILE = os.path.join(logPath, "plugins", f"last_result.{PREFIX}.log")
LISTEN = "0A"


def main():
    found = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for port, address, uid in listening(table):
            if address.is_loopback or address.is_unspecified:
                # Several sockets may share a port; the first says whose it is.
                found.setdefault((port, address), uid)

    objects = Plugin_Objects(RESULT_FILE)
    for (port, address), uid in sorted(found.items(), key=lambda item: (item[0][0], str(item[0][1]))):
        objects.add_object(
            primaryId=f"{port}/tcp",
            secondaryId=str(address),
            watched1=user(uid),
            watched2="loopback" if address.is_loopback else "all addresses",
            watched3="null",
            watched4="null",
        )
    objects.write_result_file()
    mylog("verbose", [f"[{PREFIX}] {len(objects)} listeners"])


def listening(table):
    """(port, address, uid) of each listening socket in one of the kernel's tables."""
    try:
        with open(table, encoding="ascii") as file:
            lines = file.read().splitlines()[1:]
    except OSError as error:
        mylog("none", [f"[{PREFIX}] {table}: {error}"])
        return
    for line in lines:
        columns = line.split()
        if len(columns) > 7 and columns[3] == LISTEN:
            address, port = columns[1].split(":")
            yield int(port, 16), parse_address(address), int(columns[7])


def parse_address(text):
    """The kernel prints each 32-bit word of an address as a number of the machine."""
    words = [int(text[at:at + 8], 16) for at in range(0, len(text), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    if len(packed) == 4:
        return ipaddress.ip_address(socket.inet_ntoa(packed))
    address = ipaddress.IPv6Address(packed)
    return address.ipv4_mapped or address


def user(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


if __name__ == "__main__":
    main()
