#!/usr/bin/env python3
"""Builds and runs the suites in order, and adds up their cases.

Called by scripts/test. Uses nothing but the standard library. The last line printed is always
`N passed, N failed, N skipped`; the exit status is 1 if anything failed or nothing ran.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
PYTHON = "/usr/bin/python3"
JOBS = int(os.environ.get("BACKPLANE_JOBS", os.cpu_count() or 2))
TAIL_LINES = 60
# Long enough for a slow machine; a program that takes longer hangs.
PROGRAM_SECONDS = 900
SUITE_SECONDS = 1800
LONG_FACTOR = 12
# Set by main for every child. HOME stays: the tests bring their own folders.
ENVIRONMENT = dict(os.environ, BACKPLANE_BIN=str(BUILD / "release"), PYTHONDONTWRITEBYTECODE="1")
PROGRAMS = ["backplane", "backplane-keeper"]
# Undefined behaviour ends the program: by default it only prints.
HALT_ON_UNDEFINED = {"UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
# The folders whose tests run under the sanitizers: those with threads, processes, sockets or
# input from outside.
SANITIZED = re.compile(
    r"^(base|keeper|runtime_process|runtime_python|plugin|store|events|package|http|schedule|ingest|dispatch|dialects)(_\w+)?_test$")
# Of these, those with threads.
THREADED = re.compile(r"^(keeper|runtime_process|store|events|package|http|ingest|dispatch)(_\w+)?_test$")


@dataclasses.dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclasses.dataclass
class Options:
    long: bool = False

    def seconds(self, ordinary):
        return ordinary * LONG_FACTOR if self.long else ordinary


def say(text=""):
    print(text, flush=True)


def tail(log):
    lines = log.read_text(errors="replace").splitlines()
    if len(lines) > TAIL_LINES:
        say(f"    ... ({len(lines) - TAIL_LINES} more lines in {log})")
    for line in lines[-TAIL_LINES:]:
        say(f"    | {line}")


running = set()


def execute(command, log, seconds, env=None, cwd=ROOT):
    """Runs `command` into the file `log`; returns its exit status, or None when it took longer
    than `seconds` and was killed with all of its group."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=cwd, env=env or ENVIRONMENT, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        running.add(process)
        try:
            return process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            # Also after an ordinary end: what a test leaves behind must not outlive it.
            kill_group(process)
            process.wait()
            running.discard(process)


def kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def describe(status):
    if status is None:
        return "took too long and was killed"
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    return f"exit status {status}"


# ---- building ----------------------------------------------------------------------------

def executables(preset):
    """The names of the programs that a configured preset can build."""
    listing = subprocess.run(["ninja", "-C", str(BUILD / preset), "-t", "targets", "all"], capture_output=True,
                             text=True, check=True, cwd=ROOT).stdout
    return sorted(re.findall(r"^([^/:\s]+): CXX_EXECUTABLE_LINKER", listing, re.MULTILINE))


def configure(preset):
    """Configures `preset`, or brings an old configuration up to date. False: it cannot be."""
    if subprocess.run(["scripts/build", "--configure", preset], cwd=ROOT).returncode != 0:
        return False
    refresh = subprocess.run(["ninja", "-C", str(BUILD / preset), "build.ninja"], capture_output=True, text=True)
    if refresh.returncode != 0:
        say("\n".join((refresh.stdout + refresh.stderr).splitlines()[-TAIL_LINES:]))
    return refresh.returncode == 0


def build(preset, targets):
    """Builds what it can of `targets`; returns those that could not be built."""
    if not targets:
        return []
    ninja = ["ninja", "-C", str(BUILD / preset), "-j", str(JOBS), "-k", "0"]
    say(f"  building {len(targets)} programs in build/{preset}")
    begin = time.monotonic()
    log = BUILD / preset / "test-logs" / "build.log"
    status = execute(ninja + targets, log, seconds=3 * 3600)
    say(f"  built in {(time.monotonic() - begin) / 60:.1f} min")
    if status == 0:
        return []
    compiler_errors = re.compile(r"error:|FAILED:|undefined reference|cannot find|internal compiler error")
    for line in [l for l in log.read_text(errors="replace").splitlines() if compiler_errors.search(l)][:TAIL_LINES]:
        say(f"    | {line}")
    say(f"  the whole output is in {log}")
    missing = []
    for target in targets:
        rest = subprocess.run(["ninja", "-C", str(BUILD / preset), "-n", target], capture_output=True, text=True)
        if rest.returncode != 0 or "no work to do" not in rest.stdout:
            missing.append(target)
            say(f"  NOT BUILT {target}")
    return missing


