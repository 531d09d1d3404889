"""The commands as a person and a program use them."""
import json
import os
import pty
import re
import select
import signal
import subprocess

import pytest
import sites

COMMANDS = ["serve", "run", "plugins", "plugins list", "plugins show", "plugins run", "plugins validate", "plugins new", "devices",
            "devices list", "devices show", "devices events", "devices edit", "devices archive", "devices unarchive",
            "devices merge", "devices split", "devices delete", "runs", "runs list", "runs show", "runs cancel", "cycles",
            "cycles list", "cycles show", "cycles cancel", "notifications", "notifications list", "notifications show",
            "notifications raise", "notifications resend", "events",
            "events list", "events follow", "metrics", "metrics list", "metrics show", "secrets", "secrets set",
            "secrets list", "secrets remove", "secrets rotate", "audit", "audit list", "check"]
ASKING = [["plugins", "list"], ["plugins", "show", "X"], ["plugins", "run", "X"], ["devices", "list"], ["devices", "show", "1"],
          ["devices", "edit", "1", "--set", "name=x"], ["devices", "events"], ["devices", "archive", "1"],
          ["devices", "merge", "1", "2"], ["devices", "split", "1", "a"], ["devices", "delete", "1"], ["runs", "list"],
          ["runs", "show", "1"], ["runs", "cancel", "1"],
          ["cycles", "list"], ["cycles", "show", "1"], ["cycles", "cancel", "1"], ["notifications", "list"],
          ["notifications", "show", "1"], ["notifications", "raise", "--title", "x"], ["notifications", "resend", "1"],
          ["events", "list"], ["events", "follow"], ["metrics", "list"], ["metrics", "show", "1"], ["secrets", "set", "a"],
          ["secrets", "list"], ["secrets", "remove", "a"], ["secrets", "rotate"], ["audit", "list"]]
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f"


def said(done):
    assert done.stdout == "", done
    return done.stderr


# ---- usage -------------------------------------------------------------------------------

