"""What a plugin needs to report: Plugin_Objects and helpers for addresses and settings."""

import base64
import json
import os
import re
import sys
from dataclasses import dataclass

INSTALL_PATH = os.getenv("NETALERTX_APP", "/app")
for _folder in (f"{INSTALL_PATH}/server/plugins", f"{INSTALL_PATH}/server"):
    if _folder not in sys.path:
        sys.path.append(_folder)

import pytz  # noqa: E402

from const import default_tz, fullConfPath, logPath  # noqa: E402
from helper import get_setting_value  # noqa: E402
from logger import Logger, mylog  # noqa: E402,F401
from utils import result_file as result_files  # noqa: E402
from utils.datetime_utils import timeNowUTC  # noqa: E402

Logger(get_setting_value("LOG_LEVEL"))


def read_config_file():
    """The settings in app.conf, which is Python source of plain assignments; none if there is no such file."""
    values = {}
    if os.path.exists(fullConfPath):
        with open(fullConfPath, encoding="utf-8") as file:
            exec(compile(file.read(), fullConfPath, "exec"), {"__builtins__": {}}, values)
    return values


configFile = read_config_file()
timeZone = configFile.get("TIMEZONE", default_tz)
if timeZone not in pytz.all_timezones_set:
    timeZone = default_tz


@dataclass
class ScanSubnet:
    """One entry of SCAN_SUBNETS, such as `192.168.1.0/24 --interface=eth1 --vlan=7`."""

    raw: str
    subnet: str
    interface: str | None = None
    vlan: str | None = None
    resolved_interface: str | None = None


def parse_scan_subnets(scan_subnets):
    """Takes SCAN_SUBNETS apart. A VLAN's own interface (eth1.7) is resolved to only if it exists."""
    found = []
    for raw in scan_subnets:
        rest, options = [], {}
        for word in raw.split():
            name, equals, value = word.partition("=")
            if equals and name in ("--interface", "--vlan"):
                options.setdefault(name, value)
            else:
                rest.append(word)
        interface, vlan = options.get("--interface"), options.get("--vlan")
        resolved = interface
        if interface and vlan and os.path.exists(f"/sys/class/net/{interface}.{vlan}"):
            resolved = f"{interface}.{vlan}"
        found.append(ScanSubnet(raw, " ".join(rest), interface, vlan, resolved))
    return found


def handleEmpty(input):
    """`null` for nothing; of a text, each run of characters beyond ASCII becomes a blank and line ends go."""
    if not input:
        return "null"
    if not isinstance(input, str):
        return input
    return re.sub(r"[^\x00-\x7F]+", " ", input).replace("\r", "").replace("\n", "")


def rmBadChars(input):
    """As handleEmpty, and single quotes become underscores."""
    return str(handleEmpty(input)).replace("'", "_")


_GATEWAYS = frozenset(
    [f"192.168.{net}.1" for net in (0, 1, 2, 3, 4, 5, 8, 10, 11, 15, 20, 31, 50, 86, 88, 100, 123, 178)]
    + [f"192.168.{net}.254" for net in (0, 1, 2, 10)]
    + ["10.0.0.1", "10.0.1.1", "10.1.1.1", "10.1.10.1", "10.10.10.1", "10.0.0.138", "172.16.0.1", "192.168.1.100"]
)


def is_typical_router_ip(ip_address):
    """Whether routers often have this address."""
    return ip_address in _GATEWAYS


def is_mac(input):
    """Whether the text is six hex pairs (joined by `:`, `-` or nothing), or a pattern `aa:bb:cc:*`."""
    pattern = r"([0-9A-Fa-f]{2}[:-]?){3}(\*|([0-9A-Fa-f]{2}[:-]?){2}[0-9A-Fa-f]{2})"
    return re.fullmatch(pattern, str(input).strip()) is not None


