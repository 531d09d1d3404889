"""A whole site in one file, and back."""
import json
import shutil
import sqlite3
import subprocess
import threading

import sites

SCANNER = """
with open(RESULT, "w") as out:
    out.write(row("aa:bb:cc:00:00:01", "10.0.0.1", "printer", "Acme"))
"""


def backup(site, *options, name="site.tar.zst"):
    file = site.folder / name
    return file, site.command("backup", file, *options)


def restored(site, file, *options):
    other = sites.Site(site.folder / "other")
    other.config.write_text(site.config.read_text())
    done = sites.command("restore", file, "--data", other.data, *options)
    return other, done


def test_what_the_site_knew_is_known_again(site):
    """Devices, runs with their logs, settings, people, secrets and the approval of plugins."""
    site.plugin("scan", SCANNER + "print('seen by the run')", devices=True)
    site.configure(trust="review")
    site.start()
    assert site.command("plugins", "approve", "SCAN", "--yes").returncode == 0
    run = site.run("SCAN")["id"]
    device = site.devices()[0]["id"]
    site.patch(f"/devices/{device}", {"set": {"owner": "me"}})
    assert subprocess.run([str(sites.BIN / "backplane"), "secrets", "set", "router/password", "--data", site.data],
                          input="hunter2\n", text=True, env=sites.environment(), capture_output=True).returncode == 0
    before = site.device(device)
    file, done = backup(site, "--config", site.config)
    assert done.returncode == 0, done.stderr
    assert "key of the secrets" in done.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    site.stop()

    checked = sites.command("restore", file, "--verify")
    assert checked.returncode == 0 and "is whole" in checked.stdout, checked.stderr
    other, done = restored(site, file)
    assert done.returncode == 0, done.stderr
    assert (other.data / "site.toml").read_text() == site.config.read_text()
    assert not (other.data / "token").exists()
    try:
        other.start()
        assert other.device(device) == before
        assert other.read(f"/runs/{run}")["status"] == "ok"
        assert "seen by the run" in other.get(f"/runs/{run}/log").text
        assert [one["name"] for one in other.read("/secrets")["secrets"]] == ["router/password"]
        assert other.run("SCAN")["status"] == "ok"  # nobody has to approve it again
        assert "secrets cannot be read" not in other.log
    finally:
        other.close()


def test_it_is_consistent_while_the_site_works(site):
    """Every backup of a busy site restores to a store that its own journal gives again."""
    site.plugin("scan", """
        import random
        with open(RESULT, "w") as out:
            for i in range(300):
                out.write(row(f"aa:bb:cc:00:{i // 256:02x}:{i % 256:02x}", f"10.0.{i // 256}.{i % 256}",
                              str(random.random()), "Acme"))
        """, devices=True, always=["devName"])
    site.start()
    busy = threading.Event()

    def work():
        while not busy.is_set():
            site.run("SCAN")

    worker = threading.Thread(target=work)
    worker.start()
    try:
        files = [backup(site, name=f"{i}.tar.zst") for i in range(3)]
    finally:
        busy.set()
        worker.join()
    for i, (file, done) in enumerate(files):
        assert done.returncode == 0, done.stderr
        data = site.folder / f"data{i}"
        assert sites.command("restore", file, "--data", data).returncode == 0
        checked = sites.command("check", "--replay", "--data", data)
        assert checked.returncode == 0, checked.stderr


def test_the_key_may_stay_behind(site):
    site.start()
    subprocess.run([str(sites.BIN / "backplane"), "secrets", "set", "a", "--data", site.data], input="b\n", text=True,
                   env=sites.environment(), capture_output=True, check=True)
    file, done = backup(site, "--without-key", "--json")
    assert json.loads(done.stdout)["files"] > 0
    other, done = restored(site, file)
    assert "put secret.key into the folder" in done.stdout
    assert not (other.data / "secret.key").exists()
    shutil.copy(site.data / "secret.key", other.data)
    try:
        other.start()
        assert "secrets cannot be read" not in other.log
    finally:
        other.close()


def test_what_is_not_whole_is_refused_and_nothing_is_made(site):
    site.start()
    site.stop()
    file, done = backup(site)
    assert done.returncode == 0, done.stderr
    content = file.read_bytes()
    cut = site.folder / "cut.tar.zst"
    cut.write_bytes(content[:len(content) // 2])
    text = site.folder / "text"
    text.write_text("no backup")
    for bad in (cut, text):
        for options in (["--verify"], ["--data", site.folder / "made"]):
            done = sites.command("restore", bad, *options)
            assert done.returncode == 1 and bad.name in done.stderr, done
    assert not (site.folder / "made").exists()


def test_an_empty_folder_is_filled(site):
    """It may be a file system of its own, which can be neither removed nor renamed."""
    site.start()
    site.stop()
    file, done = backup(site)
    empty = site.folder / "empty"
    empty.mkdir(mode=0o700)
    inode = empty.stat().st_ino
    done = sites.command("restore", file, "--data", f"{empty}/")
    assert done.returncode == 0, done.stderr
    assert empty.stat().st_ino == inode and (empty / "backplane.db").exists()
    assert not list(empty.glob(".restoring*"))


def test_nothing_is_overwritten(site):
    site.start()
    file, done = backup(site)
    assert done.returncode == 0
    again = site.command("backup", file)
    assert again.returncode == 1 and "File exists" in again.stderr, again.stderr
    over = sites.command("restore", file, "--data", site.data)
    assert over.returncode == 1 and "not empty" in over.stderr, over.stderr
    assert sites.command("backup", site.folder / "x", "--data", site.folder / "nowhere").returncode == 1
    with sqlite3.connect(site.data / "backplane.db") as store:  # it is as it was
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