@pytest.mark.parametrize("words", COMMANDS)
def test_help(words):
    done = sites.command(*words.split(), "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert words in done.stdout and "--help" in done.stdout
    assert all(len(line) < 400 for line in done.stdout.splitlines())


def test_help_lists_every_command():
    top = sites.command("--help").stdout
    for name in {words.split()[0] for words in COMMANDS}:
        assert re.search(rf"^\s+{name}\s", top, re.MULTILINE), name
    assert re.fullmatch(r"backplane \d+\.\d+\.\d+\n", sites.command("--version").stdout)


@pytest.mark.parametrize("arguments", [
    [], ["nonsense"], ["plugins"], ["plugins", "nonsense"], ["devices", "show"], ["run"], ["devices", "list", "--nonsense"],
    ["serve", "--nonsense"], ["serve", "extra"], ["devices", "show", "1", "2"], ["check", "--config"], ["run", "a", "b"],
    ["--nonsense"], ["devices", "list", "--json=maybe=not"],
], ids=" ".join)
def test_wrong_usage_exits_2_and_points_to_help(arguments):
    done = sites.command(*arguments)
    assert done.returncode == 2, done
    assert "--help" in said(done)


@pytest.mark.parametrize("arguments", [["devices", "edit", "1", "--set", "name"], ["devices", "list", "--where", "=x"],
                                       ["metrics", "list", "--where", "=x"]], ids=" ".join)
def test_what_is_no_assignment_is_named(site, arguments):
    site.start()
    done = site.command(*arguments)
    assert done.returncode in (1, 2) and arguments[-1] in said(done)


@pytest.mark.parametrize("arguments", ASKING, ids=" ".join)
def test_without_a_daemon_it_says_what_to_do(tmp_path, arguments):
    done = sites.command(*arguments, "--data", tmp_path / "nowhere")
    assert done.returncode == 1
    assert "backplane serve" in said(done) and str(tmp_path / "nowhere") in done.stderr
    assert not (tmp_path / "nowhere").exists()
    done = sites.command(*arguments, BACKPLANE_DATA=str(tmp_path / "elsewhere"))
    assert done.returncode == 1 and str(tmp_path / "elsewhere") in said(done)


def test_with_a_dead_daemon_it_says_what_to_do(site):
    site.start()
    site.stop()
    for arguments in ASKING:
        done = site.command(*arguments)
        assert done.returncode == 1 and "backplane serve" in said(done) and str(site.data) in done.stderr


# ---- asking a daemon ---------------------------------------------------------------------

@pytest.fixture(scope="module")
def asked(module_site):
    site = module_site
    site.plugin("scan", """
        with open(RESULT, "w") as result:
            result.write(row("aa:00:00:00:00:01", "10.0.0.1", "router", "Acme"))
            result.write(row("aa:00:00:00:00:02", "10.0.0.2", "caf\\u00e9", "Acme"))
            result.write("half a row")
        print("looked around")
        """, devices=True)
    site.plugin("evil", f"""
        evil = {EVIL!r}
        with open(RESULT, "w", encoding="utf-8") as result:
            result.write(row("aa:00:00:00:00:66", "10.0.0.66", "[" + evil + "]", evil + "vendor"))
            result.write(row("aa:00:00:00:00:67", "10.0.0.67", "\\x1b[31mred\\x1b[0m", "\\x1b[32m"))
            result.write(row(evil, evil, evil))
        """, devices=True)
    site.plugin("fails", 'print("it went wrong")\nsys.exit(3)\n')
    site.plugin("hangs", "import time\ntime.sleep(100000)\n")
    site.start()
    done = site.command("plugins", "run", "SCAN")
    assert done.returncode == 0, done
    return site


def test_tables_are_for_people(asked):
    lines = asked.command("devices", "list").stdout.splitlines()
    assert re.split(r"\s{2,}", lines[0]) == ["ID", "NAME", "IP", "MAC", "VENDOR", "TYPE", "STATUS", "LAST SEEN (UTC)"]
    assert re.match(r"1\s+router\s+10\.0\.0\.1\s+aa:00:00:00:00:01\s+Acme\s+online\s+20\d\d-\d\d-\d\d \d\d:\d\d:\d\d$", lines[1])
    # Columns stand under their heading, whatever bytes a letter takes.
    assert {line.index("10.0.0.") for line in lines[1:3]} == {lines[0].index("IP")}
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize("arguments", [["plugins", "list"], ["plugins", "show", "SCAN"], ["devices", "list"], ["devices", "show", "1"],
                                       ["runs", "list"], ["runs", "show", "1"], ["events", "list"],
                                       ["devices", "edit", "1", "--set", "comment=x"], ["plugins", "run", "SCAN"]], ids=" ".join)
def test_json_is_for_programs(asked, arguments):
    done = asked.command(*arguments, "--json")
    assert done.returncode == 0 and done.stderr == "", done
    assert json.loads(done.stdout)
    plain = asked.command(*arguments)
    assert plain.returncode == 0 and plain.stderr == "" and plain.stdout.strip(), plain


def test_lists_can_be_narrowed(asked):
    def found(*arguments):
        return [device["name"] for device in json.loads(asked.command("devices", "list", "--json", *arguments).stdout)]
    assert found("--search", "rout") == ["router"]
    assert found("--where", "ip=10.0.0.2", "--where", "vendor=Acme") == ["café"]
    assert found("--where", "ip=10.0.0.2", "--where", "vendor=Other") == []
    assert "netalertx:SCAN" in asked.command("plugins", "show", "netalertx:SCAN").stdout
    runs = json.loads(asked.command("runs", "list", "--plugin", "SCAN", "--limit", "1", "--json").stdout)
    assert [run["plugin"] for run in runs] == ["netalertx:SCAN"]
    events = json.loads(asked.command("events", "list", "--topic", "device.new", "--limit", "2", "--json").stdout)
    assert [event["topic"] for event in events] == ["device.new"] * 2


def test_what_is_not_there_is_told(asked):
    for arguments, word in ([["devices", "show", "99999"], "99999"], [["devices", "show", "a/b?c"], "a/b?c"], [["runs", "show", "x"], "x"],
                            [["plugins", "show", "NOBODY"], "NOBODY"], [["plugins", "run", "NOBODY"], "NOBODY"],
                            [["runs", "list", "--status", "lost"], "lost"], [["runs", "cancel", "1"], "1"],
                            [["events", "list", "--limit", "many"], "many"], [["metrics", "show", "99999"], "99999"],
                            [["metrics", "show", "1", "--from", "soon"], "soon"],
                            [["devices", "edit", "1", "--set", "nmae=x"], "nmae"], [["devices", "edit", "1"], "set"]):
        done = asked.command(*arguments)
        assert done.returncode == 1 and word in said(done), done


def test_running_waits_and_tells(asked):
    done = asked.command("plugins", "run", "SCAN")
    assert done.returncode == 0
    assert re.match(r"run \d+: ok; 4 records taken, 1 refused\n  refused line 3: expected 9 or 13 columns", done.stdout), done
    run = re.match(r"run (\d+)", done.stdout)[1]
    shown = asked.command("runs", "show", run).stdout
    assert "looked around" in shown and re.search(r"^status:\s+ok$", shown, re.MULTILINE) and "refused line 3" in shown
    done = asked.command("plugins", "run", "FAILS")
    assert done.returncode == 1 and re.match(r"run \d+: failed: exit code 3; 0 records taken", done.stdout), done


def test_cancelling(asked):
    done = asked.command("plugins", "run", "HANGS", "--no-wait")
    run = re.fullmatch(r"run (\d+) has started\n", done.stdout)[1]
    assert asked.command("runs", "cancel", run).returncode == 0
    assert asked.ended(int(run))["status"] == "cancelled"
    assert asked.command("runs", "cancel", run).returncode == 1


def test_editing(asked):
    def edit(*arguments):
        done = asked.command("devices", "edit", "2", *arguments, "--json")
        assert done.returncode == 0, done
        return json.loads(done.stdout)
    assert edit("--set", "name=a=b", "--set", "comment=")["name"] == "a=b"
    assert edit("--unset", "name")["name"] == "café"
    edit("--lock", "name", "--lock", "ip")
    assert json.loads(asked.command("devices", "show", "2", "--json").stdout)["locked"] == ["ip", "name"]
    edit("--unlock", "name", "--unlock", "ip")


def in_terminal(*arguments):
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sites.BIN / "backplane", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=theirs,
                               stderr=theirs, env=sites.environment(TERM="xterm"))
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 65536):
            written += chunk
    except OSError:
        pass  # the last writer is gone
    finally:
        os.close(ours)
        process.wait(sites.PATIENCE)
    return written.decode("utf-8", errors="replace")


