"""The rows of a result file."""

import os
import re


def row(columns):
    """A line of the result file: the file knows no escapes, so what would tear a row is replaced."""
    return "|".join(re.sub(r"\r\n|\r|\n", " ", str(value)).replace("|", "\u00a6") for value in columns) + "\n"


def replace(path, rows):
    """Replaces a result file, whole or not at all, and makes its folder if there is none."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    part = f"{path}.{os.getpid()}.part"  # of two at once each has its own
    with open(part, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.writelines(rows)
    os.replace(part, path)
