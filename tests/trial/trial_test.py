"""The trial's parts, without the program that it runs plugins with."""
import json
import socket
import subprocess
import types
import urllib.error
import urllib.request

import netalertx
import pytest
import trial
from standins import boxes, table, web
from standins.place import HERE


def plugin(folder, prefix="SCAN", **files):
    folder.mkdir(parents=True)
    settings = [{"function": "RUN", "options": ["disabled", "once"]}, {"function": "CMD"}, {"function": "CMD"}]
    (folder / "config.json").write_text(json.dumps({"unique_prefix": prefix, "code_name": "<plugin folder>",
                                                    "settings": settings}))
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_a_template_is_made_into_a_plugin_outside_its_folder(tmp_path):
    script = 'NAME = "<unique_prefix>"\nPATH = "<plugin folder>/last_result.<unique_prefix>.log"\n'
    source = plugin(tmp_path / "__template", ignore_plugin="", **{"script.py": script})
    (source / "picture.png").write_bytes(b"\xff\xd8<unique_prefix>")
    into = tmp_path / "scratch"
    into.mkdir()
    target = netalertx.ready(source, into)
    assert target == into / "template"
    assert not (target / "ignore_plugin").exists()
    assert (target / "script.py").read_text() == 'NAME = "SCAN"\nPATH = "template/last_result.SCAN.log"\n'
    assert (target / "picture.png").read_bytes() == b"\xff\xd8<unique_prefix>"
    assert (source / "ignore_plugin").exists() and "<unique_prefix>" in (source / "script.py").read_text()


def test_an_ordinary_plugin_is_not_touched(tmp_path):
    source = plugin(tmp_path / "_publisher_x", **{"script.py": "<unique_prefix>"})
    into = tmp_path / "scratch"
    into.mkdir()
    target = netalertx.ready(source, into)
    # The command of its manifest names the folder.
    assert target == into / "_publisher_x"
    assert (target / "script.py").read_text() == "<unique_prefix>"


def test_a_folder_without_plugins_is_an_error(tmp_path):
    assert trial.main(["--backplane", "/nowhere", "netalertx", str(tmp_path)]) == 1


def seen(status="ok", rows=(), output="", refusals=(), message="", readable=("RUN", "CMD"), prefix="SCAN"):
    run = {"status": status, "message": message, "refusals": list(refusals)}
    return netalertx.Seen(readable={f"{prefix}_{key}" for key in readable}, run=run, rows=list(rows), output=output)


KEA = [{"primary": "02:00:00:71:00:01", "secondary": "192.0.2.71", "watched": ["True", "kettle.trial.example"]},
       {"primary": "02:00:00:71:00:02", "secondary": "192.0.2.72", "watched": ["False", ""]}]


@pytest.mark.parametrize("prefix, what, outcome, wrong", [
    # Without expectations a run that ends well is enough.
    ("SCAN", {}, "well", ""),
    ("SCAN", {"refusals": [{"where": "line 4", "reason": "has 7 columns"}]}, "well", "line 4: has 7 columns"),
    ("SCAN", {"status": "failed", "message": "it broke\nmore", "output": "a\nValueError: x\n"}, "NOT WELL",
     "it broke: ValueError: x"),
    ("KEALSS", {"rows": KEA}, "well", ""),
    ("KEALSS", {"rows": KEA[:1], "output": "half of them\n"}, "NOT WELL", "1 rows instead of 2: half of them"),
    ("KEALSS", {"rows": KEA[1:] * 2}, "NOT WELL", "no row holds 02:00:00:71:00:01, 192.0.2.71, kettle.trial.example"),
    ("KEALSS", {"rows": KEA, "refusals": [{"where": "line 3", "reason": "is torn"}]}, "NOT WELL", "line 3: is torn"),
    ("KEALSS", {"rows": KEA, "readable": ["RUN"]}, "NOT WELL", "settings that cannot be read: KEALSS_CMD"),
    ("DDNS", {"output": "good 203.0.113.7\n"}, "well", ""),
    ("DDNS", {"output": "no answer\n"}, "NOT WELL", 'it does not say "good 203.0.113.7": no answer'),
    ("NTFY", {"status": "failed", "message": "no such table"}, "listed", "no such table"),
])
def test_outcomes(tmp_path, prefix, what, outcome, wrong):
    one = netalertx.Plugin(plugin(tmp_path / "one", prefix))
    assert netalertx.outcome(one, seen(prefix=prefix, **what)) == (outcome, wrong)


def test_what_has_nothing_to_run_need_only_be_read(tmp_path):
    one = netalertx.Plugin(plugin(tmp_path / "one", "WORKFLOWS"))
    assert netalertx.outcome(one, netalertx.Seen(readable=set(one.settings))) == ("well", "")
    assert netalertx.outcome(one, netalertx.Seen(finding="no such type")) == ("NOT WELL", "no such type")


def test_nothing_runs_beside_the_trial(tmp_path):
    one = netalertx.Plugin(plugin(tmp_path / "one"))
    assert 'SCAN_RUN = "disabled"' in netalertx.site([one], tmp_path, None)


def test_settings_are_given_to_plugins_that_are_known():
    place = types.SimpleNamespace(port=lambda name: 1, files=HERE, tools=HERE / "bin", python="python3")
    assert set(table.settings(place)) - {""} <= set(table.EXPECTED)
    assert len(table.EXPECTED) == 52


def test_every_program_answers():
    for program in sorted((HERE / "bin").iterdir()):
        if program.name in ("sudo", "omada"):  # these have nothing of their own to say
            continue
        done = subprocess.run([program, "192.0.2.1"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stdout, program
    dead = subprocess.run([HERE / "bin/fping", "-a", "127.0.0.1", "192.0.2.9"], capture_output=True, text=True)
    assert dead.returncode == 1 and dead.stdout.startswith("127.0.0.1 ") and "192.0.2.9" not in dead.stdout


def test_the_web_answers_what_it_knows():
    server = web.serve()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with urllib.request.urlopen(url + "/control/clients") as answer:
            assert json.load(answer)["auto_clients"][0]["ip"] == "192.0.2.61"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url + "/control")
    finally:
        server.shutdown()
        server.server_close()


def asked(router, sentence):
    router.sendall(sentence)
    answer = b""
    while not answer.endswith(b"!done\0"):
        answer += router.recv(4096)
    return answer


def test_the_router_answers_in_sentences():
    server = boxes.serve(boxes.RouterOs)
    try:
        with socket.create_connection(server.server_address) as router:
            assert asked(router, b"\x06/login\0") == b"\x05!done\0"
            answer = asked(router, b"\x1b/ip/dhcp-server/lease/print\0")
        assert answer.count(b"\x03!re") == 2 and b"\x14=address=192.0.2.171" in answer
    finally:
        server.shutdown()
        server.server_close()
