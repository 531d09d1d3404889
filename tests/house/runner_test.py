"""The runner counts what the test programs say, and what they did not live to say."""
import importlib.util
import json
import time

import pytest
from tree import ROOT

spec = importlib.util.spec_from_file_location("backplane_runner", ROOT / "tests/run.py")
runner = importlib.util.module_from_spec(spec)
spec.loader.exec_module(runner)

CASES = [{"name": "Passes", "status": "RUN", "result": "COMPLETED"},
         {"name": "Fails", "status": "RUN", "result": "COMPLETED", "failures": [{"failure": "no"}]},
         {"name": "Skips", "status": "RUN", "result": "SKIPPED"},
         {"name": "DISABLED_Waits", "status": "NOTRUN", "result": "SUPPRESSED"}]
OPTIONS = runner.Options()


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Makes build/dev/some_test of a shell text; $REPORT is where its report goes."""
    monkeypatch.setattr(runner, "BUILD", tmp_path)

    def make(text):
        path = tmp_path / "dev" / "some_test"
        path.parent.mkdir(exist_ok=True)
        path.write_text('#!/bin/sh\nREPORT="${1#--gtest_output=json:}"\n' + text)
        path.chmod(0o755)
        return runner.run_gtest("dev", "some_test", OPTIONS)
    return make


def report_of(*cases):
    text = json.dumps({"testsuites": [{"name": "Suite", "testsuite": list(cases)}]})
    return f"cat > \"$REPORT\" <<'END'\n{text}\nEND\n"


def test_cases_are_counted(program):
    assert program(report_of(*CASES) + "exit 1\n") == runner.Counts(1, 1, 2)


def test_a_bad_exit_after_good_cases_is_a_failure(program):
    assert program(report_of(CASES[0]) + "exit 66\n") == runner.Counts(1, 1, 0)


def test_a_crash_counts_once_and_keeps_what_passed(program, capsys):
    output = "[ RUN      ] Suite.Passes\n[       OK ] Suite.Passes (0 ms)\n[ RUN      ] Suite.Crashes\nabout to fall\n"
    assert program(f"cat <<'END'\n{output}END\nkill -SEGV $$\n") == runner.Counts(1, 1, 0)
    said = capsys.readouterr().out
    assert "SIGSEGV" in said and "Suite.Crashes" in said and "about to fall" in said


def test_a_program_without_tests_is_a_failure(program):
    assert program(report_of()) == runner.Counts(0, 1, 0)


def gone(pid):
    """Ended, though perhaps whoever adopted it has not noticed yet."""
    status = runner.pathlib.Path(f"/proc/{pid}/status")
    try:
        return any(line.startswith("State:\tZ") for line in status.read_text().splitlines())
    except OSError:
        return True


def test_what_hangs_is_killed(program, monkeypatch, capsys):
    monkeypatch.setattr(runner, "PROGRAM_SECONDS", 0.5)
    assert program("exec sleep 1000\n") == runner.Counts(0, 1, 0)
    assert "took too long" in capsys.readouterr().out


def test_what_a_program_leaves_behind_is_killed(program, tmp_path):
    left = 'sleep 1000 &\necho $! > "$(dirname "$0")/child"\n'
    assert program(report_of(CASES[0]) + left) == runner.Counts(1, 0, 0)
    child = (tmp_path / "dev" / "child").read_text().strip()
    deadline = time.monotonic() + 60
    while not gone(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_pytest_cases_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "BUILD", tmp_path / "build")
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    monkeypatch.setitem(runner.ENVIRONMENT, "PYTEST_ADDOPTS", "")
    assert runner.run_pytest("x", ["some"], OPTIONS) == runner.Counts()
    (tmp_path / "some").mkdir()
    monkeypatch.setattr(runner.execute, "__defaults__", (None, tmp_path))
    assert runner.run_pytest("x", ["some"], OPTIONS) == runner.Counts(0, 1, 0)
    (tmp_path / "some" / "a_test.py").write_text(
        "import pytest\ndef test_a(): pass\ndef test_b(): assert 0\ndef test_c(): pytest.skip('no engine')\n")
    assert runner.run_pytest("x", ["some"], OPTIONS) == runner.Counts(1, 1, 1)
    (tmp_path / "some" / "a_test.py").write_text("import no_such_module\n")
    assert runner.run_pytest("x", ["some"], OPTIONS) == runner.Counts(0, 1, 0)


@pytest.mark.parametrize("counts, last, status", [
    (runner.Counts(3, 0, 1), "3 passed, 0 failed, 1 skipped", 0),
    (runner.Counts(3, 1, 0), "3 passed, 1 failed, 0 skipped", 1),
    (runner.Counts(0, 0, 2), "0 passed, 0 failed, 2 skipped", 1),
])
def test_the_last_line_and_the_exit_status(monkeypatch, capsys, counts, last, status):
    monkeypatch.setattr(runner, "SUITES", {"one": (lambda options: counts, "a suite")})
    assert runner.main([]) == status
    assert capsys.readouterr().out.splitlines()[-1] == last


def test_a_broken_runner_does_not_hide_the_other_suites(monkeypatch, capsys):
    def broken(options):
        raise RuntimeError("oh")
    monkeypatch.setattr(runner, "SUITES", {"one": (broken, "x"), "two": (lambda options: runner.Counts(1), "y")})
    assert runner.main([]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 1 failed, 0 skipped"


def test_an_unknown_suite_is_a_usage_error():
    with pytest.raises(SystemExit) as ended:
        runner.main(["--only", "no-such-suite"])
    assert ended.value.code == 2
