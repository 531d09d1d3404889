"""Checks of arguments: each answers whether a value is of a kind, and never raises."""
import logging
import numbers
import os
import re
import time

NAME = re.compile(r'^[^\d\W]\w*\Z')
_NUMERIC_OID = re.compile(r'\.\d+(\.\d+)*')


class PanoptesValidators(object):
    @classmethod
    def valid_logger(cls, logger):
        return isinstance(logger, logging.Logger)

    @classmethod
    def valid_callback(cls, callback):
        return callable(callback)

    @classmethod
    def valid_hashable_object(cls, object_to_check):
        return getattr(object_to_check, '__hash__', None) is not None

    @classmethod
    def valid_port(cls, port):
        return type(port) is int and 0 < port < 65536

    @classmethod
    def valid_number(cls, value):
        """Any kind of number, but not True and False."""
        return isinstance(value, numbers.Number) and not isinstance(value, bool)

    @classmethod
    def valid_nonzero_integer(cls, value):
        """More than zero."""
        return type(value) is int and value > 0

    @classmethod
    def valid_positive_integer(cls, value):
        """Zero or more."""
        return type(value) is int and value >= 0

    @classmethod
    def valid_nonempty_string(cls, value):
        return isinstance(value, str) and value != ''

    @classmethod
    def valid_none_or_nonempty_string(cls, value):
        return value is None or cls.valid_nonempty_string(value)

    @classmethod
    def valid_none_or_string(cls, value):
        """The same as valid_none_or_nonempty_string: an empty text is refused here too."""
        return cls.valid_none_or_nonempty_string(value)

    @classmethod
    def valid_readable_path(cls, path):
        """A folder."""
        return _readable(path, os.path.isdir)

    @classmethod
    def valid_readable_file(cls, filename):
        return _readable(filename, os.path.isfile)

    @classmethod
    def valid_nonempty_iterable_of_strings(cls, value):
        """With a length, and no string itself."""
        return (not isinstance(value, str) and hasattr(value, '__iter__') and hasattr(value, '__len__')
                and len(value) > 0 and all(cls.valid_nonempty_string(item) for item in value))

    @classmethod
    def valid_timestamp(cls, timestamp, max_age=604800, max_skew=60):
        """Seconds since the epoch, at most `max_age` old and `max_skew` ahead."""
        if not all(type(value) in (int, float) for value in (timestamp, max_age, max_skew)):
            return False
        return time.time() - max_age <= timestamp <= time.time() + max_skew

    @classmethod
    def valid_numeric_snmp_oid(cls, oid):
        """Digits and dots, with a dot in front."""
        return isinstance(oid, str) and _NUMERIC_OID.match(oid) is not None


def _readable(path, is_kind):
    try:
        return is_kind(path) and os.access(path, os.R_OK)
    except (TypeError, ValueError):
        return False
