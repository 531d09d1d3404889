"""Words that may not stand in the tree, or not in this part of it."""
import pathlib
import re

import pytest
from tree import CPP, files, read, report, search

COROUTINES = re.compile(r"\bco_(await|yield|return)\b")

# The long names count wherever they stand; the short ones only as a word, or as a part of an
# identifier between underscores or digits.
DIALECT_NAMES = re.compile(r"netalertx|panoptes|netstacks|logcraft|(?<![a-z])(pup|lgc)(?![a-z])", re.IGNORECASE)
MAY_NAME_DIALECTS = ("src/dialects", "src/cli", "src/main.cpp")

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.~$}/-])/(work|root|home)/")
REGISTRY_HOSTS = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.(npmjs\.org|yarnpkg\.com)|\bcrates\.io|repo1?\.maven\.(apache\.)?org"
    r"|proxy\.golang\.org|deb\.debian\.org|security\.debian\.org|rubygems\.org|\bjsr\.io|\bdeno\.land|\bghcr\.io"
    r"|\bquay\.io|registry-1\.docker\.io", re.IGNORECASE)
# Paths that users of another program know: the defaults that it has.
THEIR_PATHS = {pathlib.Path("src/dialects/panoptes/site.cpp"): "/home/panoptes/x509/"}
# This file has to write the words down.
HERE = pathlib.Path("tests/house/words_test.py")


def texts(*folders, suffixes=None):
    """(name, text) of the text files, but for this one and the licence."""
    for name in files(*folders, suffixes=suffixes):
        text = read(name)
        if text is not None and name not in (HERE, pathlib.Path("LICENSE")):
            yield name, text


def check_coroutines(name, text):
    return search(COROUTINES, name, text, "{match}: g++ 12 miscompiles coroutines")


def check_dialect_names(name, text):
    return search(DIALECT_NAMES, name, text, "the core does not name a dialect: {match}")


def check_unfinished(name, text):
    return search(UNFINISHED, name, text, "{match}: finish it, or file it")


def check_places(name, text):
    their = THEIR_PATHS.get(name)
    own = text.replace(their, "") if their else text
    return (search(MACHINE_PATHS, name, own, "a path of one machine: {match}")
            + search(REGISTRY_HOSTS, name, text, "the address of a package registry: {match}"))


def check_not_empty(name, text):
    return [] if text.strip() else [f"{name}:1: is empty"]


def test_no_coroutines():
    problems = [p for name, text in texts("src", "tests", "bench", suffixes=CPP) for p in check_coroutines(name, text)]
    assert not problems, report(problems)


def test_the_core_names_no_dialect():
    # src/CMakeLists.txt and the names of files are as much the core as the code.
    core = [name for name in files("src") if not any(name.is_relative_to(path) for path in MAY_NAME_DIALECTS)]
    problems = [p for name in core for text in (str(name), read(name) or "") for p in check_dialect_names(name, text)]
    assert not problems, report(problems)


def test_nothing_is_left_for_later():
    problems = [p for name, text in texts() for p in check_unfinished(name, text)]
    assert not problems, report(problems)


def test_no_path_of_one_machine_and_no_registry():
    problems = [p for name, text in texts() for p in check_places(name, text)]
    assert not problems, report(problems)


def test_no_empty_file():
    problems = [p for name, text in texts(suffixes=CPP | {".py"}) for p in check_not_empty(name, text)]
    assert not problems, report(problems)


@pytest.mark.parametrize("check, text, wrong", [
    (check_coroutines, "co_await x;", True),
    (check_coroutines, "int eco_await_x;", False),
    (check_dialect_names, "// as NetAlertX does", True),
    (check_dialect_names, "bp_dialects_netalertx", True),
    (check_dialect_names, "class PanoptesCodec", True),
    (check_dialect_names, "pup.json", True),
    (check_dialect_names, "kind_lgc_2", True),
    (check_dialect_names, "a puppet, popup", False),
    (check_unfinished, "// TODO: later", True),
    (check_unfinished, 'mkdtemp("/tmp/a.XXXXXX")', False),
    (check_places, "cd /" + "root/x", True),
    (check_places, 'open("/home/me/file")', True),
    (check_places, "see docs/work/x and ~/home/x and http://a/home/x", False),
    (check_places, "https://pypi.org/simple", True),
    (check_places, "apt-get install docker.io", False),
    (check_not_empty, " \n", True),
    (check_not_empty, "x\n", False),
])
def test_the_checks_themselves(check, text, wrong):
    assert bool(check(pathlib.Path("src/a.cpp"), text)) == wrong
