#!/usr/bin/env python3
"""Reports the hosts in the neighbour table, and the interfaces of this machine."""

import fcntl
import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys

INSTALL_PATH = os.getenv("NETALERTX_APP", "/app")
sys.path.extend([f"{INSTALL_PATH}/server/plugins", f"{INSTALL_PATH}/server"])

from pytz import timezone  # noqa: E402

import conf  # noqa: E402
from const import logPath  # noqa: E402
from helper import get_setting_value  # noqa: E402
from logger import Logger, mylog  # noqa: E402
from plugin_helper import Plugin_Objects, is_mac, normalize_mac  # noqa: E402

conf.tz = timezone(get_setting_value("TIMEZONE"))
Logger(get_setting_value("LOG_LEVEL"))

PREFIX = "NEIGHSCAN"
RESULT_FILE = os.path.join(logPath, "plugins", f"last_result.{PREFIX}.log")
UNANSWERED = {"FAILED", "INCOMPLETE", "NOARP", "NONE"}
SIOCGIFADDR = 0x8915


def main():
    devices = {}
    for mac, address, interface, state in neighbours():
        add(devices, mac, address, interface, state, "(unknown)")
    if get_setting_value("NEIGHSCAN_own", True):
        for mac, address, interface, state in interfaces():
            add(devices, mac, address, interface, state, socket.gethostname())

    objects = Plugin_Objects(RESULT_FILE)
    for mac, device in sorted(devices.items()):
        addresses = sorted(device["addresses"], key=preference)
        objects.add_object(
            primaryId=mac,
            secondaryId=addresses[0] if addresses else "null",
            watched1=device["name"],
            watched2=device["interface"],
            watched3=device["state"],
            watched4="null",
            extra=" ".join(addresses[1:]),
            foreignKey=mac,
        )
    objects.write_result_file()
    mylog("verbose", [f"[{PREFIX}] {len(objects)} devices"])


def add(devices, mac, address, interface, state, name):
    """One device per MAC address: a host has several addresses, and is still one device."""
    if not mac or not is_mac(mac):
        return
    mac = normalize_mac(mac)
    # Group addresses and the zero address are nobody's.
    if int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        return
    device = devices.setdefault(mac, {"addresses": set(), "interface": interface, "state": state, "name": name})
    if name != "(unknown)":
        device["name"] = name
    if address:
        device["addresses"].add(address)


def preference(address):
    """IPv4 first, then routable IPv6, then link-local; within each by number."""
    ip = ipaddress.ip_address(address)
    return (ip.version != 4, ip.is_link_local, int(ip))


def ip_json(*arguments):
    """What `ip -j` says, or None where there is no such command or it fails."""
    try:
        done = subprocess.run(["ip", "-j", *arguments], capture_output=True, text=True, timeout=10, check=True)
        return json.loads(done.stdout or "[]")
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        mylog("debug", [f"[{PREFIX}] ip {' '.join(arguments)}: {error}"])
        return None


def neighbours():
    entries = ip_json("neigh", "show")
    if entries is None:
        yield from neighbours_of_proc()
        return
    for entry in entries:
        states = entry.get("state") or ["NONE"]
        if entry.get("lladdr") and not UNANSWERED.intersection(states):
            yield entry["lladdr"], entry.get("dst"), entry.get("dev", ""), states[0]


def neighbours_of_proc():
    try:
        with open("/proc/net/arp", encoding="ascii") as file:
            lines = file.read().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        columns = line.split()
        if len(columns) == 6 and int(columns[2], 16) & 2:  # 2: complete
            yield columns[3], columns[0], columns[5], "REACHABLE"


def interfaces():
    entries = ip_json("addr", "show")
    if entries is None:
        yield from interfaces_of_sys()
        return
    for entry in entries:
        flags = entry.get("flags", [])
        if "LOOPBACK" in flags or "UP" not in flags:
            continue
        addresses = [one.get("local") for one in entry.get("addr_info", [])] or [None]
        for address in addresses:
            yield entry.get("address"), address, entry.get("ifname", ""), "OWN"


def interfaces_of_sys():
    for _number, name in socket.if_nameindex():
        try:
            with open(f"/sys/class/net/{name}/address", encoding="ascii") as file:
                mac = file.read().strip()
            with open(f"/sys/class/net/{name}/flags", encoding="ascii") as file:
                flags = int(file.read(), 16)
        except OSError:
            continue
        if flags & 8 or not flags & 1:  # loopback; not up
            continue
        yield mac, ipv4_of(name), name, "OWN"


def ipv4_of(name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            reply = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
        except OSError:
            return None
    return socket.inet_ntoa(reply[20:24])


if __name__ == "__main__":
    main()
