"""Vendors of network cards."""

import functools
import os
import re

from const import vendorsPath, vendorsPathNewest
from logger import mylog


def query_MAC_vendor(pMAC):
    """The vendor of an address `aa:bb:cc:dd:ee:ff`; -1 if nobody knows it, -2 if that is no address."""
    mac = str(pMAC).lower()
    if not re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", mac):
        return -2
    path = vendorsPathNewest if os.path.isfile(vendorsPathNewest) else vendorsPath
    return _vendors(path).get(mac.replace(":", "")[:6]) or -1


@functools.cache
def _vendors(path):
    """{first six digits: vendor} from lines `digits, tab, vendor`."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.rstrip("\r\n").partition("\t") for line in file]
    except OSError as error:
        mylog("none", f"[Vendors] {path}: {error.strerror}; no vendor is known")
        return {}
    return {prefix.lower(): vendor for prefix, tab, vendor in lines if tab}
