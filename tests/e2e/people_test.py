"""People who share an installation: the first run, sessions, tokens, organisations, and listening elsewhere."""
import http.client
import json
import os
import pty
import socket
import subprocess

import pytest
import sites
from sites import refused

PASSWORD = "correct horse battery"


def add_user(site, name, role="admin", *more, password=PASSWORD):
    done = subprocess.run([str(sites.BIN / "backplane"), "users", "add", name, "--role", role, "--password-stdin", *more,
                           "--data", str(site.data)], input=password + "\n", env=sites.environment(),
                          capture_output=True, text=True, timeout=sites.PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def enter(site, path, body, **headers):
    return site.request("POST", f"/api/v1{path}", body, {"Authorization": None} | headers)


def sign_in(site, user, password=PASSWORD, **more):
    return enter(site, "/session", {"user": user, "password": password} | more)


class Session:
    """A browser that has signed in."""

    def __init__(self, site, answer):
        assert answer.status == 201, answer
        self.site = site
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        self.csrf = answer.json["csrf"]

    def __call__(self, method, path, body=None, **headers):
        ours = {"Authorization": None, "Cookie": self.cookie, "X-Backplane-CSRF": self.csrf}
        return self.site.request(method, f"/api/v1{path}", body, ours | headers)


def with_token(site, token, path, method="GET"):
    return site.request(method, f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})


def test_the_first_run_from_the_page(site):
    site.start()
    file = site.data / "setup-token"
    token = file.read_text().strip()
    assert token in site.log and oct(file.stat().st_mode & 0o777) == "0o600"
    refused(enter(site, "/setup", {"token": "0" * len(token), "user": "alice", "password": PASSWORD}), 403, "token")
    alice = Session(site, enter(site, "/setup", {"token": token, "user": "alice", "password": PASSWORD}))
    assert not file.exists()
    refused(enter(site, "/setup", {"token": token, "user": "eve", "password": PASSWORD}), 403)
    assert alice("GET", "/users").json["users"][0]["user"] == "alice"
    site.stop()
    site.start()
    assert not file.exists() and "nobody can sign in yet" not in site.log.split("stopped")[-1]
    assert alice("GET", "/session").json["user"] == "alice"  # sessions survive a restart
    assert PASSWORD not in site.log


def test_the_first_run_from_a_shell(site):
    site.start()
    assert (site.data / "setup-token").exists()
    assert "alice can sign in, as admin" in add_user(site, "alice")
    assert not (site.data / "setup-token").exists()
    assert Session(site, sign_in(site, "alice"))("GET", "/session").json["actor"] == "user:alice"
    listed = site.command("users", "list")
    assert listed.returncode == 0 and "alice" in listed.stdout and "argon2" not in listed.stdout


def test_passwords_are_asked_for_without_echo(site):
    site.start()
    master, slave = pty.openpty()
    process = subprocess.Popen([str(sites.BIN / "backplane"), "users", "add", "alice", "--role", "admin", "--data",
                                str(site.data)], env=sites.environment(), stdin=slave, stdout=slave, stderr=slave,
                               start_new_session=True)
    os.close(slave)
    seen = b""

    def shown(word):
        nonlocal seen
        while word not in seen:
            seen += os.read(master, 4096)
    shown(b"Password of alice: ")
    os.write(master, PASSWORD.encode() + b"\n")
    shown(b"The same again: ")
    os.write(master, PASSWORD.encode() + b"\n")
    shown(b"can sign in")
    assert process.wait(sites.PATIENCE) == 0
    os.close(master)
    assert PASSWORD.encode() not in seen
    # Without a terminal it has to be said that it comes from standard input.
    done = site.command("users", "add", "bob")
    assert done.returncode == 1 and "--password-stdin" in done.stderr


@pytest.fixture(scope="module")
def team(module_site):
    module_site.start()
    add_user(module_site, "alice")
    add_user(module_site, "olive", "operator")
    add_user(module_site, "vic", "viewer")
    return module_site


def test_a_session_needs_its_header_and_ends(team):
    olive = Session(team, sign_in(team, "olive"))
    refused(olive("DELETE", "/session", **{"X-Backplane-CSRF": None}), 403)
    refused(olive("GET", "/users"), 403)
    assert olive("GET", "/devices").status == 200
    assert len(olive("GET", "/sessions").json["sessions"]) == 1
    assert olive("DELETE", "/session").status == 200
    refused(olive("GET", "/devices"), 401)


def test_an_admin_ends_the_sessions_of_others(team):
    vic = Session(team, sign_in(team, "vic"))
    session = vic("GET", "/session").json["session"]
    assert team.request("DELETE", f"/api/v1/sessions/{session}").status == 200
    refused(vic("GET", "/devices"), 401)


