"""Plugins that do what they should not: their run says so, nothing of them stays, and others go on."""
import re

import pytest
import sites

KEPT_LOG = 4 << 20
LARGEST_RESULT = 64 << 20
HANG = "import time\ntime.sleep(100000)\n"
CHILDREN = """
children = [subprocess.Popen(["sleep", "100000"]) for _ in range(2)]
# An orphan in a session of its own, without our environment and folder.
subprocess.run(["sh", "-c", "cd / && env -i setsid sleep 100000 & exit 0"])
"""


@pytest.fixture(scope="module")
def site(module_site):
    module_site.plugin("steady", 'open(RESULT, "w").write(row("a", "b", "c"))\n')
    for name, (script, declared) in PLUGINS.items():
        module_site.plugin(name, script, **declared)
    module_site.start()
    return module_site


@pytest.fixture
def misbehave(site):
    """Runs a plugin to its end, and a good one beside it."""
    def run(name):
        bad = site.launch(name)
        assert site.run("STEADY")["status"] == "ok"
        ended = site.ended(bad)
        assert not site.left_over(), site.left_over()
        assert not (site.data / "runs" / str(bad) / "work").exists()
        return ended
    return run


PLUGINS = {
    "hangs": ('open(RESULT, "w").write(row("one", "x"))\n' + HANG, {"timeout": 2}),
    "deaf": ("signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + HANG, {"timeout": 2}),
    "leaves": (CHILDREN, {}),
    "hangs_leaving": (CHILDREN + HANG, {"timeout": 2}),
    "waits": (HANG, {}),
    "floods": ("""
        line = b"x" * 1023 + b"\\n"
        for _ in range(20000):
            os.write(1, line)
        os.write(2, b"the end\\n")
        """, {}),
    "odd_output": ("os.write(1, bytes(range(256)) + b'\\\\xff\\\\xfe end')\n", {}),
    "half_line": ('open(RESULT, "w").write(row("one", "x") + row("two", "y") + "thr")\n', {}),
    "half_row": ('open(RESULT, "w").write(row("one", "x") + "two|y|2026-01-01 00")\n', {}),
    "symlink": ('os.symlink("/etc/passwd", RESULT)\n', {}),
    "hard_link": ("""
        open(RESULT + ".other", "w").write(row("one", "x"))
        os.link(RESULT + ".other", RESULT)
        """, {}),
    "folder": ("os.mkdir(RESULT)\n", {}),
    "pipe": ("os.mkfifo(RESULT)\n", {}),
    "huge": ('open(RESULT, "w").truncate((64 << 20) + 1)\n', {}),
    "binary": ('open(RESULT, "wb").write(bytes(range(256)) * 400)\n', {}),
    "zeros": ('open(RESULT, "w").write(row("o\\0ne", "x", "wat\\0ched"))\n', {}),
    "not_utf8": ('open(RESULT, "wb").write(row("one", "x", "caf").encode().replace(b"caf", b"caf\\xe9"))\n', {}),
    "closed_folder": ("""
        open(RESULT, "w").write(row("one", "x"))
        os.rename(os.path.dirname(RESULT), os.path.dirname(RESULT) + ".away")
        """, {}),
    "exits_three": ('open(RESULT, "w").write(row("one", "x"))\nsys.exit(3)\n', {}),
    "raises": ('raise RuntimeError("of all things")\n', {}),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)\n", {}),
    "crashes": ("os.kill(os.getpid(), signal.SIGSEGV)\n", {}),
    "kills_group": ("os.killpg(0, signal.SIGKILL)\n", {}),
    "no_program": ("", {"command": "no-such-program --fast"}),
}


def log_of(site, run):
    return site.get(f"/runs/{run['id']}/log", bytes=KEPT_LOG).text


def objects(site, name):
    return [one["primary"] for one in site.read("/objects", plugin=name)["objects"]]


@pytest.mark.parametrize("name", ["HANGS", "DEAF"])
def test_a_plugin_that_hangs_is_ended_at_its_time_limit(misbehave, name):
    run = misbehave(name)
    assert (run["status"], run["exit_code"]) == ("timeout", None)
    assert run["message"].startswith("time limit of 2s passed; the process tree was killed")


def test_what_a_hanging_plugin_wrote_is_taken(site, misbehave):
    run = misbehave("HANGS")
    assert run["taken"] == 1 and objects(site, "HANGS") == ["one"]


def test_others_run_while_one_hangs(site):
    hanging = site.launch("WAITS")
    for _ in range(3):
        assert site.run("STEADY")["status"] == "ok"
    assert site.read(f"/runs/{hanging}")["status"] == "running"
    assert site.post(f"/runs/{hanging}/cancel").status == 202
    assert site.ended(hanging)["status"] == "cancelled"
    assert not site.left_over()


def test_children_and_orphans_are_killed(misbehave):
    run = misbehave("LEAVES")
    # The third may not be there yet when its parent ends; it is killed too, but not counted.
    assert run["status"] == "ok"
    assert re.fullmatch("[23] processes it had left behind were killed", run["message"]), run


def test_a_hanging_tree_is_killed(misbehave):
    assert misbehave("HANGS_LEAVING")["status"] == "timeout"
    assert not [line for line in sites.processes_of("sleep").values() if line == "sleep 100000"]


def test_a_flood_is_kept_within_bounds(site, misbehave):
    run = misbehave("FLOODS")
    written = 20000 * 1024 + len("the end\n")
    assert run["status"] == "ok"
    assert run["message"] == f"{written - KEPT_LOG} bytes of its output were dropped, the last {KEPT_LOG} are kept"
    log = log_of(site, run)
    assert len(log) == KEPT_LOG and log.endswith("x\nthe end\n")
    files = list((site.data / "runs" / str(run["id"])).iterdir())
    assert sum(file.stat().st_size for file in files) <= KEPT_LOG * 5 / 4


