#!/usr/bin/env python3
"""Finds names for the devices that have none: in a file of hosts, then from the system's resolver."""

import ipaddress
import os
import queue
import socket
import sys
import threading
import time

INSTALL_PATH = os.getenv("NETALERTX_APP", "/app")
sys.path.extend([f"{INSTALL_PATH}/server/plugins", f"{INSTALL_PATH}/server"])

from pytz import timezone  # noqa: E402

import conf  # noqa: E402
from const import logPath  # noqa: E402
from helper import get_setting_value  # noqa: E402
from logger import Logger, mylog  # noqa: E402
from models.device_instance import DeviceInstance  # noqa: E402
from plugin_helper import Plugin_Objects  # noqa: E402

conf.tz = timezone(get_setting_value("TIMEZONE"))
Logger(get_setting_value("LOG_LEVEL"))

PREFIX = "HOSTSNAMES"
RESULT_FILE = os.path.join(logPath, "plugins", f"last_result.{PREFIX}.log")
AT_ONCE = 16  # questions to the resolver


def main():
    devices = [device for device in DeviceInstance().getUnknown() if is_address(device["devLastIP"])]
    listed = names_of_file(get_setting_value("HOSTSNAMES_file"))
    addresses = {device["devLastIP"] for device in devices} - listed.keys()
    resolved = ask_resolver(addresses, get_setting_value("HOSTSNAMES_wait"))

    objects = Plugin_Objects(RESULT_FILE)
    for device in devices:
        address = device["devLastIP"]
        name = listed.get(address) or resolved.get(address)
        if name:
            objects.add_object(
                primaryId=device["devMac"],
                secondaryId=address,
                watched1="file" if address in listed else "resolver",
                watched2=name,
                watched3="null",
                watched4="null",
                foreignKey=device["devMac"],
            )
    objects.write_result_file()
    mylog("verbose", [f"[{PREFIX}] names for {len(objects)} of {len(devices)} devices"])


def is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def names_of_file(path):
    """{address: name} of a file as /etc/hosts is; of several names the first."""
    names = {}
    if not path:
        return names
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                words = line.partition("#")[0].split()
                if len(words) > 1 and is_address(words[0]):
                    names.setdefault(str(ipaddress.ip_address(words[0])), words[1])
    except OSError as error:
        mylog("none", [f"[{PREFIX}] {path}: {error.strerror}"])
    return names


def ask_resolver(addresses, seconds):
    """{address: name} of those that the resolver knows, and tells within that time for all."""
    waiting, answers = queue.SimpleQueue(), queue.SimpleQueue()
    for address in sorted(addresses):
        waiting.put(address)

    def work():
        try:
            while True:
                address = waiting.get_nowait()
                answers.put((address, name_of(address)))
        except queue.Empty:
            return

    # The resolver has no time limit of its own: threads that it holds up end with the script.
    for _ in range(min(AT_ONCE, len(addresses))):
        threading.Thread(target=work, daemon=True).start()
    end = time.monotonic() + seconds
    names = {}
    try:
        for _ in addresses:
            address, name = answers.get(timeout=max(0, end - time.monotonic()))
            names[address] = name
    except queue.Empty:
        mylog("none", [f"[{PREFIX}] no answer within {seconds} s for {len(addresses) - len(names)} addresses"])
    return names


def name_of(address):
    """None if it has none."""
    try:
        name = socket.gethostbyaddr(address)[0]
    except (OSError, UnicodeError):
        return None
    return None if name == address else name


if __name__ == "__main__":
    main()
