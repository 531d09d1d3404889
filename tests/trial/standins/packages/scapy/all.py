"""As much as a plugin needs that looks for the default gateway and asks for its MAC address."""
import types

ROUTER_IP, ROUTER_MAC = "192.0.2.1", "02:00:00:50:00:fe"

# destination, mask, gateway, interface, own address, metric
conf = types.SimpleNamespace(route=types.SimpleNamespace(routes=[
    (0xc0000200, 0xffffff00, "0.0.0.0", "eth0", "192.0.2.2", 0), (0, 0, ROUTER_IP, "eth0", "192.0.2.2", 0)]))


class Ether:
    def __init__(self, dst):
        self.dst = dst

    def __truediv__(self, layer):
        return layer


class ARP:
    def __init__(self, pdst):
        self.pdst = pdst


def srp(packet, timeout=None, verbose=None):
    """(answered, unanswered), where answered are pairs of question and answer."""
    if packet.pdst != ROUTER_IP:
        return [], [packet]
    return [(packet, types.SimpleNamespace(hwsrc=ROUTER_MAC, psrc=ROUTER_IP))], []
