"""Secrets: what is set comes back to nobody, is in no file, and outlives what happens to the daemon."""
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import select
import signal
import sqlite3
import subprocess

import pytest
import sites

SECRET = "hunter2-" + "correct-horse-battery" * 2
OTHER = "Tr0ub4dor&3-" + "staple" * 5


def set_secret(site, name, value=SECRET):
    done = subprocess.run([str(sites.BIN / "backplane"), "secrets", "set", name, "--data", str(site.data)],
                          input=value + "\n", env=sites.environment(), capture_output=True, text=True,
                          timeout=sites.PATIENCE * 2)
    assert SECRET not in done.stdout + done.stderr, done
    return done


def names(site):
    return [secret["name"] for secret in site.read("/secrets")["secrets"]]


def actions(site):
    return [(entry["actor"], entry["action"], entry["subject"]) for entry in reversed(site.read("/audit")["entries"])]


def traces(folder, *values):
    """Files below `folder` in which one of the values stands, as it is or as base64 or hex."""
    import base64
    forms = [form for value in values for form in
             (value.encode(), base64.b64encode(value.encode()).rstrip(b"=")[:-1], value.encode().hex().encode())]
    found = []
    for path in pathlib.Path(folder).rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and any(form in path.read_bytes() for form in forms):
                found.append(path)
    return found


def opens(site):
    """Whether every secret can be decrypted: a rotation does it with each."""
    return site.post("/secrets/rotate").status == 200


def test_a_secret_is_set_listed_and_removed(site):
    site.start()
    done = set_secret(site, "router/password")
    assert done.returncode == 0 and done.stdout == "router/password is set\n", done
    (site.folder / "value").write_text(OTHER)
    assert site.command("secrets", "set", "b", "--from-file", site.folder / "value").returncode == 0
    listed = site.command("secrets", "list")
    assert listed.returncode == 0 and "router/password" in listed.stdout and "hunter2" not in listed.stdout
    assert site.command("secrets", "remove", "b").returncode == 0
    assert names(site) == ["router/password"]
    gone = site.command("secrets", "remove", "b")
    assert gone.returncode == 1 and "no secret b" in gone.stderr
    assert [action for _, action, _ in actions(site)] == ["secret.set", "secret.set", "secret.remove"]
    shown = site.command("audit", "list", "--action", "secret.set", "--subject", "b")
    assert shown.returncode == 0 and "secret.set" in shown.stdout and "router" not in shown.stdout


def test_a_value_is_never_an_argument(site):
    site.start()
    assert site.command("secrets", "set", "a", SECRET).returncode == 2
    empty = site.command("secrets", "set", "a")
    assert empty.returncode == 1 and "nothing was given" in empty.stderr
    assert "letters" in site.command("secrets", "set", "a b").stderr
    assert names(site) == []


