"""A folder of src includes only what stands before it, and third parties stay in their homes."""
import pathlib
import re

import pytest
from tree import CPP, NOT_PRODUCT, ROOT, Problem, files, folder_order, includes, read, report

# Kinds behind an interface: only their own folder, the program that lists them, and tests may
# name one. `dialects` has its list in its own folder.
KINDS = {"store": ("cli", "main.cpp"), "runtime": ("cli", "main.cpp"), "dialects": ("dialects", "cli", "main.cpp")}
SQLITE_FILE = pathlib.PurePosixPath("store/sqlite/sqlite_connection.h")
# Third-party headers and the one folder of src that may include them.
# A benchmark may use a store's own library as a baseline.
HOMES = [(re.compile(r"boost/(asio|beast)\b"), ["src/http"]),
         (re.compile(r"sqlite3(ext)?\.h$"), ["src/store/sqlite", "bench"])]


def own_folders(root):
    return {path.name for path in (root / "src").iterdir() if path.is_dir()}


def check_order(name, text, order, root=ROOT):
    """Problems of the quoted includes of src/... `name`."""
    problems = []
    inside = name.relative_to("src")
    here = inside.parts[0]
    for line, included, quoted in includes(text):
        target = pathlib.PurePosixPath(included)
        there = target.parts[0]
        if not quoted:
            if len(target.parts) > 1 and there in own_folders(root) and (root / "src" / included).exists():
                problems.append(Problem(str(name), line, f"<{included}> is ours: include it with quotes"))
            continue
        if len(target.parts) < 2 or there not in order:
            problems.append(Problem(str(name), line, f'"{included}" is not written from src/'))
            continue
        if here in order and order.index(there) > order.index(here):
            problems.append(Problem(str(name), line, f"{here} may not include {included}: {there} stands after it"))
        problems += check_kind(name, line, target)
    return problems


def check_kind(name, line, target):
    there = target.parts[0]
    if there not in KINDS or len(target.parts) < 3 or NOT_PRODUCT.search(name.name):
        return []
    # Such files speak to a file of their dialect's own, whatever the store is (see sql_test.py).
    if target == SQLITE_FILE and name.match("src/dialects/*/app_db*"):
        return []
    own = pathlib.PurePosixPath("src", *target.parts[:2])
    if name.is_relative_to(own) or name.parts[1] in KINDS[there] and len(name.parts) < 4:
        return []
    return [Problem(str(name), line, f"{target} is one kind of {there}: only {', '.join(KINDS[there])} may name it")]


def check_homes(name, text):
    return [Problem(str(name), line, f"{included} may be included only in {' and '.join(homes)}")
            for line, included, _ in includes(text) for pattern, homes in HOMES
            if pattern.match(included) and not any(name.is_relative_to(home) for home in homes)]


def test_folders_include_only_what_stands_before_them():
    order = folder_order()
    problems = [p for name in files("src", suffixes=CPP) for p in check_order(name, read(name), order)]
    assert not problems, report(problems)


def test_third_parties_stay_in_their_homes():
    problems = [p for name in files("src", "tests", "bench", suffixes=CPP) for p in check_homes(name, read(name))]
    assert not problems, report(problems)


def test_every_folder_has_its_place_in_the_order():
    assert sorted(folder_order()) == sorted(path.parent.name for path in (ROOT / "src").glob("*/CMakeLists.txt"))


def include_path(name):
    """Where a quoted include may lead: from src/; in a suite of its own, also from its folder."""
    return [ROOT / "src"] if name.parts[0] == "src" else [ROOT / "src", (ROOT / name).parent]


def test_included_files_exist():
    problems = [Problem(str(name), line, f'"{included}" does not exist')
                for name in files("src", "tests", "bench", suffixes=CPP)
                for line, included, quoted in includes(read(name))
                if quoted and not any((folder / included).is_file() for folder in include_path(name))]
    assert not problems, report(problems)


@pytest.mark.parametrize("name, include, wrong", [
    ("src/store/a.h", '"base/result.h"', False),
    ("src/store/a.h", '"store/b.h"', False),
    ("src/store/a.h", '"dispatch/b.h"', True),
    ("src/keeper/a.cpp", '"model/ids.h"', True),
    ("src/keeper/a_test.cpp", '"model/ids.h"', True),
    ("src/main.cpp", '"cli/a.h"', False),
    ("src/store/a.h", '"result.h"', True),
    ("src/store/a.h", "<base/result.h>", True),
    ("src/store/a.h", "<vector>", False),
    ("src/ingest/a.cpp", '"store/sqlite/a.h"', True),
    ("src/ingest/a_test.cpp", '"store/sqlite/a.h"', False),
    ("src/store/sqlite/b.cpp", '"store/sqlite/a.h"', False),
    ("src/store/b.cpp", '"store/sqlite/a.h"', True),
    ("src/cli/serve.cpp", '"runtime/process/a.h"', False),
    ("src/main.cpp", '"runtime/process/a.h"', False),
    ("src/runtime/process/a.cpp", '"runtime/fake/a.h"', True),
    ("src/dialects/registry.cpp", '"dialects/one/a.h"', False),
    ("src/dialects/two/a.cpp", '"dialects/one/a.h"', True),
    ("src/api/a.cpp", '"dialects/one/a.h"', True),
])
def test_the_check_of_the_order(name, include, wrong):
    assert bool(check_order(pathlib.Path(name), f"#include {include}\n", folder_order())) == wrong


@pytest.mark.parametrize("name, include, wrong", [
    ("src/http/server.cpp", "<boost/beast.hpp>", False),
    ("src/api/a.cpp", "<boost/asio/io_context.hpp>", True),
    ("src/api/a.cpp", "<boost/beast/http.hpp>", True),
    ("src/api/a.cpp", "<boost/crc.hpp>", False),
    ("src/store/sqlite/a.cpp", "<sqlite3.h>", False),
    ("src/store/a.cpp", "<sqlite3.h>", True),
    ("bench/a.cpp", "<sqlite3.h>", False),
])
def test_the_check_of_the_homes(name, include, wrong):
    assert bool(check_homes(pathlib.Path(name), f"#include {include}\n")) == wrong
