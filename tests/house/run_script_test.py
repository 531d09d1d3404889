"""scripts/run, in a tree where building and the daemon are stand-ins."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from tree import ROOT

# Says how it was called, answers `plugins list` once the daemon is up, and stops on a signal.
STAND_IN = """#!/bin/bash
here=$(dirname "$0")
if [ "$1" = serve ]; then
  trap 'rm "$BACKPLANE_DATA/up"; echo stopped; exit 0' INT TERM
  echo "serving $*"
  echo http://127.0.0.1:9999/ >"$BACKPLANE_DATA/address"
  touch "$BACKPLANE_DATA/up"
  while :; do read -r -t 0.05 <> <(:); done
fi
[ -e "$BACKPLANE_DATA/up" ]
"""
# Says who it is, and is the receiver, but at a free port.
RECEIVER = f"""#!/bin/sh
echo "receiver $$ $*"
exec {ROOT}/examples/site/webhook_receiver.py --port 0 "$@"
"""
SECONDS = 60
STARTED = []


@pytest.fixture
def small_tree(tmp_path):
    tree = tmp_path / "tree"
    (tree / "scripts").mkdir(parents=True)
    (tree / "build/release").mkdir(parents=True)
    (tree / "examples/site").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/run", tree / "scripts/run")
    shutil.copy(ROOT / "examples/site/devices.csv", tree / "examples/site/devices.csv")
    for name, text in {"scripts/deps": "#!/bin/sh\necho deps $*\n", "scripts/build": "#!/bin/sh\necho build $*\n",
                       "build/release/backplane": STAND_IN, "build/release/backplane-keeper": "#!/bin/sh\n",
                       "examples/site/webhook_receiver.py": RECEIVER}.items():
        (tree / name).write_text(text)
        (tree / name).chmod(0o755)
    (tmp_path / "links").mkdir()
    yield tree
    for process in STARTED:  # a test that failed has not stopped its own
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    STARTED.clear()


def start(tree, *arguments):
    env = {key: value for key, value in os.environ.items() if key != "BACKPLANE_DATA"}
    env["BACKPLANE_LINKS"] = str(tree.parent / "links")
    STARTED.append(subprocess.Popen([tree / "scripts/run", *arguments], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, env=env, start_new_session=True))
    return STARTED[-1]


def read_until(process, text):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"ended without {text!r}: {lines}")


def wait_for(probe):
    end = time.monotonic() + SECONDS
    while not (value := probe()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return value


def interrupt(process):
    """As a terminal does on Ctrl-C: the whole group gets the signal."""
    os.killpg(process.pid, signal.SIGINT)
    rest = process.communicate(timeout=SECONDS)[0]
    return process.returncode, rest


def test_builds_serves_announces_and_stops(small_tree):
    process = start(small_tree, "--listen", "127.0.0.1:9999")
    said = read_until(process, "Ctrl-C stops it")
    data = small_tree / "build/example-data"
    assert "deps run\nbuild --without-tests release backplane backplane-keeper\n" in said
    config = small_tree / "examples/site/backplane.toml"
    assert f"serving serve --config {config} --data {data} --listen 127.0.0.1:9999" in said
    assert "Backplane answers at http://127.0.0.1:9999/" in said
    assert f'export PATH="{small_tree}/build/release:$PATH" BACKPLANE_DATA="{data}"' in said
    assert data.stat().st_mode & 0o777 == 0o700  # else the daemon refuses it
    for command in ("devices list", "plugins list", "runs list", "events follow"):
        assert f"backplane {command}" in said
    assert interrupt(process) == (0, "stopped\n")


def test_the_data_folder_may_be_named(small_tree, tmp_path):
    process = start(small_tree, f"--data={tmp_path}/mine")
    assert f"--data {tmp_path}/mine" in read_until(process, "Ctrl-C stops it")
    assert interrupt(process)[0] == 0


def test_the_receiver_lives_as_long_as_the_daemon(small_tree):
    process = start(small_tree)
    log = small_tree / "build/example-data/notifications.log"
    assert f'tail -f "{log}"' in read_until(process, "Ctrl-C stops it")
    wait_for(lambda: log.exists() and "listening on http://127.0.0.1:" in log.read_text())
    receiver = pathlib.Path("/proc") / log.read_text().split()[1]
    assert str(process.pid) in (receiver / "cmdline").read_text().split("\0")
    process.terminate()  # itself alone, unlike Ctrl-C
    process.communicate(timeout=SECONDS)
    wait_for(lambda: not (receiver / "exe").exists())


def test_the_list_of_devices_is_the_users(small_tree):
    mine = small_tree / "build/example-data/devices.csv"
    for _ in range(2):
        process = start(small_tree)
        read_until(process, "Ctrl-C stops it")
        with mine.open("a") as file:
            file.write("02:00:5e:00:53:99\n")
        interrupt(process)
    assert mine.read_text() == (ROOT / "examples/site/devices.csv").read_text() + 2 * "02:00:5e:00:53:99\n"


def test_a_daemon_that_does_not_start_ends_it(small_tree):
    (small_tree / "build/release/backplane").write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    process = start(small_tree)
    assert "no\n" in process.communicate(timeout=SECONDS)[0]
    assert process.returncode == 1


def test_links_are_made_once_and_strangers_left_alone(small_tree, tmp_path):
    links = tmp_path / "links"
    (links / "backplane-keeper").write_text("a stranger")
    for _ in range(2):
        process = start(small_tree, "--link")
        said = read_until(process, "Ctrl-C stops it")
        assert f"left {links}/backplane-keeper alone" in said
        assert interrupt(process)[0] == 0
        assert pathlib.Path(os.readlink(links / "backplane")) == small_tree / "build/release/backplane"
        assert (links / "backplane-keeper").read_text() == "a stranger"
    assert sorted(path.name for path in links.iterdir()) == ["backplane", "backplane-keeper"]
