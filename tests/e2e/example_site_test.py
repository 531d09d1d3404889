"""The example site's importer, name finder and publisher: a new device leads to a delivered notification."""
import re
import shutil
import subprocess
import sys

import pytest
import sites

EXAMPLE = sites.ROOT / "examples/site"
LISTED = {  # MAC address → IP address and name
    "02:00:5e:00:53:01": ("198.51.100.1", "example-router"), "02:00:5e:00:53:02": ("198.51.100.2", "example-switch"),
    "02:00:5e:00:53:10": ("198.51.100.10", "example-printer")}
NOTIFICATION = re.compile(r"^[0-9:]{8} notification (\S+), signature valid$", re.MULTILINE)


class Receiver:
    """The example's receiver, at a free port."""

    def __init__(self, folder):
        self.log = folder / "notifications.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen([sys.executable, EXAMPLE / "webhook_receiver.py", "--port=0"], stdout=out,
                                            stderr=subprocess.STDOUT)
        found = sites.wait_for(lambda: re.search(r"http://\S+", self.log.read_text()), "the receiver listens")
        self.url = found.group()

    def notifications(self, about=""):
        """[(guid, text)] of those whose text holds `about`."""
        _, *parts = NOTIFICATION.split(self.log.read_text())
        return [(guid, text) for guid, text in zip(parts[::2], parts[1::2]) if about in text]

    def stop(self):
        self.process.terminate()
        self.process.wait(sites.PATIENCE)


@pytest.fixture
def receiver(tmp_path):
    one = Receiver(tmp_path)
    yield one
    one.stop()


@pytest.fixture
def example(tmp_path, receiver):
    """The example site, as scripts/run starts it, with a receiver and a list of devices of its own."""
    site = sites.Site(tmp_path / "site")
    site.config = shutil.copytree(EXAMPLE, tmp_path / "example") / "backplane.toml"
    text = site.config.read_text()
    assert text.count('"http://127.0.0.1:8701/"') == 1
    site.config.write_text(text.replace("http://127.0.0.1:8701/", receiver.url))
    site.list = tmp_path / "example/devices.csv"
    site.hosts = tmp_path / "hosts"
    site.hosts.write_text("198.51.100.99 coffee.example\n")
    site.start()
    for setting in (f'CSVIMPORT_paths=["{site.list}"]', f"HOSTSNAMES_file={site.hosts}"):
        done = site.command("settings", "set", setting)
        assert done.returncode == 0, done
    yield site
    site.close()


def add(site, line):
    """As the README says: a line more, and a run."""
    with site.list.open("a") as file:
        file.write(line + "\n")
    done = site.command("plugins", "run", "CSVIMPORT")
    assert done.returncode == 0, done


def told(site, receiver, mac):
    """The notifications about that device, as soon as there is one."""
    return sites.wait_for(lambda: receiver.notifications(mac), lambda: f"{mac} is told: {receiver.log.read_text()}\n"
                          f"{site.read('/runs')}\n{site.log}")


def test_a_new_device_leads_to_a_delivered_notification(example, receiver):
    done = example.command("plugins", "run", "CSVIMPORT")
    assert done.returncode == 0, done
    told(example, receiver, "02:00:5e:00:53:01")
    devices = {device["mac"]: device for device in example.devices()}
    for mac, (ip, name) in LISTED.items():
        assert (devices[mac]["ip"], devices[mac]["name"]) == (ip, name)
    printer = example.device(devices["02:00:5e:00:53:10"]["id"])
    assert (printer["site"], printer["parent"], printer["vlan"]) == ("Office", "02:00:5e:00:53:02", "20")

    # It has no name in the list, but one in the file of hosts.
    add(example, "02:00:5e:00:53:99,198.51.100.99,,Example Kitchen,Appliance,Office,,,")
    (_, text), = told(example, receiver, "02:00:5e:00:53:99")
    assert "coffee.example" in text and "Example Kitchen" in text
    event, = [one for one in example.events(topic="device.new") if "02:00:5e:00:53:99" in str(one)]

    # What is told is told once: the next notification is about the next device alone.
    add(example, "02:00:5e:00:53:98,198.51.100.98,kettle,Example Kitchen,Appliance,Office,,,")
    (_, text), = told(example, receiver, "02:00:5e:00:53:98")
    assert "02:00:5e:00:53:99" not in text
    assert len(receiver.notifications("02:00:5e:00:53:99")) == 1
    guids = [guid for guid, _ in receiver.notifications()]
    assert len(guids) == len(set(guids))
    listed = example.command("notifications", "list")
    assert listed.returncode == 0 and "HOOK" in listed.stdout and "sent" in listed.stdout, listed


def test_a_receiver_that_refuses_is_told(example, receiver):
    receiver.stop()
    example.command("plugins", "run", "CSVIMPORT")

    def failed():
        return [run for run in example.read("/runs", plugin="HOOK")["runs"] if run["status"] == "failed"]
    run = sites.wait_for(failed, lambda: f"the publisher fails: {example.read('/runs')}")[0]
    assert "no answer" in example.command("runs", "show", run["id"]).stdout
