#!/usr/bin/env python3
"""Sends each new notification to a web address, as JSON and signed."""

import hmac
import http.client
import json
import os
import sys
import urllib.error
import urllib.request

INSTALL_PATH = os.getenv("NETALERTX_APP", "/app")
sys.path.extend([f"{INSTALL_PATH}/server/plugins", f"{INSTALL_PATH}/server"])

from pytz import timezone  # noqa: E402

import conf  # noqa: E402
from const import logPath  # noqa: E402
from database import DB  # noqa: E402
from helper import get_setting_value  # noqa: E402
from logger import Logger, mylog  # noqa: E402
from models.notification_instance import NotificationInstance  # noqa: E402
from plugin_helper import Plugin_Objects  # noqa: E402
from utils.datetime_utils import timeNowUTC  # noqa: E402

conf.tz = timezone(get_setting_value("TIMEZONE"))
Logger(get_setting_value("LOG_LEVEL"))

PREFIX = "HOOK"
RESULT_FILE = os.path.join(logPath, "plugins", f"last_result.{PREFIX}.log")
ANSWER_BYTES = 500  # that are kept


class StayHere(urllib.request.HTTPRedirectHandler):
    """A redirect is a refusal: followed, it would become a GET without the notification."""

    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(StayHere)


def main():
    db = DB()
    db.open()
    objects = Plugin_Objects(RESULT_FILE)
    refused = 0
    for row in NotificationInstance(db).getNew():
        status, answer = send(get_setting_value("HOOK_url"), body_of(row))
        if not 200 <= status < 300:
            refused += 1
            mylog("none", [f"[{PREFIX}] notification {row['GUID']} was not taken: {status or 'no answer'}: {answer}"])
        objects.add_object(
            primaryId=PREFIX,
            secondaryId=timeNowUTC(),
            watched1=row["GUID"],
            watched2=answer,
            watched3=str(status) if status else "null",
            watched4="null",
            foreignKey=row["GUID"],
        )
    objects.write_result_file()
    mylog("verbose", [f"[{PREFIX}] sent {len(objects) - refused} of {len(objects)} notifications"])
    return 1 if refused else 0


def body_of(row):
    try:
        report = json.loads(row["JSON"])
    except (TypeError, ValueError):
        report = row["JSON"]
    document = {"guid": row["GUID"], "text": row["Text"], "html": row["HTML"], "json": report}
    return json.dumps(document, ensure_ascii=False).encode("utf-8", errors="replace")


def send(url, body):
    """HTTP status, 0 without one, and what was answered."""
    # Others, such as file:, are known to the library too.
    if not url.startswith(("http://", "https://")):
        return 0, "HOOK_url is no http:// or https:// address"
    headers = {"Content-Type": "application/json", "User-Agent": "backplane-webhook"}
    secret = get_setting_value("HOOK_SECRET")
    if secret:
        headers["X-Webhook-Signature"] = "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()
    try:
        request = urllib.request.Request(url, body, headers, method="POST")
        try:
            answer = OPENER.open(request, timeout=get_setting_value("HOOK_timeout"))
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read(ANSWER_BYTES).decode("utf-8", errors="replace").strip()
    except (OSError, ValueError, http.client.HTTPException) as error:
        return 0, str(getattr(error, "reason", error)) or repr(error)


if __name__ == "__main__":
    sys.exit(main())
