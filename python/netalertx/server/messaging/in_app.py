"""The messages of the web page: user_notifications.json in the API folder."""

import contextlib
import fcntl
import json
import os
import uuid

from const import apiPath
from logger import mylog
from utils.datetime_utils import timeNowUTC

NOTIFICATION_API_FILE = os.path.join(apiPath, "user_notifications.json")


def write_notification(content, level="alert", timestamp=None):
    """Adds a message; `timestamp` is now if it is not given."""
    message = {"timestamp": str(timestamp or timeNowUTC()), "guid": str(uuid.uuid4()), "read": 0, "level": level,
               "content": content}
    with _messages() as messages:
        messages.append(message)


def remove_old(keepNumberOfEntries):
    """Keeps the newest messages, the newest first."""
    with _messages() as messages:
        messages.sort(key=lambda one: str(one.get("timestamp", "")), reverse=True)
        del messages[max(0, int(keepNumberOfEntries)):]


@contextlib.contextmanager
def _messages():
    """The list in the file, which is locked until the changed list is written back."""
    # Changed in place, since others lock this very file.
    with open(NOTIFICATION_API_FILE, "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        messages = _parse(file.read())
        yield messages
        file.seek(0)
        file.truncate()
        json.dump(messages, file, indent=4)


def _parse(text):
    try:
        messages = json.loads(text) if text.strip() else []
        if isinstance(messages, list) and all(isinstance(one, dict) for one in messages):
            return messages
        problem = "not a list of messages"
    except ValueError as error:
        problem = error
    mylog("none", f"[Notification] {NOTIFICATION_API_FILE}: {problem}; it begins anew")
    return []