def test_any_bytes_may_be_written_to_the_log(site, misbehave):
    run = misbehave("ODD_OUTPUT")
    assert run["status"] == "ok" and log_of(site, run).endswith(" end")


@pytest.mark.parametrize("name, line", [("HALF_LINE", "line 3"), ("HALF_ROW", "line 2")])
def test_half_a_line_is_refused_and_the_rest_taken(site, misbehave, name, line):
    run = misbehave(name)
    assert run["status"] == "ok" and run["refused"] == 1
    assert run["refusals"][0]["where"] == line and "expected 9 or 13 columns" in run["refusals"][0]["reason"]
    assert objects(site, name) == ["one", "two"][:int(line[-1]) - 1]


@pytest.mark.parametrize("name, reason", [
    ("SYMLINK", "a symbolic link, not a file"),
    ("HARD_LINK", "has 2 hard links"),
    ("FOLDER", "not a regular file"),
    ("PIPE", "not a regular file"),
    ("HUGE", f"larger than the limit of {LARGEST_RESULT} bytes"),
])
def test_what_is_no_ordinary_result_file_is_refused(site, misbehave, name, reason):
    run = misbehave(name)
    assert (run["status"], run["taken"], run["refused"]) == ("ok", 0, 1)
    assert run["refusals"][0]["where"] == f"last_result.{name}.log"
    assert run["refusals"][0]["reason"].endswith(reason)
    assert objects(site, name) == []


def test_a_binary_result_is_refused_by_line(misbehave):
    run = misbehave("BINARY")
    assert run["status"] == "ok" and run["taken"] == 0 and run["refused"] > 0
    assert all("expected 9 or 13 columns" in refusal["reason"] for refusal in run["refusals"])


def test_zero_bytes_do_no_harm(site, misbehave):
    run = misbehave("ZEROS")
    assert (run["status"], run["taken"]) == ("ok", 1)
    stored = site.read("/objects", plugin="ZEROS")["objects"][0]
    assert (stored["primary"], stored["watched"][0]) == ("o\0ne", "wat\0ched")
    assert misbehave("ZEROS")["changed"] == 0


def test_other_encodings_are_replaced(site, misbehave):
    assert misbehave("NOT_UTF8")["taken"] == 1
    assert site.read("/objects", plugin="NOT_UTF8")["objects"][0]["watched"][0] == "caf\ufffd"


def test_a_result_that_cannot_be_found_is_no_result(misbehave):
    run = misbehave("CLOSED_FOLDER")
    assert (run["status"], run["taken"]) == ("ok", 0)


def test_an_exit_code_is_told_and_the_rows_are_taken(site, misbehave):
    run = misbehave("EXITS_THREE")
    assert (run["status"], run["exit_code"], run["message"]) == ("failed", 3, "exit code 3")
    assert run["taken"] == 1
    event = site.events(topic="run.failed", limit=1000)[-1]
    assert event["run"] == run["id"] and event["plugin"] == "netalertx:EXITS_THREE"
    assert event["body"] == {"status": "failed", "message": "exit code 3"}


def test_a_traceback_is_in_the_log(site, misbehave):
    run = misbehave("RAISES")
    assert (run["status"], run["exit_code"]) == ("failed", 1)
    assert log_of(site, run).endswith("RuntimeError: of all things\n")


@pytest.mark.parametrize("name, message", [
    ("KILLED", "killed by signal 9 (SIGKILL)"),
    ("CRASHES", "killed by signal 11 (SIGSEGV)"),
    ("KILLS_GROUP", "killed by signal 9 (SIGKILL)"),
])
def test_a_signal_is_told(misbehave, name, message):
    run = misbehave(name)
    assert (run["status"], run["exit_code"]) == ("killed", None)
    assert run["message"].startswith(message)


def test_a_program_that_is_not_there_is_told(misbehave):
    run = misbehave("NO_PROGRAM")
    assert (run["status"], run["message"]) == ("not_started", "no-such-program: not found")


def test_a_plugin_may_be_deleted_while_it_runs(site):
    gone = site.folder / "plugins" / "gone"
    gate = site.folder / "gate"
    assert site.stop() == 0
    site.plugin("gone", f"""
        import shutil, time
        shutil.rmtree({str(gone)!r})
        open({str(gate)!r}, "w").close()
        while os.path.exists({str(gate)!r}):
            time.sleep(0.02)
        open(RESULT, "w").write(row("still", "here"))
        """)
    site.start()
    run = site.launch("GONE")
    sites.wait_for(gate.exists, "the script runs")
    assert not gone.exists()
    gate.unlink()
    ended = site.ended(run)
    assert (ended["status"], ended["taken"]) == ("ok", 1)
    assert site.post("/plugins/rescan").status == 200
    assert site.post("/plugins/GONE/run").status == 404  # there is no such plugin any more
    assert site.run("STEADY")["status"] == "ok"


def test_a_plugin_that_deletes_itself_harms_no_other(site):
    assert site.stop() == 0
    site.plugin("selfless", """
        import shutil
        shutil.rmtree(os.path.dirname(os.path.realpath(__file__)))
        open(RESULT, "w").write(row("last", "words"))
        """)
    site.start()
    for _ in range(2):  # it is put back before each run
        run = site.run("SELFLESS")
        assert (run["status"], run["taken"]) == ("failed", 0) and "changed while it ran" in run["message"], run
    assert site.run("STEADY")["status"] == "ok"
