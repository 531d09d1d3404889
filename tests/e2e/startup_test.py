"""How the daemon starts, refuses to start, and ends."""
import contextlib
import signal
import socket
import sqlite3
import stat

import pytest
import sites


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def refusal(site, *words, **how):
    """What a daemon says that does not start; it must name all `words`."""
    daemon = site.spawn(**how)
    try:
        assert daemon.wait(sites.PATIENCE) == 1, site.log
    finally:
        site.stop()
    last = site.log.splitlines()[-1]
    for word in words:
        assert str(word) in last, site.log
    return last


def test_the_data_folder_is_its_owners_alone(site):
    site.plugin("quick", 'open(RESULT, "w").write(row("a", "b"))\n')
    site.start()
    site.run("QUICK")
    assert mode(site.data) == 0o700
    assert mode(site.data / "token") == 0o600 and mode(site.data / "api.sock") == 0o600
    assert mode(site.data / "runs") == 0o700 and mode(site.data / "keeper") == 0o700
    assert len(site.token) == 64
    host, port = site.address
    assert host == "127.0.0.1" and port > 0
    assert site.request("GET", "/api/v1/status", tcp=True).json["pid"] == site.daemon.pid


def test_the_token_outlives_the_daemon(site):
    site.start()
    token = site.token
    site.stop()
    site.start()
    assert site.token == token


def test_a_data_folder_that_others_may_enter_is_refused(site):
    site.data.mkdir()
    site.data.chmod(0o755)
    refusal(site, site.data, "chmod 700")
    assert mode(site.data) == 0o755 and list(site.data.iterdir()) == []


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_on_a_signal(site, with_signal):
    site.plugin("hangs", "import time\ntime.sleep(100000)\n")
    site.start()
    run = site.launch("HANGS")
    assert site.stop(with_signal) == 0
    assert f"stopping on {with_signal.name}" in site.log and site.log.rstrip().endswith("stopped")
    assert not sites.processes_of(site.data)
    site.start()
    ended = site.read(f"/runs/{run}")
    assert ended["status"] == "cancelled" and ended["finished"]


def test_a_second_daemon_on_a_folder_is_refused(site):
    site.start()
    second = sites.command("serve", "--config", site.config, "--data", site.data, "--listen", "127.0.0.1:0")
    assert second.returncode == 1
    assert second.stderr.strip().endswith(f"another daemon runs on {site.data}")
    assert site.read("/status")["pid"] == site.daemon.pid


@pytest.mark.parametrize("listen, words", [
    ("example.org:80", "is no IP address"), ("127.evil.example:0", "is no IP address"),
    ("127.0.0.1", "is not ADDRESS:PORT"), ("127.0.0.1:http", "the port"), ("127.0.0.1:70000", "the port"),
    ("", "is not ADDRESS:PORT"),
])
def test_what_is_no_address_is_refused(site, listen, words):
    assert words in refusal(site, listen, listen=listen)
    assert not site.data.exists()


def test_ipv6_loopback_is_listened_on(site):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    site.start(listen="[::1]:0")
    assert site.address[0] == "::1"
    assert site.request("GET", "/api/v1/status", headers={"Host": f"[::1]:{site.address[1]}"}, tcp=True).status == 200


def test_a_taken_port_is_named(site):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refusal(site, f"127.0.0.1:{port}", "another server is listening", listen=f"127.0.0.1:{port}")
    assert not sites.processes_of(site.data)


def test_a_socket_file_of_a_dead_daemon_is_no_hindrance(site):
    site.start()
    site.stop(signal.SIGKILL)
    assert (site.data / "api.sock").exists()
    site.start()
    assert site.read("/status")["pid"] == site.daemon.pid


def test_a_file_that_is_no_database_is_left_alone(site):
    site.data.mkdir(mode=0o700)
    database = site.data / "backplane.db"
    content = b"this is my diary\n" * 1000
    database.write_bytes(content)
    assert "not a database" in refusal(site, database)
    assert database.read_bytes() == content
    assert not sites.processes_of(site.data)


def test_a_torn_database_is_told(site):
    site.plugin("quick", 'open(RESULT, "w").write(row("a", "b"))\n')
    site.start()
    site.run("QUICK")
    site.stop()
    database = site.data / "backplane.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = database.read_bytes()
    torn = content[:100] + bytes(len(content) - 100)
    database.write_bytes(torn)
    refusal(site, database)
    assert database.read_bytes()[:len(torn)] == torn


def test_the_database_of_a_later_version_is_refused(site):
    site.start()
    site.stop()
    database = site.data / "backplane.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO schema_version (number, title) VALUES (1000000, 'from the future')")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = database.read_bytes()
    assert "newer" in refusal(site, database)
    assert database.read_bytes() == content


def test_a_data_folder_that_cannot_be_made_is_named(site):
    (site.folder / "data").write_text("a file")
    refusal(site, site.data)


def test_a_wrong_configuration_is_named(site):
    site.configure(options='log_level = "loud"')
    refusal(site, f"{site.config}:2", "log_level", "loud")


def test_broken_plugins_do_not_keep_the_daemon_from_starting(site):
    site.plugin("good", 'open(RESULT, "w").write(row("a", "b"))\n')
    broken = site.plugin("broken", "")
    (broken / "config.json").write_text("{")
    site.start()
    plugins = site.read("/plugins")
    assert [plugin["id"] for plugin in plugins["plugins"]] == ["netalertx:GOOD"]
    assert [finding["file"] for finding in plugins["findings"]] == [str(broken / "config.json")]
    assert str(broken / "config.json") in site.log
    assert site.run("GOOD")["status"] == "ok"


def test_options_come_from_file_environment_and_command_line_in_this_order(site):
    site.configure(options='listen = "127.0.0.3:0"\nruns.workers = 3')
    site.start(listen="127.0.0.2:0", BACKPLANE_LISTEN="127.0.0.4:0")
    assert site.address[0] == "127.0.0.2"


def test_what_is_due_at_the_start_runs_then(site):
    site.plugin("once", 'open(RESULT, "w").write(row("a", "b"))\n', run="once")
    site.plugin("scheduled", 'open(RESULT, "w").write(row("a", "b"))\n', run="schedule")
    site.plugin("never", "")
    site.configure(run_at_start=True)
    site.start()

    def runs():
        return {run["plugin"]: run["trigger"] for run in site.read("/runs")["runs"]}
    sites.wait_for(lambda: len(runs()) >= 2, "the runs at the start")
    assert runs() == {"netalertx:ONCE": "start", "netalertx:SCHEDULED": "start"}
    assert site.read("/plugins/SCHEDULED")["next_run"].endswith("-01-01T00:00:00.000Z")
