#!/usr/bin/env python3
"""Runs plugins that somebody else wrote, unmodified, and prints a table of outcomes.

Called by scripts/trial. netalertx.py and panoptes.py say how those of a dialect are tried. The exit status is 1
unless every plugin did well.
"""
import argparse
import collections
import json
import pathlib
import sys
import tempfile

import chain
import netalertx
import panoptes


def table(columns, rows):
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths)] for row in [columns, *rows]]
    return "\n".join("  ".join(row).rstrip() for row in padded)


def try_netalertx(options, scratch):
    rows = netalertx.rows(options.backplane, options.folder, options.only, scratch, options.venv or scratch / "venv")
    counts = collections.Counter(row[netalertx.COLUMNS.index("outcome")] for row in rows)
    listed = f", {counts[netalertx.LISTED]} are only listed" if counts[netalertx.LISTED] else ""
    bad = counts[netalertx.NOT_WELL]
    return netalertx.COLUMNS, rows, f"{counts[netalertx.WELL]} of {len(rows)} did well{listed}, {bad} did not", not bad


def try_chain(options, scratch):
    rows = chain.rows(options.backplane, options.folder, scratch, options.venv or scratch / "venv")
    well = sum(row[chain.COLUMNS.index("outcome")] == netalertx.WELL for row in rows)
    return chain.COLUMNS, rows, f"{well} of {len(rows)} did well together", well == len(rows)


def try_panoptes(options, scratch):
    rows = panoptes.rows(options.backplane, options.folder, options.only, scratch)
    well = sum(row[panoptes.COLUMNS.index("status")] == "ok" for row in rows)
    return panoptes.COLUMNS, rows, f"{well} of {len(rows)} ran well", well == len(rows)


DIALECTS = {"netalertx": try_netalertx, "panoptes": try_panoptes}


def main(arguments):
    parser = argparse.ArgumentParser(prog="scripts/trial", description="Runs plugins that somebody else wrote.")
    parser.add_argument("--backplane", required=True, help="the program to run them with")
    parser.add_argument("--venv", type=lambda text: pathlib.Path(text).absolute(),
                        help="Python packages for the original's plugins: made there if missing, else used as they are")
    parser.add_argument("--chain", action="store_true",
                        help="the original's plugins together: a scan, names, a notification, cleaning")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the table there as JSON, too")
    parser.add_argument("dialect", choices=sorted(DIALECTS))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("only", nargs="*", help="names of plugins; without any, all are tried")
    options = parser.parse_intermixed_args(arguments)
    if not options.folder.is_dir():
        parser.error(f"no such folder: {options.folder}")
    if options.chain and (options.dialect != "netalertx" or options.only):
        parser.error("--chain is for all plugins of netalertx together")
    options.folder = options.folder.resolve()
    attempt = try_chain if options.chain else DIALECTS[options.dialect]
    with tempfile.TemporaryDirectory(prefix="backplane-trial-") as scratch:
        try:
            columns, rows, summary, well = attempt(options, pathlib.Path(scratch))
        except RuntimeError as error:
            print(f"trial: {error}", file=sys.stderr)
            return 1
    if not rows:
        print(f"trial: no {options.dialect} plugin in {options.folder}", file=sys.stderr)
        return 1
    print(table(columns, rows))
    print(summary)
    if options.json:
        options.json.write_text(json.dumps([dict(zip(columns, row)) for row in rows], indent=2) + "\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
