#!/usr/bin/env python3
"""Imports the devices that CSV files list."""

import csv
import ipaddress
import os
import sys

INSTALL_PATH = os.getenv("NETALERTX_APP", "/app")
sys.path.extend([f"{INSTALL_PATH}/server/plugins", f"{INSTALL_PATH}/server"])

from pytz import timezone  # noqa: E402

import conf  # noqa: E402
from const import NULL_EQUIVALENTS, logPath  # noqa: E402
from helper import get_setting_value  # noqa: E402
from logger import Logger, mylog  # noqa: E402
from plugin_helper import Plugin_Objects, is_mac, normalize_mac  # noqa: E402

conf.tz = timezone(get_setting_value("TIMEZONE"))
Logger(get_setting_value("LOG_LEVEL"))

PREFIX = "CSVIMPORT"
RESULT_FILE = os.path.join(logPath, "plugins", f"last_result.{PREFIX}.log")
# What a column may be called: our word, or the column's name in the table Devices, which is that of a backup.
COLUMNS = {"mac": "devMac", "ip": "devLastIP", "name": "devName", "vendor": "devVendor", "type": "devType",
           "ssid": "devSSID", "parent": "devParentMAC", "port": "devParentPort", "site": "devSite", "vlan": "devVlan"}
FIELDS = {name.lower(): field for field, column in COLUMNS.items() for name in (field, column)}
# "None" is what a backup has where there is nothing.
NOTHING = {*NULL_EQUIVALENTS, "None"}


def main():
    problems = []

    def refuse(where, why):
        problems.append(where)
        mylog("none", [f"[{PREFIX}] {where}: {why}"])

    objects = Plugin_Objects(RESULT_FILE)
    places = {}  # of each MAC address
    for path in get_setting_value("CSVIMPORT_paths"):
        for where, device in devices(path, refuse):
            mac = device["mac"]
            if mac in places:
                refuse(where, f"{mac} is listed before: {places[mac]}")
                continue
            places[mac] = where
            objects.add_object(
                primaryId=mac,
                secondaryId=device["ip"] or "null",
                watched1=device["name"],
                watched2=device["vendor"],
                watched3=device["type"],
                watched4=device["ssid"],
                extra=where,
                foreignKey=mac,
                helpVal1=device["parent"],
                helpVal2=device["port"],
                helpVal3=device["site"],
                helpVal4=device["vlan"],
            )
    objects.write_result_file()
    mylog("verbose", [f"[{PREFIX}] {len(objects)} devices, {len(problems)} problems"])
    # A run that failed concludes of nobody that he is gone: who is missing here may stand on a line we could not read.
    return 1 if problems else 0


def devices(path, refuse):
    """(place, fields) of each device in the file. What cannot be taken is refused, and the rest goes on."""
    try:
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")
    except OSError as error:
        refuse(path, error.strerror)
        return
    header = delimiter = None
    for number, raw in enumerate(lines, 1):
        where = f"{path}:{number}"
        try:
            # Line by line, so that an open quote takes no other line with it.
            line = raw.decode("utf-8-sig").rstrip("\r")
            if not line.strip() or line.startswith("#"):
                continue
            if header is None:
                delimiter = max(",;\t", key=line.count)
                header = read_header(cells(line, delimiter))
            else:
                yield where, read_device(header, cells(line, delimiter))
        except (ValueError, csv.Error) as error:
            refuse(where, error)
            if header is None:
                return


def cells(line, delimiter):
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, strict=True))]


def read_header(names):
    """The field of each column, or None of one that is not ours."""
    header = [FIELDS.get(name.lower()) for name in names]
    if "mac" not in header:
        raise ValueError(f"is no line of column names: none of them is mac, but {', '.join(names)}")
    unused = [name for name, field in zip(names, header) if field is None]
    if unused:
        mylog("verbose", [f"[{PREFIX}] columns that are not used: {', '.join(unused)}"])
    return header


def read_device(header, values):
    if len(values) > len(header):
        raise ValueError(f"has {len(values)} values for {len(header)} columns")
    device = dict.fromkeys(COLUMNS, "")
    device.update((field, value) for field, value in zip(header, values) if field and value not in NOTHING)
    device["mac"] = read_mac(device["mac"])
    if device["ip"]:
        device["ip"] = str(ipaddress.ip_address(device["ip"]))
    if device["parent"]:
        device["parent"] = read_mac(device["parent"])
    return device


def read_mac(text):
    # `internet` is the line to the outside.
    if text.lower() != "internet" and (not is_mac(text) or "*" in text):
        raise ValueError(f"'{text}' is no MAC address")
    return normalize_mac(text)


if __name__ == "__main__":
    sys.exit(main())
