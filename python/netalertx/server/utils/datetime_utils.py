"""Times: UTC, whole seconds."""

import datetime

import conf

DATETIME_PATTERN = "%Y-%m-%d %H:%M:%S"


def timeNowUTC(as_string=True):
    """Now, as text in DATETIME_PATTERN or as an aware datetime."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    return now.strftime(DATETIME_PATTERN) if as_string else now


def format_date_iso(date_val):
    """A UTC time (text or datetime) as ISO 8601 with the offset of conf.tz; None for nothing and for no time."""
    if not date_val:
        return None
    try:
        moment = date_val if isinstance(date_val, datetime.datetime) else datetime.datetime.fromisoformat(str(date_val))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    zone = conf.tz if isinstance(conf.tz, datetime.tzinfo) else datetime.timezone.utc
    return moment.astimezone(zone).isoformat()
