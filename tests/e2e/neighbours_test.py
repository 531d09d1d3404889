"""The example scanner on a real network: hosts in network namespaces, joined by a bridge."""
import json
import os
import subprocess

import pytest
import sites

HOSTS = 5
OWN = "10.213.0.100"
# Sends each host something, so that the kernel asks for its MAC address.
GREET = "import socket\nfor i in range(1, {count} + 1):\n" \
        "    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', (f'10.213.0.{{i}}', 9))\n"


def ip(*arguments):
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=sites.PATIENCE).stdout


class Network:
    """A bridge in a namespace of its own, to which the hosts' and the daemon's namespaces are linked."""

    def __init__(self):
        self.mark = f"bp{os.getpid()}"
        self.switch = f"{self.mark}-switch"
        self.daemon = f"{self.mark}-daemon"
        self.made = []
        self.hosts = {}  # MAC address → IP address

    def build(self):
        self.namespace(self.switch)
        ip("-n", self.switch, "link", "add", "bridge", "type", "bridge")
        ip("-n", self.switch, "link", "set", "bridge", "up")
        for i in range(1, HOSTS + 1):
            mac = self.join(f"{self.mark}-host{i}", i, f"10.213.0.{i}")
            self.hosts[mac] = f"10.213.0.{i}"
        self.own_mac = self.join(self.daemon, 0, OWN)

    def namespace(self, name):
        ip("netns", "add", name)
        self.made.append(name)
        # Nobody but us and the hosts may speak, and only when greeted.
        subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                        "net.ipv6.conf.default.disable_ipv6=1"], check=True, capture_output=True)

    def join(self, name, number, address):
        self.namespace(name)
        mac = f"02:bb:00:00:00:{number:02x}"
        port = f"port{number}"
        ip("-n", self.switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "address", mac, "netns", name)
        ip("-n", self.switch, "link", "set", port, "master", "bridge", "up")
        ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            ip("-n", name, "link", "set", link, "up")
        return mac

    def greet(self):
        subprocess.run(["ip", "netns", "exec", self.daemon, "/usr/bin/python3", "-c", GREET.format(count=HOSTS)], check=True,
                       capture_output=True, timeout=sites.PATIENCE)

    def known(self):
        return {entry["lladdr"] for entry in json.loads(ip("-n", self.daemon, "-j", "neigh", "show") or "[]")
                if "lladdr" in entry}

    def remove(self):
        for name in reversed(self.made):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=sites.PATIENCE)


def cannot_have_namespaces():
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    name = f"bp{os.getpid()}-probe"
    try:
        tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    except OSError as error:
        return f"needs the command ip: {error}"
    if tried.returncode == 0:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True)
        return None
    return f"no network namespaces on this machine: {tried.stderr.strip()}"


@pytest.fixture
def network():
    if reason := cannot_have_namespaces():
        pytest.skip(f"THE SCANNER WAS NOT TRIED ON A REAL NETWORK: {reason}")
    network = Network()
    try:
        network.build()
        yield network
    finally:
        network.remove()


def test_the_scanner_finds_exactly_the_hosts_that_are_there(site, network):
    def all_known():
        network.greet()
        return network.known() == set(network.hosts)
    sites.wait_for(all_known, lambda: f"the kernel knows all hosts: {network.known()}")

    sites.copy_plugin(sites.EXAMPLES / "neighbours", site.plugins)
    site.configure(run_at_start=True)
    site.start(prefix=["ip", "netns", "exec", network.daemon])
    devices = sites.wait_for(site.devices, lambda: f"devices appear: {site.read('/runs')}", seconds=10)
    site.folded()
    run = site.ended(site.read("/runs")["runs"][-1]["id"])
    assert (run["status"], run["trigger"], run["refused"]) == ("ok", "start", 0), run

    devices = site.devices()
    assert {device["mac"]: device["ip"] for device in devices} == network.hosts | {network.own_mac: OWN}
    assert len(site.events(topic="device.new")) == HOSTS + 1
    table = site.command("devices", "list").stdout
    for mac, address in network.hosts.items():
        assert mac in table and address in table


def test_a_host_that_goes_and_comes(site, network):
    sites.copy_plugin(sites.EXAMPLES / "neighbours", site.plugins)
    site.configure(settings='NEIGHSCAN_own = false\nNEIGHSCAN_RUN = "disabled"')
    site.start(prefix=["ip", "netns", "exec", network.daemon])
    assert site.run("NEIGHSCAN")["taken"] == 0  # nobody was greeted yet

    def all_known():
        network.greet()
        return network.known() == set(network.hosts)
    sites.wait_for(all_known, "the kernel knows all hosts")
    site.run("NEIGHSCAN")
    assert {device["mac"]: device["ip"] for device in site.devices()} == network.hosts

    gone = "02:bb:00:00:00:03"
    ip("-n", network.daemon, "neigh", "del", network.hosts[gone], "dev", "eth0")
    site.run("NEIGHSCAN")
    status = {one["primary"]: one["status"] for one in site.read("/objects", plugin="NEIGHSCAN", limit=10)["objects"]}
    assert status.pop(gone) == "missing" and set(status) == set(network.hosts) - {gone}
    assert "missing" not in status.values()
    assert len(site.devices()) == HOSTS  # a device that is away is still a device