def prepare(preset, wanted):
    """Configures and builds the programs for which `wanted(name)` holds, with the programs under
    test. Returns (programs that can run, counts of what could not be built); None if the preset
    has no such program."""
    if not configure(preset):
        say(f"  NOT CONFIGURED {preset}")
        return [], Counts(failed=1)
    there = executables(preset)
    targets = [name for name in there if wanted(name)]
    if not targets:
        return None
    helpers = [name for name in there if name in PROGRAMS[1:]]
    missing = build(preset, targets + helpers)
    return [t for t in targets if t not in missing], Counts(failed=len(missing))


# ---- kinds of programs -------------------------------------------------------------------

def count_gtest(report):
    """Counts from the JSON that --gtest_output=json writes, and the names of what failed."""
    counts, failures = Counts(), []
    for suite in report.get("testsuites", []):
        for case in suite.get("testsuite", []):
            if case.get("failures"):
                counts.failed += 1
                failures.append(f"{suite['name']}.{case['name']}")
            elif case.get("status") == "NOTRUN" or case.get("result") == "SKIPPED":
                counts.skipped += 1
            else:
                counts.passed += 1
    return counts, failures


def count_crashed(output):
    """Counts from the text of a GoogleTest program that ended before it wrote its report."""
    finished = re.findall(r"^\[\s+(OK|FAILED|SKIPPED)\s+\] \w[\w/]*\.\S+ \(\d+ ms\)", output, re.MULTILINE)
    counts = Counts(finished.count("OK"), finished.count("FAILED") + 1, finished.count("SKIPPED"))
    begun = re.findall(r"^\[ RUN      \] (\S+)", output, re.MULTILINE)
    return counts, [begun[-1]] if len(begun) > len(finished) else []


def run_gtest(preset, name, options, wrapper=(), env=None):
    logs = BUILD / preset / "test-logs"
    report, log = logs / f"{name}.json", logs / f"{name}.log"
    report.unlink(missing_ok=True)
    begin = time.monotonic()
    status = execute([*wrapper, str(BUILD / preset / name), f"--gtest_output=json:{report}", "--gtest_color=no"], log,
                     options.seconds(PROGRAM_SECONDS), env)
    if status is not None and status >= 0 and report.exists():
        counts, failures = count_gtest(json.loads(report.read_text()))
        # A sanitizer, or the end of the process, may find fault where no case did.
        if status != 0 and not counts.failed:
            counts.failed += 1
            failures = [describe(status)]
    else:
        counts, failures = count_crashed(log.read_text(errors="replace"))
        failures = [describe(status), *failures]
    if counts == Counts():
        counts, failures = Counts(failed=1), ["it holds no test"]
    report_program(name, counts, failures, begin, log)
    return counts


def run_plain(name, command, log, seconds, env=None):
    """A program that is one case: exit status 0 is success."""
    begin = time.monotonic()
    status = execute(command, log, seconds, env)
    counts = Counts(passed=1) if status == 0 else Counts(failed=1)
    report_program(name, counts, [] if status == 0 else [describe(status)], begin, log)
    return counts


def report_program(name, counts, failures, begin, log):
    say(f"  {name:<32} {counts}  ({time.monotonic() - begin:.1f} s)")
    for failure in failures:
        say(f"  FAILED {name}: {failure}")
    if failures:
        tail(log)


def run_ctest(preset, pattern, options):
    """The tests that CMake knows by a command line of their own; each is one case."""
    logs = BUILD / preset / "test-logs"
    report, log = logs / "ctest.xml", logs / "ctest.log"
    report.unlink(missing_ok=True)
    begin = time.monotonic()
    status = execute(["ctest", "--test-dir", str(BUILD / preset), "-R", pattern, "--output-on-failure",
                      "--no-tests=error", "--output-junit", str(report)], log, options.seconds(PROGRAM_SECONDS))
    counts = count_junit(report) if report.exists() else Counts()
    failures = [] if status == 0 else [describe(status)]
    counts.failed = max(counts.failed, len(failures))
    report_program(f"ctest {pattern}", counts, failures, begin, log)
    return counts


