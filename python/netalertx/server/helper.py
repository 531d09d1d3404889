"""Settings and small text helpers."""

import ast
import base64
import binascii
import json
import os
import re
import unicodedata

import conf
from const import apiPath
from logger import mylog

_cache = {"mtime": None, "rows": {}, "values": {}, "told": False}


def get_setting(key):
    """The row of the snapshot table_settings.json for `key`, or None."""
    rows = _snapshot()
    return rows.get(key) if rows is not None else None


def get_setting_value(key, default=""):
    """The setting's value in its Python type; `default` if nobody declares the setting."""
    rows = _snapshot()
    if rows is None:
        # Without these two no script gets as far as its own work.
        return {"TIMEZONE": conf.TIMEZONE, "LOG_LEVEL": conf.LOG_LEVEL}.get(key, default)
    if key not in rows:
        return default
    if key not in _cache["values"]:
        _cache["values"][key] = setting_value_to_python_type(rows[key]["setType"], rows[key]["setValue"])
    value = _cache["values"][key]
    return list(value) if isinstance(value, list) else value


def _snapshot():
    """{key: row} of table_settings.json as it is now; None, and one line in the log, if it cannot be read."""
    path = os.path.join(apiPath, "table_settings.json")
    try:
        mtime = os.stat(path).st_mtime_ns
        if mtime != _cache["mtime"]:
            with open(path, encoding="utf-8") as file:
                rows = {row["setKey"]: row for row in json.load(file)["data"]}
            _cache.update(mtime=mtime, rows=rows, values={})
        return _cache["rows"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        if not _cache["told"]:
            _cache["told"] = True
            mylog("none", f"[Settings] {path}: {error!r}; every setting has its default")
        return None


def setting_value_to_python_type(set_type, set_value):
    """Turns a stored value into what `set_type` (a dict or its text) says it is.

    Raises ValueError if an integer is none.
    """
    kind = set_type if isinstance(set_type, dict) else _parse(set_type, dict) or {}
    data_type = kind.get("dataType", "string")
    element = _value_element(kind)
    transformers = element.get("transformers") or []
    if data_type == "array":
        items = set_value if isinstance(set_value, list) else _parse(set_value, list) or []
        return [reverseTransformers(item, transformers) for item in items]
    if data_type == "integer":
        text = str(set_value).strip().lower()
        return {"true": 1, "false": 0}[text] if text in ("true", "false") else int(text)
    if data_type == "boolean":
        return str(set_value).strip().lower() in ("true", "1")
    if data_type == "object":
        return set_value if isinstance(set_value, dict) else _parse(set_value, dict) or {}
    return reverseTransformers(set_value if isinstance(set_value, str) else str(set_value), transformers)


def _value_element(kind):
    """The element that holds the value: the first that is marked, else the last."""
    elements = kind.get("elements") or [{}]
    return next((one for one in elements if one.get("elementHasInputValue") == 1), elements[-1])


def _parse(text, wanted):
    """A Python or JSON literal, or JSON in single quotes; None if it is not of type `wanted`."""
    for read, form in ((json.loads, text), (ast.literal_eval, text), (json.loads, str(text).replace("'", '"'))):
        try:
            value = read(form)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        if isinstance(value, wanted):
            return value
    return None


def reverseTransformers(val, transformers):
    """Undoes what was done to a text before it was stored; other values stay as they are."""
    if not isinstance(val, str):
        return val
    for step in reversed(list(transformers)):
        encoded = val
        if step == "prefix|base64":
            if not val.startswith("base64:"):
                continue
            encoded = val[len("base64:"):]
        elif step != "base64":
            continue
        try:
            val = base64.b64decode(encoded, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            pass
    return val


def check_IP_format(pIP):
    """The first IPv4 address in the text, or an empty text."""
    text = str(pIP)
    if "communications error to" in text:
        return ""
    octet = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
    found = re.search(rf"(?<![\d.]){octet}(?:\.{octet}){{3}}(?![\d.])", text)
    return found.group(0) if found else ""


def hide_string(input_string):
    """The text with all but its first and last character starred."""
    text = str(input_string)
    return text if len(text) < 3 else text[0] + "*" * (len(text) - 2) + text[-1]


def hide_email(email):
    """The address with the inner part of its local part starred; other text as it is."""
    local, at, domain = str(email).partition("@")
    return hide_string(local) + at + domain if at else str(email)


def bytes_to_string(value):
    """Text of UTF-8 bytes; other values as they are."""
    return value.decode("utf-8", errors="replace") if isinstance(value, (bytes, bytearray)) else value


def sanitize_string(input):
    """Keeps letters and digits of ASCII, `-`, `_` and white space."""
    return re.sub(r"[^A-Za-z0-9\-_\s]", "", str(bytes_to_string(input)))


def normalize_string(text):
    """The text without diacritics."""
    parts = unicodedata.normalize("NFD", str(text))
    return "".join(part for part in parts if unicodedata.category(part) != "Mn")


def write_file(pPath, pText):
    """Replaces a file's content: text as UTF-8, a dict as JSON, of a list the last item, None as nothing."""
    items = pText if isinstance(pText, list) else [pText]
    last = items[-1] if items else None
    if isinstance(last, dict):
        last = json.dumps(last, ensure_ascii=False)
    with open(pPath, "w", encoding="utf-8") as file:
        file.write("" if last is None else str(last))
