"""Shell scripts parse and can be started; C++ is formatted."""
import os
import pathlib
import subprocess

import pytest
from tree import ROOT, Problem, files, read, report


def shell_scripts():
    shebangs = ("#!/usr/bin/env bash", "#!/bin/sh", "#!/bin/bash")
    return [name for name in files() if name.suffix == ".sh" or (read(name) or "").startswith(shebangs)]


def check_shell(path):
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True)
    return [] if done.returncode == 0 else [Problem(str(path), 1, done.stderr.strip())]


def check_strict(name, text):
    """A script of ours stops at the first failure, or is nothing but an exec."""
    strict = "set -euo pipefail" in text or text.splitlines()[-1].startswith("exec ")
    return [] if strict else [Problem(str(name), 1, "has no set -euo pipefail")]


def test_shell_scripts_parse():
    problems = [p for name in shell_scripts() for p in check_shell(ROOT / name)]
    assert not problems, report(problems)


def test_our_scripts_stop_at_a_failure_and_can_be_started():
    ours = files("scripts", ".ci")
    assert {"run", "test", "bench", "trial", "format", "deps"} <= {name.name for name in ours}
    problems = [p for name in ours for p in check_strict(name, read(name))]
    problems += [Problem(str(name), 1, "is not executable") for name in ours if not os.access(ROOT / name, os.X_OK)]
    assert not problems, report(problems)


@pytest.mark.parametrize("script", ["run", "test", "bench", "trial", "format", "build", "deps"])
def test_help_is_there(script):
    done = subprocess.run([str(ROOT / "scripts" / script), "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and script in done.stdout + done.stderr, done


@pytest.mark.parametrize("script", ["run", "test", "bench", "trial", "format", "build", "deps"])
def test_a_wrong_option_is_a_usage_error(script):
    command = [str(ROOT / "scripts" / script), "--no-such-option"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done


def format_check(*paths):
    return subprocess.run([str(ROOT / "scripts/format"), "--check", *map(str, paths)], capture_output=True, text=True)


def test_the_code_is_formatted():
    done = format_check()
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_checks_themselves(tmp_path):
    bad = tmp_path / "bad.sh"
    bad.write_text("if true; then\n")
    assert check_shell(bad)
    assert check_strict(pathlib.Path("x"), "#!/usr/bin/env bash\necho hello\n")
    (tmp_path / "good.cpp").write_text("int main() { return 0; }\n")
    (tmp_path / "bad.cpp").write_text("int  main( ){return 0;}\n")
    assert format_check(tmp_path / "good.cpp").returncode == 0
    assert format_check(tmp_path / "bad.cpp").returncode == 1