def count_junit(path):
    counts = Counts()
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
        elif case.find("skipped") is not None:
            counts.skipped += 1
        else:
            counts.passed += 1
    return counts


def run_pytest(name, folders, options, show=False):
    """Runs the pytest suites in `folders`; a folder that is there must hold a test."""
    there = [folder for folder in folders if (ROOT / folder).is_dir()]
    if not there:
        say(f"  there is no {' or '.join(folders)}")
        return Counts()
    logs = BUILD / "test-logs"
    report, log = logs / f"{name}.xml", logs / f"{name}.log"
    report.unlink(missing_ok=True)
    total = Counts()
    begin = time.monotonic()
    command = [PYTHON, "-m", "pytest", "-ra", "-q", "-p", "no:cacheprovider", "--color=no", f"--junitxml={report}"]
    status = execute(command + (["-s"] if show else []) + there, log, options.seconds(SUITE_SECONDS))
    failures = []
    if report.exists():
        total = count_junit(report)
    if status != 0:
        failures = ["no test was found" if status == 5 else describe(status)]
        total.failed = max(total.failed, 1)
    if show:
        say(log.read_text(errors="replace"))
    else:
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith("SKIPPED"):
                say(f"  {line}")
    report_program(" ".join(there), total, failures, begin, log)
    return total


# ---- the suites --------------------------------------------------------------------------

def probe(options):
    return run_pytest("probe", ["tests/probe"], options, show=True)


def house(options):
    return run_pytest("house", ["tests/house", "tests/trial"], options)


def is_simulation(name):
    return name == "simulation" or name.startswith("simulation_") and name.endswith("_test")


def gtest_suite(preset, wanted, options, wrapper=(), env=None):
    prepared = prepare(preset, wanted)
    if prepared is None:
        say(f"  build/{preset} has no such program")
        return Counts()
    programs, total = prepared
    for name in programs:
        total += run_gtest(preset, name, options, wrapper, env)
    return total


def unit(options):
    return gtest_suite("dev", lambda name: name.endswith("_test") and not is_simulation(name), options)


def fuzz_corpora(options):
    prepared = prepare("dev", lambda name: name.endswith("_fuzz"))
    if prepared is None:
        say("  there is no fuzz target")
        return Counts()
    programs, total = prepared
    for name in programs:
        command = [str(BUILD / "dev" / name), str(ROOT / "tests/fuzz/corpus" / name)]
        total += run_plain(name, command, BUILD / "dev/test-logs" / f"{name}.log", options.seconds(PROGRAM_SECONDS))
    return total


def simulation(options):
    # In the optimised build: it lives by the number of steps it gets through.
    prepared = prepare("release", is_simulation)
    if prepared is None:
        say("  build/release has no such program")
        return Counts()
    programs, total = prepared
    for name in programs:
        if name != "simulation":
            total += run_gtest("release", name, options)
            continue
        log = BUILD / "release/test-logs/simulation.log"
        command = [str(BUILD / "release/simulation"), "--jobs", str(1_000_000 if options.long else 100_000)]
        total += run_plain(name, command, log, options.seconds(PROGRAM_SECONDS))
        for line in log.read_text(errors="replace").splitlines():
            say(f"  {line}")
        total += run_ctest("release", "^simulation_notices_", options)
    return total


def python(options):
    return run_pytest("python", ["python/tests"], options)


def release_programs():
    """Builds what the end-to-end suites start; returns the count of what could not be built."""
    if not configure("release"):
        return Counts(failed=1)
    there = [name for name in PROGRAMS if name in executables("release")]
    return Counts(failed=len(build("release", there)))


def with_programs(name, folder, options):
    if not (ROOT / folder).is_dir():
        return run_pytest(name, [folder], options)
    return release_programs() + run_pytest(name, [folder], options)


def e2e(options):
    return with_programs("e2e", "tests/e2e", options)


def fault(options):
    return with_programs("fault", "tests/fault", options)