def test_what_plugins_find_cannot_drive_the_terminal(asked):
    assert asked.run("EVIL")["status"] == "ok"
    evil = next(device["id"] for device in asked.devices() if device["mac"] == "aa:00:00:00:00:66")
    assert EVIL in asked.device(evil)["name"]  # it is kept as it is, and shown harmless
    red = next(device["id"] for device in asked.devices() if device["mac"] == "aa:00:00:00:00:67")
    run = asked.read("/runs", plugin="EVIL")["runs"][0]["id"]
    for arguments in (["devices", "list"], ["devices", "show", evil], ["devices", "show", red], ["events", "list"], ["runs", "list"],
                      ["runs", "show", run], ["plugins", "run", "EVIL"], ["devices", "edit", evil, "--set", f"{EVIL}=x"]):
        for written in (asked.command(*arguments), in_terminal(*arguments, "--data", asked.data)):
            text = written if isinstance(written, str) else written.stdout + written.stderr
            # In a terminal, statuses are coloured.
            left = re.sub("\x1b\\[3[123]m[a-z_]+\x1b\\[0m", "", text) if isinstance(written, str) else text
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", left), (arguments, text)
    site_run = in_terminal("run", asked.plugins / "evil")
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", re.sub("\x1b\\[3[123]m[a-z_]+\x1b\\[0m|\r\x1b\\[K", "", site_run)), site_run


def test_events_are_followed(asked):
    follower = subprocess.Popen([sites.BIN / "backplane", "events", "follow", "--after", "0", "--topic", "device.changed", "--json",
                                 "--data", asked.data], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
                                env=sites.environment())
    try:
        for comment in ("first", "second"):
            asked.patch("/devices/1", {"set": {"comment": comment}})

            def told():
                assert select.select([follower.stdout], [], [], sites.PATIENCE)[0], "no event was printed"
                event = json.loads(follower.stdout.readline())
                return event["body"]["changes"].get("comment", {}).get("to") == comment
            sites.wait_for(told, f"the event of {comment}")
        follower.send_signal(signal.SIGINT)
        assert follower.wait(sites.PATIENCE) in (0, 130, -signal.SIGINT)
    finally:
        follower.kill()
        follower.communicate()


def test_following_tells_people_too(asked):
    follower = subprocess.Popen([sites.BIN / "backplane", "events", "follow", "--after", "0", "--data", asked.data],
                                stdout=subprocess.PIPE, text=True, env=sites.environment())
    try:
        assert re.match(r"\s+1  20\d\d-\d\d-\d\d \d\d:\d\d:\d\d  object\.new\s+netalertx:SCAN run 1  \{", follower.stdout.readline())
    finally:
        follower.kill()
        follower.communicate()


# ---- without a daemon --------------------------------------------------------------------

@pytest.mark.parametrize("name, heading", [("neighbours", "MAC"), ("listeners", "PRIMARY")])
def test_each_example_runs(name, heading):
    done = sites.command("run", sites.EXAMPLES / name)
    assert done.returncode == 0, done
    assert re.search(r": ok; (\d+ (devices|objects)(, )?)+$|: ok; it reported nothing$", done.stdout.rstrip()), done
    report = json.loads(sites.command("run", sites.EXAMPLES / name, "--json").stdout)
    assert report["status"] == "ok" and report["refused"] == []
    if report["objects"]:
        assert heading in done.stdout.splitlines()[0]


def test_a_run_takes_settings_as_json_or_text(tmp_path):
    plugin = sites.write_plugin(tmp_path, "tells", """
        with open(os.environ["NETALERTX_CONFIG"] + "/app.conf") as file:
            values = dict(line.rstrip("\\n").split("=", 1) for line in file)
        open(RESULT, "w").write(row(values["TELLS_RUN"], values["TELLS_RUN_TIMEOUT"], values["TELLS_WATCH"], values["OTHER"]))
        """)
    done = sites.command("run", plugin, "--json", "--set", "TELLS_RUN=once", "--set", "TELLS_RUN_TIMEOUT=7",
                         "--set", 'TELLS_WATCH=["watchedValue2"]', "--set", "OTHER=it's = text")
    assert done.returncode == 0, done
    one = json.loads(done.stdout)["objects"][0]
    assert (one["primary"], one["secondary"]) == ("'once'", "7")
    assert one["watched"][:2] == ["['watchedValue2']", r"'it\'s = text'"]


@pytest.mark.parametrize("script, declared, status, words", [
    ("sys.exit(3)\n", {}, "failed", "exit code 3"),
    ("raise RuntimeError('oh')\n", {}, "failed", "exit code 1"),
    ("os.kill(os.getpid(), 9)\n", {}, "killed", "SIGKILL"),
    ("import time\ntime.sleep(100000)\n", {"timeout": 1}, "timeout", "time limit of 1s passed"),
    ("", {"command": "no-such-program"}, "not_started", "no-such-program: not found"),
    ("", {"command": "echo {devices}", "params": [{"name": "devices", "type": "sql", "value": "SELECT x"}]}, "not_started",
     "no such column: x"),
], ids=["fails", "raises", "killed", "hangs", "no program", "cannot be prepared"])
def test_a_broken_plugin_is_told(tmp_path, script, declared, status, words):
    plugin = sites.write_plugin(tmp_path, "broken", script, **declared)
    done = sites.command("run", plugin)
    assert done.returncode == 1
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"netalertx:BROKEN: {status}: ") and words in last, done
    report = json.loads(sites.command("run", plugin, "--json").stdout)
    assert report["status"] == status and words in report["message"]


@pytest.mark.parametrize("arguments, words", [
    (["--set", "BROKEN_RUN_TIMEOUT=soon"], "BROKEN_RUN_TIMEOUT"), (["--set", "nonsense"], "write KEY=VALUE"),
    (["--dialect", "nobody"], "no such dialect: nobody"), (["--config", "/nowhere.toml"], "/nowhere.toml"),
    (["--set", "BROKEN_RUN=schedule", "--set", "BROKEN_RUN_SCHD=every minute"], "BROKEN_RUN_SCHD"),
])
def test_a_run_that_cannot_be_is_refused_before_it(tmp_path, arguments, words):
    plugin = sites.write_plugin(tmp_path, "broken", "open('/proc/self/never', 'w')\n")
    done = sites.command("run", plugin, *arguments)
    assert done.returncode == 1 and words in said(done), done


def test_a_run_of_what_is_no_plugin_is_refused(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (empty, tmp_path / "nowhere", sites.ROOT / "LICENSE"):
        done = sites.command("run", path)
        assert done.returncode == 1 and str(path) in said(done), done
    done = sites.command("run", sites.EXAMPLES)
    assert done.returncode == 1 and "LISTENERS" in said(done) and "NEIGHSCAN" in done.stderr
    nothing = sites.write_plugin(tmp_path, "nothing", "", command=" ")
    assert "nothing to run" in said(sites.command("run", nothing))


@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_takes_its_tree_with_it(tmp_path, with_signal):
    begun = tmp_path / "begun"
    plugin = sites.write_plugin(tmp_path, "hangs", f"""
        import time
        subprocess.Popen(["sh", "-c", "exec sleep 100000", {str(tmp_path)!r}])
        subprocess.run(["setsid", "sh", "-c", "sleep 100000 & exit 0", {str(tmp_path)!r}])
        open({str(begun)!r}, "w").close()
        time.sleep(100000)
        """)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen([sites.BIN / "backplane", "run", plugin], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=sites.environment(TMPDIR=str(temporary)), start_new_session=True)
    try:
        sites.wait_for(begun.exists, "the plugin runs")
        assert len(sites.processes_of(temporary)) >= 3
        process.send_signal(with_signal)
        out, error = process.communicate(timeout=sites.PATIENCE)
        assert process.returncode == 1
        assert "netalertx:HANGS: cancelled" in out, (out, error)
        sites.wait_for(lambda: not sites.processes_of(temporary), lambda: f"all are gone: {sites.processes_of(temporary)}")
        assert list(temporary.iterdir()) == []
    finally:
        process.kill()
        process.communicate()


def test_every_mistake_is_named_at_once(tmp_path):
    def break_plugin(name, change):
        file = sites.write_plugin(tmp_path, name, "") / "config.json"
        document = json.loads(file.read_text())
        change(document)
        file.write_text(json.dumps(document))
        return file
    sites.write_plugin(tmp_path, "good", "")
    types = break_plugin("types", lambda d: (d.update(settings=d["settings"] + [{"function": 7}], data_source=[]),
                                             d["settings"][0].pop("type")))
    schedule = break_plugin("schedule", lambda d: (d["settings"][0].update(default_value="schedule"),
                                                   d["settings"][1].update(default_value="61 * * * *")))
    twin = break_plugin("twin", lambda d: d.update(unique_prefix="GOOD"))
    text = sites.write_plugin(tmp_path, "text", "") / "config.json"
    text.write_text('{\n  "code_name": "text",\n  oops\n}')
    done = sites.command("plugins", "validate", tmp_path)
    assert done.returncode == 1
    for file, word in ((types, "settings[0]"), (types, "settings[6]"), (types, "data_source"), (schedule, "settings[1].default_value"),
                       (twin, "unique_prefix"), (text, "line 3")):
        assert any(str(file) in line and word in line for line in done.stderr.splitlines()), (file, word, done.stderr)
    assert re.search(r"^1 plugin can be loaded, 4 cannot; \d+ errors$", done.stdout, re.MULTILINE)
    report = json.loads(sites.command("plugins", "validate", tmp_path, "--json").stdout)
    assert not report["valid"] and report["plugins"] == ["netalertx:GOOD"]
    assert {finding["file"] for finding in report["findings"] if finding["severity"] == "error"} == {
        str(types), str(schedule), str(twin), str(text)}
    done = sites.command("plugins", "validate", sites.EXAMPLES)
    assert done.returncode == 0 and done.stdout == "5 plugins can be loaded\n" and done.stderr == ""
    done = sites.command("plugins", "validate", tmp_path / "good/config.json")
    assert (done.returncode, done.stdout) == (0, "1 plugin can be loaded\n"), done


def test_a_misspelt_or_wrong_value_of_set_is_told(tmp_path):
    plugin = sites.write_plugin(tmp_path, "one", "") / "config.json"
    done = sites.command("run", plugin, "--set", "ONE_RUN_TIMOUT=3")
    assert done.stderr.startswith("warning: --set: ONE_RUN_TIMOUT: netalertx:ONE declares no such setting; did you mean "
                                  "ONE_RUN_TIMEOUT?\n"), done
    done = sites.command("run", plugin, "--set", "ONE_RUN_TIMEOUT=soon")
    assert done.returncode == 1 and re.search(r"^error: .*ONE_RUN_TIMEOUT: .*\(given in --set\)$", done.stderr, re.M), done


@pytest.mark.parametrize("text, words", [
    ('log_level = "info"\nlisten = \n', [":2:"]),
    ('log_level = "info"\nlogs = "x"\n', [":2: logs: no such option"]),
    ("[store]\nsyncronous = 'full'\n", [":2: store.syncronous: no such option"]),
    ('[events]\nkeep = "soon"\n', [":2: events.keep", '"soon" is not a duration']),
    ('[events]\nkeep = "1s"\n', [":2: events.keep", "is not between"]),
    ('[runs]\nworkers = "many"\n', [":2: runs.workers", "not a whole number"]),
    ("[runs]\n\nworkers = 0\n", [":3: runs.workers", "not between 1 and"]),
    ('log_level = "loud"\n', [":1: log_level", "loud", "debug, info"]),
    ("log_level = 3\n", [":1: log_level: is not a text"]),
    ('listen = "8700"\n', ["listen", "is not ADDRESS:PORT"]),
    ('[[plugins]]\npath = "x"\nrun = true\n', [":3: plugins.run"]),
    ("[[plugins]]\nrun_at_start = true\n", ["plugins.path: is missing"]),
    ('[plugins]\npath = "x"\n', [":1: plugins: write [[plugins]]"]),
    ("[settings]\nnetalertx = 3\n", [":2: settings.netalertx"]),
    ("[settings.netalertx]\nX = 2026-01-01\n", [":2: dates are not used"]),
], ids=lambda value: value.split("\n")[0] if isinstance(value, str) else None)
def test_a_wrong_configuration_is_told_by_file_line_and_key(tmp_path, text, words):
    file = tmp_path / "site.toml"
    file.write_text(text)
    done = sites.command("check", "--config", file)
    assert done.returncode == 1
    for word in words:
        assert (f"{file}{word}" if word.startswith(":") else word) in said(done), done.stderr


def test_check_names_what_is_wrong_in_the_plugins(tmp_path):
    file = tmp_path / "site.toml"
    file.write_text('[[plugins]]\npath = "nowhere"\n[settings.nobody]\nX = 1\n')
    done = sites.command("check", "--config", file)
    assert done.returncode == 1 and done.stdout == "there are errors: 1 plugin folders, 0 plugins\n"
    assert f"{tmp_path / 'nowhere'}: no such file or folder" in done.stderr and "settings.nobody: no such dialect" in done.stderr
    done = sites.command("check", "--config", sites.EXAMPLES.parents[1] / "backplane.toml", "--json")
    assert done.returncode == 0 and json.loads(done.stdout) == {"valid": True, "plugins": 6, "findings": []}
    done = sites.command("check", "--config", tmp_path / "none.toml")
    assert done.returncode == 1 and str(tmp_path / "none.toml") in said(done)


def test_the_environment_is_checked_too(tmp_path):
    done = sites.command("check", BACKPLANE_RUNS_WORKERS="lots")
    assert done.returncode == 1 and "BACKPLANE_RUNS_WORKERS" in said(done) and "lots" in done.stderr


def test_replaying_while_the_daemon_runs_or_without_a_store_is_told(site):
    done = site.command("check", "--replay")
    assert done.returncode == 1 and said(done) and not site.data.exists()
    site.start()
    done = site.command("check", "--replay")
    assert done.returncode == 1 and str(site.data) in said(done)
