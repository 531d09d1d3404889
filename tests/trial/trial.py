#!/usr/bin/env python3
"""Runs plugins that somebody else wrote, unmodified, and prints a table of outcomes.

Called by scripts/trial. A netalertx plugin is copied to a temporary folder and run there once by
`backplane run PATH --dialect DIALECT --json`; panoptes.py says how those of that dialect are tried. The
exit status is 1 unless every plugin ran well.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import panoptes

COLUMNS = ("plugin", "valid", "status", "exit", "objects", "devices", "refused", "first thing that went wrong")
RUN_SECONDS = 900


# ---- netalertx ---------------------------------------------------------------------------

def find_netalertx(folder):
    """The plugin folders of `folder`: itself if it holds a manifest, else those below it."""
    if (folder / "config.json").is_file():
        return [folder]
    return sorted(path.parent for path in folder.glob("*/config.json"))


def ready_netalertx(source, into):
    """Copies a plugin, and does with a template what its author asks of whoever copies it."""
    template = source.name.startswith("__")
    target = into / (source.name.lstrip("_") if template else source.name)
    shutil.copytree(source, target, symlinks=True)
    if template:
        (target / "ignore_plugin").unlink(missing_ok=True)
        prefix = json.loads((target / "config.json").read_text(encoding="utf-8")).get("unique_prefix", "")
        fill_in(target, {"<unique_prefix>": prefix, "<plugin folder>": target.name})
    return target


def fill_in(folder, values):
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue  # an image, say
        filled = text
        for placeholder, value in values.items():
            filled = filled.replace(placeholder, value)
        if filled != text:
            path.write_bytes(filled.encode("utf-8"))


# ---- running and telling -----------------------------------------------------------------

def first_line(text):
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), "")


def last_line(text):
    return first_line("\n".join(reversed((text or "").splitlines())))


def outcome(name, status, stdout, stderr):
    """One row of the table from what `backplane run --json` left."""
    try:
        report = json.loads(stdout)
    except ValueError:
        errors = "\n".join(line for line in stderr.splitlines() if not line.startswith("warning: "))
        problem = first_line(errors) or first_line(stdout) or f"exit status {status} and no word"
        # A manifest that is right may still say that there is nothing to run.
        return (name, "yes" if problem.startswith("backplane: ") else "no", "-", "-", "-", "-", "-", problem)
    refused = report.get("refused", [])
    # A script's last line is its exception.
    said = [first_line(report.get("message")), last_line(report.get("log"))]
    problem = "" if report["status"] == "ok" else ": ".join(filter(None, said))
    if not problem and refused:
        problem = f"{refused[0].get('where', '')}: {refused[0].get('reason', '')}".strip(": ")
    code = report.get("exit_code")
    return (name, "yes", report["status"], "-" if code is None else str(code), str(len(report.get("objects", []))),
            str(len(report.get("devices", []))), str(len(refused)), problem)


def attempt(backplane, dialect, source, ready):
    with tempfile.TemporaryDirectory(prefix="backplane-trial-") as scratch:
        try:
            plugin = ready(source, pathlib.Path(scratch))
            done = subprocess.run([backplane, "run", str(plugin), "--dialect", dialect, "--json"], cwd=scratch,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                                  timeout=RUN_SECONDS)
        except (OSError, ValueError) as error:
            return (source.name, "no", "-", "-", "-", "-", "-", first_line(str(error)))
        except subprocess.TimeoutExpired:
            return (source.name, "yes", "-", "-", "-", "-", "-", f"backplane itself took over {RUN_SECONDS} s")
    return outcome(plugin.name, done.returncode, done.stdout, done.stderr)


def table(columns, rows):
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths)] for row in [columns, *rows]]
    return "\n".join("  ".join(row).rstrip() for row in padded)


def try_netalertx(backplane, folder, only):
    sources = [source for source in find_netalertx(folder) if not only or source.name in only]
    rows = []
    for number, source in enumerate(sources, 1):
        print(f"trial: {number} of {len(sources)}: {source.name}", file=sys.stderr)
        rows.append(attempt(backplane, "netalertx", source, ready_netalertx))
    return COLUMNS, rows


def try_panoptes(backplane, folder, only):
    with tempfile.TemporaryDirectory(prefix="backplane-trial-") as scratch:
        return panoptes.COLUMNS, panoptes.rows(backplane, folder, only, pathlib.Path(scratch))


DIALECTS = {"netalertx": try_netalertx, "panoptes": try_panoptes}


def main(arguments):
    parser = argparse.ArgumentParser(prog="scripts/trial", description="Runs plugins that somebody else wrote.")
    parser.add_argument("--backplane", required=True, help="the program to run them with")
    parser.add_argument("dialect", choices=sorted(DIALECTS))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("only", nargs="*", help="names of plugins; without any, all are tried")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        parser.error(f"no such folder: {options.folder}")
    columns, rows = DIALECTS[options.dialect](options.backplane, options.folder.resolve(), options.only)
    if not rows:
        print(f"trial: no {options.dialect} plugin in {options.folder}", file=sys.stderr)
        return 1
    well = sum(row[columns.index("status")] == "ok" for row in rows)
    print(table(columns, rows))
    print(f"{well} of {len(rows)} ran well")
    return 0 if well == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