def asan(options):
    env = dict(ENVIRONMENT, **HALT_ON_UNDEFINED, ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1")
    return gtest_suite("asan", SANITIZED.match, options, env=env)


def tsan(options):
    # Kernels that spread mappings widely collide with ThreadSanitizer's fixed shadow.
    fixed = ["setarch", "-R"]
    wrapper = fixed if subprocess.run([*fixed, "true"], capture_output=True).returncode == 0 else []
    return gtest_suite("tsan", THREADED.match, options, wrapper, dict(ENVIRONMENT, TSAN_OPTIONS="halt_on_error=0"))


def fuzz(options):
    prepared = prepare("clang", lambda name: name.endswith("_fuzz"))
    if prepared is None:
        say("  there is no fuzz target")
        return Counts()
    programs, total = prepared
    seconds = 3600 if options.long else 60

    def run(name):
        folder = BUILD / "clang" / "fuzz" / name
        (folder / "corpus").mkdir(parents=True, exist_ok=True)
        kept = ROOT / "tests/fuzz/corpus" / name
        dictionary = ROOT / "tests/fuzz" / f"{name}.dict"
        command = [str(BUILD / "clang" / name), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048",
                   "-print_final_stats=1", f"-artifact_prefix={folder}/"]
        if dictionary.exists():
            command.append(f"-dict={dictionary}")
        # New inputs go to the first folder; the kept corpus is only read.
        command += [str(folder / "corpus"), *([str(kept)] if kept.is_dir() else [])]
        log = BUILD / "clang/test-logs" / f"{name}.log"
        return run_plain(name, command, log, seconds + 300, dict(ENVIRONMENT, **HALT_ON_UNDEFINED))

    say(f"  fuzzing {len(programs)} targets for {seconds} s each, {JOBS} at a time")
    with ThreadPoolExecutor(JOBS) as pool:
        return sum(pool.map(run, programs), total)


SUITES = {
    "probe": (probe, "what this machine can do; prints a table"),
    "house": (house, "the rules of the tree: includes, words, SQL, documents, formatting, scripts"),
    "unit": (unit, "every GoogleTest program of the dev preset"),
    "fuzz-corpora": (fuzz_corpora, "the kept fuzz inputs, through every decoder once"),
    "simulation": (simulation, "scheduler, dispatcher and guard under simulated time and crashes"),
    "python": (python, "the Python side"),
    "e2e": (e2e, "the release programs, from outside"),
    "fault": (fault, "kill -9, full disks, hostile plugins"),
    "asan": (asan, "the core's unit tests under AddressSanitizer and UBSan"),
    "tsan": (tsan, "the core's unit tests under ThreadSanitizer"),
    "fuzz": (fuzz, "libFuzzer, 60 s per target; an hour each with --long"),
}
GROUPS = {"sanitizers": ["asan", "tsan"]}


def run_suite(name, options):
    """Runs one suite; a bug in a runner counts as one failure and leaves the others to run."""
    begin = time.monotonic()
    say(f"== {name}: {SUITES[name][1]}")
    try:
        counts = SUITES[name][0](options)
    except Exception as error:  # noqa: BLE001
        say(f"  FAILED {name}: the runner itself: {type(error).__name__}: {error}")
        counts = Counts(failed=1)
    return counts, (time.monotonic() - begin) / 60


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/test", description="Builds and runs the suites, in order.",
                                     epilog="suites: " + ", ".join([*SUITES, *GROUPS]))
    parser.add_argument("--long", action="store_true", help="the full counts of kills, simulated jobs and fuzzing")
    parser.add_argument("--only", action="append", default=[], metavar="SUITE", help="only this suite; may be repeated")
    parser.add_argument("--list", action="store_true", help="name the suites and end")
    options = parser.parse_args(arguments)
    options.suites = []
    for name in options.only or SUITES:
        if name not in SUITES and name not in GROUPS:
            parser.error(f"there is no suite {name}; there are: {', '.join([*SUITES, *GROUPS])}")
        options.suites += GROUPS.get(name, [name])
    return options


def main(arguments):
    options = parse(arguments)
    if options.list:
        for name, (_, sentence) in SUITES.items():
            say(f"{name:<14} {sentence}")
        return 0
    if options.long:
        ENVIRONMENT["BACKPLANE_LONG"] = "1"
    for tool in ("cmake", "ninja"):
        if not shutil.which(tool):
            say(f"{tool} is missing; run scripts/deps")
            return 1
    results = [(name, *run_suite(name, Options(options.long))) for name in options.suites]
    say()
    for name, counts, minutes in results:
        say(f"{name:<14} {minutes:5.1f} min  {counts}")
    say(f"{'total':<14} {sum(minutes for _, _, minutes in results):5.1f} min")
    total = sum((counts for _, counts, _ in results), Counts())
    say(str(total))
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        for child in list(running):
            kill_group(child)
        sys.exit(130)
