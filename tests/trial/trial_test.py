"""The trial, with a stand-in for the program that it runs plugins with."""
import json
import stat

import pytest
import trial

# Prints what the plugin's folder says it should, as `backplane run --json` would.
STAND_IN = """#!/usr/bin/python3
import pathlib, sys
assert sys.argv[1] == "run" and sys.argv[3:] == ["--dialect", "netalertx", "--json"], sys.argv
folder = pathlib.Path(sys.argv[2])
answer = folder / "answer.json"
if answer.exists():
    print(answer.read_text().replace("FOLDER", folder.name))
    sys.exit(0 if '"ok"' in answer.read_text() else 1)
print("config.json: settings[2].type: no such type: x", file=sys.stderr)
sys.exit(1)
"""


@pytest.fixture
def backplane(tmp_path):
    program = tmp_path / "stand-in"
    program.write_text(STAND_IN)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def plugin(folder, answer=None, **files):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"unique_prefix": "SCAN", "code_name": "<plugin folder>"}))
    if answer is not None:
        (folder / "answer.json").write_text(json.dumps(answer))
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


OK = {"plugin": "x", "status": "ok", "exit_code": 0, "taken": 2, "refused": [], "devices": [{}], "objects": [{}, {}]}


def test_every_plugin_gets_a_row(tmp_path, backplane, capsys):
    folder = tmp_path / "plugins"
    plugin(folder / "good", OK)
    plugin(folder / "bad", {**OK, "status": "failed", "exit_code": 3, "message": "it broke\nmore", "log": "a\nValueError: x\n"})
    plugin(folder / "odd", {**OK, "refused": [{"where": "line 4", "reason": "has 7 columns"}]})
    plugin(folder / "slow", {**OK, "status": "timeout", "exit_code": None, "message": "", "log": "\nstill here\n"})
    plugin(folder / "unreadable")
    assert trial.main(["--backplane", backplane, "netalertx", str(folder)]) == 1
    rows = [line.split(maxsplit=7) for line in capsys.readouterr().out.splitlines()]
    assert ["good", "yes", "ok", "0", "2", "1", "0"] in rows
    assert ["bad", "yes", "failed", "3", "2", "1", "0", "it broke: ValueError: x"] in rows
    assert ["odd", "yes", "ok", "0", "2", "1", "1", "line 4: has 7 columns"] in rows
    assert ["unreadable", "no", "-", "-", "-", "-", "-", "config.json: settings[2].type: no such type: x"] in rows
    assert ["slow", "yes", "timeout", "-", "2", "1", "0", "still here"] in rows
    assert rows[-1] == "2 of 5 ran well".split(maxsplit=7)


def test_a_template_is_made_into_a_plugin_outside_its_folder(tmp_path, backplane):
    script = 'NAME = "<unique_prefix>"\nPATH = "<plugin folder>/last_result.<unique_prefix>.log"\n'
    source = plugin(tmp_path / "__template", OK, ignore_plugin="", **{"script.py": script})
    (source / "picture.png").write_bytes(b"\xff\xd8<unique_prefix>")
    into = tmp_path / "scratch"
    into.mkdir()
    target = trial.ready_netalertx(source, into)
    assert target == into / "template"
    assert not (target / "ignore_plugin").exists()
    assert (target / "script.py").read_text() == 'NAME = "SCAN"\nPATH = "template/last_result.SCAN.log"\n'
    assert (target / "picture.png").read_bytes() == b"\xff\xd8<unique_prefix>"
    assert (source / "ignore_plugin").exists() and "<unique_prefix>" in (source / "script.py").read_text()


def test_an_ordinary_plugin_is_not_touched(tmp_path):
    source = plugin(tmp_path / "_publisher_x", OK, **{"script.py": "<unique_prefix>"})
    into = tmp_path / "scratch"
    into.mkdir()
    target = trial.ready_netalertx(source, into)
    # The command of its manifest names the folder.
    assert target == into / "_publisher_x"
    assert (target / "script.py").read_text() == "<unique_prefix>"


def test_one_plugin_may_be_named(tmp_path, backplane, capsys):
    plugin(tmp_path / "plugins" / "one", OK)
    plugin(tmp_path / "plugins" / "two")
    assert trial.main(["--backplane", backplane, "netalertx", str(tmp_path / "plugins" / "one")]) == 0
    assert trial.main(["--backplane", backplane, "netalertx", str(tmp_path / "plugins"), "one"]) == 0
    assert "two" not in capsys.readouterr().out


def test_a_folder_without_plugins_is_an_error(tmp_path, backplane):
    assert trial.main(["--backplane", backplane, "netalertx", str(tmp_path)]) == 1