def test_tokens_do_what_their_scopes_say_until_they_are_removed(team):
    made = team.command("tokens", "add", "ci", "--user", "alice", "--scope", "read", "--expires", "30d", "--json")
    assert made.returncode == 0, made.stderr
    token = json.loads(made.stdout)
    assert with_token(team, token["token"], "/devices").status == 200
    refused(with_token(team, token["token"], "/users"), 403)
    as_ci = team.command("users", "list", BACKPLANE_TOKEN=token["token"])
    assert as_ci.returncode == 1 and "token:alice/ci has read" in as_ci.stderr
    assert team.command("devices", "list", BACKPLANE_TOKEN=token["token"]).returncode == 0
    listed = team.command("tokens", "list")
    assert "ci" in listed.stdout and token["token"].split("_")[2] not in listed.stdout
    assert team.command("tokens", "remove", token["id"]).returncode == 0
    refused(with_token(team, token["token"], "/devices"), 401)


def test_users_are_changed_and_removed_by_commands(team):
    add_user(team, "bob", "viewer")
    bob = Session(team, sign_in(team, "bob"))
    assert team.command("users", "edit", "bob", "--role", "operator").returncode == 0
    assert "operate" in bob("GET", "/session").json["permissions"]
    assert team.command("users", "edit", "bob", "--disable").returncode == 0
    refused(bob("GET", "/session"), 401)
    refused(sign_in(team, "bob"), 401)
    assert team.command("users", "remove", "bob").returncode == 0
    gone = team.command("users", "remove", "bob")
    assert gone.returncode == 1 and "no user bob" in gone.stderr
    log = team.command("audit", "list", "--subject", "bob")
    assert "user.add" in log.stdout and "user.remove" in log.stdout and "local" in log.stdout


def test_weak_passwords_are_refused(team):
    for password, words in (("short", "too short"), ("long-enough", "the user's name")):
        done = subprocess.run([str(sites.BIN / "backplane"), "users", "add", "long-enough", "--password-stdin", "--data",
                               str(team.data)], input=password, env=sites.environment(), capture_output=True, text=True,
                              timeout=sites.PATIENCE)
        assert done.returncode == 1 and words in done.stderr, done.stderr


def test_guesses_have_to_wait_and_the_local_token_has_not(team):
    # Each address of a proxy's client is one of its own, so that only the account is slowed down here.
    answers = [sign_in(team, "olive", "wrong password").status for _ in range(7)]
    assert answers[:5] == [401] * 5 and 429 in answers
    answer = sign_in(team, "olive")
    refused(answer, 429)
    assert int(answer.headers["Retry-After"]) >= 1
    assert team.get("/status").status == 200


def test_teams_do_not_see_each_other(team):
    assert team.command("orgs", "add", "second").returncode == 0
    add_user(team, "bea", "admin", "--org", "second")
    bea = Session(team, sign_in(team, "bea", org="second"))
    assert [user["user"] for user in bea("GET", "/users").json["users"]] == ["bea"]
    assert bea("GET", "/devices").json["devices"] == []
    assert bea("GET", "/plugins").json["plugins"] == []
    refused(bea("GET", "/users?org=default"), 404)
    refused(bea("POST", "/orgs", {"name": "third"}), 403)


def test_many_who_sign_in_at_once_all_get_in_or_are_told_to_wait(team):
    connections = []
    body = json.dumps({"user": "vic", "password": PASSWORD})
    for _ in range(40):
        connection = sites.UnixConnection(team.data / "api.sock", sites.PATIENCE)
        connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
        connections.append(connection)
    statuses = {connection.getresponse().status for connection in connections}
    assert 201 in statuses and statuses <= {201, 429, 503}


def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return probe.getsockname()[0]


def test_other_addresses_need_an_admin(site):
    process = site.spawn(listen="0.0.0.0:0")
    assert process.wait(sites.PATIENCE) == 1
    site.daemon = None
    assert "there is no admin yet" in site.log
    site.start()
    add_user(site, "alice", "viewer")
    site.stop()
    assert site.spawn(listen="0.0.0.0:0").wait(sites.PATIENCE) == 1
    site.daemon = None
    site.start()
    add_user(site, "ada")
    site.stop()

    address = own_address()
    site.configure(options='hosts = "backplane.example.org"')
    site.start(listen="0.0.0.0:0")
    port = site.address[1]

    def status(host, token):
        connection = http.client.HTTPConnection(address, port, timeout=sites.PATIENCE)
        connection.request("GET", "/api/v1/status", headers={"Host": host, "Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    assert status("backplane.example.org", site.token) == 200
    assert status("backplane.example.org", "wrong") == 401
    assert status(f"{address}:{port}", site.token) == 403  # not among `hosts`
