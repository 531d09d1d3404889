"""The log as scripts write it: to standard output and to <log>/app.log."""

import datetime
import os
import sys

import conf
from const import logPath

_RANKS = {"none": 0, "minimal": 1, "verbose": 2, "debug": 3, "trace": 4}

currentLevel = conf.LOG_LEVEL


def _rank(level):
    """Rank of a level; names that are no level, such as "error", rank lowest and so always print."""
    return _RANKS.get(str(level).lower(), 0)


class Logger:
    """Logger(level) sets the level for the whole process."""

    def __init__(self, LOG_LEVEL=None):
        global currentLevel
        if LOG_LEVEL in _RANKS:
            currentLevel = LOG_LEVEL
            conf.LOG_LEVEL = LOG_LEVEL

    def mylog(self, requestedDebugLevel, n):
        mylog(requestedDebugLevel, n)

    def isAbove(self, requestedDebugLevel):
        """Whether messages of that level are printed now."""
        return _rank(currentLevel) >= _rank(requestedDebugLevel)


def mylog(requestedDebugLevel, n):
    """Prints `HH:MM:SS text`; a list is joined by blanks. Never raises: a log must not end a script."""
    if _rank(requestedDebugLevel) > _rank(currentLevel):
        return
    text = " ".join(str(item) for item in n) if isinstance(n, (list, tuple)) else str(n)
    line = f"{_now():%H:%M:%S} {text}"
    try:
        print(line, flush=True)
    except (OSError, ValueError):
        pass
    try:
        append_line_to_file(os.path.join(logPath, "app.log"), line + "\n")
    except OSError:
        pass


def _now():
    # Scripts set conf.tz to a zone; until then it is an empty text.
    zone = conf.tz if isinstance(conf.tz, datetime.tzinfo) else datetime.timezone.utc
    return datetime.datetime.now(zone)


def append_line_to_file(pPath, pText):
    """Appends UTF-8 text as it is: a newline is the caller's business."""
    with open(pPath, "a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(pText)


def print_log(pText):
    """Prints a line when the level is debug or more."""
    mylog("debug", pText)


if hasattr(sys.stdout, "reconfigure"):
    # A device's name must not end a script in a locale that cannot show it.
    sys.stdout.reconfigure(errors="backslashreplace")