def test_a_value_is_typed_without_echo(site):
    site.start()
    leader, follower = pty.openpty()
    process = subprocess.Popen([str(sites.BIN / "backplane"), "secrets", "set", "typed", "--data", str(site.data)],
                               env=sites.environment(), stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    seen = b""

    def read():
        nonlocal seen
        with contextlib.suppress(OSError):
            if select.select([leader], [], [], 0.1)[0]:
                seen += os.read(leader, 4096)
        return seen
    sites.wait_for(lambda: b"Value of typed:" in read(), lambda: seen)
    os.write(leader, OTHER.encode() + b"\n")
    sites.wait_for(lambda: read() is not None and process.poll() is not None, lambda: seen)
    read()
    os.close(leader)
    assert process.returncode == 0, seen
    assert OTHER.encode() not in seen
    assert names(site) == ["typed"]


def test_no_file_log_or_answer_holds_a_value(site):
    site.configure(options='log_level = "debug"')
    site.start()
    assert set_secret(site, "a").returncode == 0
    answers = [site.request("PUT", "/api/v1/secrets/b", {"value": OTHER}),
               site.request("PUT", "/api/v1/secrets/b", '{"value": "' + OTHER),
               site.request("PUT", "/api/v1/secrets/b%20c", {"value": OTHER}),
               site.request("PUT", "/api/v1/secrets/b", {"value": OTHER, "x": 1}),
               site.request("PUT", "/api/v1/secrets/b", {"value": OTHER * 5000}),
               site.get("/secrets"), site.get("/audit"), site.get("/events"), site.get("/status"), site.get("/secrets/a"),
               site.request("GET", "/metrics"), site.post("/secrets/rotate")]
    assert [answer.status for answer in answers[:5]] == [200, 400, 400, 400, 400]
    for answer in answers:
        assert "hunter2" not in answer.text and OTHER[:12] not in answer.text, answer
    running = traces(site.folder, SECRET, OTHER)
    site.stop()
    assert running == [] and traces(site.folder, SECRET, OTHER) == []


def test_the_database_alone_tells_nothing(site):
    site.start()
    set_secret(site, "a")
    site.stop()
    key = (site.data / "secret.key").read_text().split()[0]
    assert traces(site.data, key) == [site.data / "secret.key"]
    assert (site.data / "secret.key").stat().st_mode & 0o777 == 0o600


def test_the_key_may_lie_elsewhere(site):
    site.configure(options='[secrets]\nkey_file = "elsewhere.key"')
    site.start()
    assert set_secret(site, "a").returncode == 0
    assert (site.folder / "elsewhere.key").exists() and not (site.data / "secret.key").exists()
    site.stop()
    site.start()
    assert opens(site)


@pytest.mark.parametrize("spoil, words", [
    (lambda key: key.unlink(), "there is no such file"),
    (lambda key: (key.unlink(), os.mkfifo(key, 0o600)), "not a regular file"),
    (lambda key: (key.unlink(), key.mkdir()), "not a regular file"),
    (lambda key: key.write_text("b" * 64), "encrypted with the key"),
    (lambda key: key.write_text(""), "holds no key"),
    (lambda key: key.chmod(0o644), "chmod 600"),
], ids=["lost", "pipe", "folder", "another", "empty", "open"])
def test_without_its_key_the_daemon_says_so_and_damages_nothing(site, spoil, words):
    site.plugin("quick", 'open(RESULT, "w").write(row("a", "b"))\n')
    site.start()
    set_secret(site, "a")
    site.stop()
    key = site.data / "secret.key"
    kept = key.read_bytes()
    spoil(key)
    site.start()
    assert words in site.log and str(key) in site.log
    assert site.run("QUICK")["status"] == "ok"
    for answer in (site.request("PUT", "/api/v1/secrets/a", {"value": "x"}),
                   site.request("PUT", "/api/v1/secrets/b", {"value": "x"}), site.post("/secrets/rotate")):
        assert words in sites.refused(answer, 503), answer
    assert words in set_secret(site, "a").stderr
    assert names(site) == ["a"]
    if key.is_dir():
        key.rmdir()
    key.unlink(missing_ok=True)
    key.write_bytes(kept)
    key.chmod(0o600)
    assert opens(site)


def test_a_passphrase_and_a_wrong_one(site):
    passphrase = site.folder / "passphrase"
    passphrase.write_text("correct horse\n")
    passphrase.chmod(0o600)
    site.configure(options='[secrets]\npassphrase_file = "passphrase"')
    site.start()
    assert set_secret(site, "a").returncode == 0
    assert not (site.data / "secret.key").exists()
    site.stop()
    passphrase.write_text("wrong horse!\n")
    site.start()
    assert "not the passphrase" in site.log
    assert "not the passphrase" in sites.refused(site.request("PUT", "/api/v1/secrets/a", {"value": "x"}), 503)
    passphrase.write_text("correct horse\n")
    assert opens(site)
    assert traces(site.data, "correct horse") == []


def test_a_rotation_goes_to_another_key_file(site):
    site.start()
    set_secret(site, "a")
    moved = site.command("secrets", "rotate", "--key-file", site.folder / "new.key")
    assert moved.returncode == 0 and "1 secrets" in moved.stdout and "secrets.key_file" in moved.stderr
    site.stop()
    site.start()
    assert str(site.folder / "new.key") in site.log
    assert site.post("/secrets/rotate").status == 503
    site.stop()
    site.configure(options=f'[secrets]\nkey_file = "{site.folder}/new.key"')
    site.start()
    assert opens(site)


@pytest.mark.parametrize("point", ["vault.set.key_file", "vault.set.inside", "vault.set.after"])
def test_killed_while_the_first_secret_is_set(site, point):
    site.start(BACKPLANE_CRASH_AT=point)
    assert set_secret(site, "a").returncode == 1
    site.stop()
    site.start()
    assert names(site) == (["a"] if point == "vault.set.after" else [])
    assert set_secret(site, "b").returncode == 0
    assert opens(site)


@pytest.mark.parametrize("target", [[], ["--key-file", "new.key"]], ids=["here", "elsewhere"])
@pytest.mark.parametrize("point", ["vault.rotate.key_file", "vault.rotate.inside", "vault.rotate.after"])
def test_killed_during_a_rotation(site, point, target):
    site.start()
    for name in "abc":
        set_secret(site, name)
    site.stop()
    site.start(BACKPLANE_CRASH_AT=point)
    where = [*target[:1], *[str(site.folder / path) for path in target[1:]]]
    assert site.command("secrets", "rotate", *where).returncode == 1
    site.stop()
    if target and point == "vault.rotate.after":
        site.configure(options=f'[secrets]\nkey_file = "{site.folder}/new.key"')
    site.start()
    assert "cannot be read" not in site.log
    assert names(site) == ["a", "b", "c"]
    assert opens(site)


def test_a_changed_row_is_noticed(site):
    site.start()
    set_secret(site, "a")
    set_secret(site, "b")
    site.stop()
    with contextlib.closing(sqlite3.connect(site.data / "backplane.db")) as connection:
        connection.execute("UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE name = 'a') WHERE name = 'b'")
        connection.commit()
    site.start()
    assert "the secret b" in sites.refused(site.post("/secrets/rotate"), 500)
    assert set_secret(site, "b").returncode == 0
    assert opens(site)


def test_the_daemon_leaves_no_core_file(site):
    site.start()
    set_secret(site, "a")
    limits = pathlib.Path(f"/proc/{site.daemon.pid}/limits").read_text()
    assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core")] == [["0", "0"]]
    # What may not be dumped belongs to root in /proc; as root there is no difference to be seen.
    if os.geteuid() != 0:
        assert pathlib.Path(f"/proc/{site.daemon.pid}/environ").stat().st_uid == 0
    site.stop(signal.SIGABRT)
    assert not list(site.folder.rglob("core*")) and traces(site.folder, SECRET) == []


def test_a_plugin_gets_the_secret_that_its_setting_refers_to(site):
    plugin = site.plugin("scan", """\
        import hashlib
        open(RESULT, "w").write(row(hashlib.sha256(sys.argv[1][3:].encode()).hexdigest(), "null"))
        print("done")
        """, command="python3 /app/server/plugins/scan/script.py pw={pw}",
        params=[{"name": "pw", "type": "setting", "value": "SCAN_PASS"}])
    document = json.loads((plugin / "config.json").read_text())
    document["settings"].append(sites.setting("PASS", "string", "", element_options=[{"type": "password"}]))
    (plugin / "config.json").write_text(json.dumps(document))
    other = site.plugin("other", """\
        import json, pathlib
        conf = pathlib.Path(os.environ["NETALERTX_CONFIG"])
        text = "".join(path.read_text() for path in conf.rglob("*") if path.is_file())
        open(RESULT, "w").write(row("leaked" if "hunter2" in text else "nothing", "null"))
        """)
    assert other.exists()
    site.configure(settings='SCAN_PASS = { secret = "router/password" }')
    site.start()
    missing = site.run("SCAN")
    assert missing["status"] == "not_started" and "router/password" in missing["message"], missing
    assert set_secret(site, "router/password").returncode == 0
    run = site.run("SCAN")
    assert run["status"] == "ok", run
    assert site.read("/objects", plugin="SCAN")["objects"][0]["primary"] == hashlib.sha256(SECRET.encode()).hexdigest()
    assert "***" in run["command"] and "hunter2" not in run["command"]
    assert site.run("OTHER")["status"] == "ok"
    assert site.read("/objects", plugin="OTHER")["objects"][0]["primary"] == "nothing"
    reads = site.read("/audit", action="secret.read")["entries"]
    assert [entry["subject"] for entry in reads] == ["router/password"]
    assert traces(site.data, SECRET) == [] and SECRET not in site.log
    by_hand = sites.command("run", plugin, "--config", site.config)
    assert by_hand.returncode == 1 and "--set SCAN_PASS=VALUE" in by_hand.stderr, by_hand
