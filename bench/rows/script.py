#!/usr/bin/env python3
"""Reports ROWS_count devices, each under another name at each run: intake that changes every row."""
import os
import sys
import time

INSTALL_PATH = os.getenv("NETALERTX_APP", "/app")
sys.path.extend([f"{INSTALL_PATH}/server/plugins", f"{INSTALL_PATH}/server"])

from const import logPath  # noqa: E402
from helper import get_setting_value  # noqa: E402

RESULT_FILE = os.path.join(logPath, "plugins", "last_result.ROWS.log")


def row(i, generation):
    mac = f"02:00:{i >> 24 & 255:02x}:{i >> 16 & 255:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"
    ip = f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"
    return (f"{mac}|{ip}|2026-08-22 10:00:00|host-{i}-{generation}|Vendor {i % 50}|eth{i % 4}|null|"
            f"found on port {i % 48}|{mac}|null|null|null|null\n")


def main():
    generation = time.time_ns()
    with open(RESULT_FILE, "w", encoding="utf-8") as file:
        file.writelines(row(i, generation) for i in range(int(get_setting_value("ROWS_count"))))


main()