def normalize_mac(mac):
    """Lower case, pairs joined by `:`. Checks nothing: what is no MAC address comes back in that shape."""
    text = str(mac).strip().lower()
    if text == "internet":
        return text
    separator = next((one for one in ":-" if one in text), None)
    parts = text.split(separator) if separator else re.findall("..?", text)
    return ":".join(part if part == "*" else part.zfill(2) for part in (one.strip() for one in parts))


def decode_settings_base64(encoded_str, convert_types=True):
    """The values of a pop-up form, by function: base64 of JSON `[[group, key, type, value], ...]`."""
    entries = json.loads(base64.b64decode(encoded_str).decode("utf-8"))
    values = {}
    for _group, key, kind, value in entries:
        kind = kind.lower()
        if convert_types and isinstance(value, str):
            if kind == "boolean":
                value = value.strip().lower() in ("true", "1")
            elif kind == "integer":
                value = int(value)
            elif kind == "float":
                value = float(value)
        values[key] = value
    return values


class Plugin_Object:
    """One thing that a plugin reports. Attributes may be set after construction."""

    def __init__(self, primaryId="", secondaryId="", watched1="", watched2="", watched3="", watched4="", extra="",
                 foreignKey="", helpVal1="", helpVal2="", helpVal3="", helpVal4=""):
        self.pluginPref = ""
        self.primaryId = primaryId
        self.secondaryId = secondaryId
        self.created = timeNowUTC()
        self.changed = ""
        self.watched1 = watched1
        self.watched2 = watched2
        self.watched3 = watched3
        self.watched4 = watched4
        self.status = ""
        self.extra = extra
        self.userData = ""
        self.foreignKey = foreignKey
        self.helpVal1 = helpVal1 or ""
        self.helpVal2 = helpVal2 or ""
        self.helpVal3 = helpVal3 or ""
        self.helpVal4 = helpVal4 or ""

    def write(self):
        """The row of the result file, with its line end."""
        return result_files.row((
            self.primaryId, self.secondaryId, self.created, self.watched1, self.watched2, self.watched3, self.watched4,
            self.extra, self.foreignKey, self.helpVal1, self.helpVal2, self.helpVal3, self.helpVal4))


_GUIDE_NAMES = {"objectPrimaryId": "primaryId", "objectSecondaryId": "secondaryId", "Extra": "extra",
                "ForeignKey": "foreignKey", **{f"watchedValue{n}": f"watched{n}" for n in range(1, 5)}}


def _own_prefix():
    """The prefix in the manifest beside the running script."""
    path = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "config.json")
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)["unique_prefix"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"Plugin_Objects() needs a prefix or a path: {path} gives none: {error!r}") from error


class Plugin_Objects:
    """Collects objects and writes them to the result file.

    `result_file` is a path; a bare prefix stands for that plugin's result file, and nothing for
    the file of the plugin whose script is running (then a config.json must lie beside it).
    """

    def __init__(self, result_file=None):
        if result_file is None:
            result_file = _own_prefix()
        if re.fullmatch(r"\w+", str(result_file)):
            result_file = os.path.join(logPath, "plugins", f"last_result.{result_file}.log")
        self.result_file = result_file
        self.objects = []

    def add_object(self, *values, **named):
        """Adds Plugin_Object(...). The names in the samples of the development guide are understood too."""
        created = named.pop("DateTime", None)
        item = Plugin_Object(*values, **{_GUIDE_NAMES.get(name, name): value for name, value in named.items()})
        item.created = created or item.created
        self.objects.append(item)

    def write_result_file(self):
        """Replaces the result file, whole or not at all; without objects it is empty."""
        result_files.replace(self.result_file, (item.write() for item in self.objects))

    def __add__(self, other):
        if not isinstance(other, Plugin_Objects):
            return NotImplemented
        both = Plugin_Objects(self.result_file)
        both.objects = self.objects + other.objects
        return both

    def __len__(self):
        return len(self.objects)
