"""CPU, memory and interface counters of the machine that it runs on, from /proc."""
import socket

from yahoo_panoptes.framework.metrics import (
    PanoptesMetric,
    PanoptesMetricDimension,
    PanoptesMetricsGroup,
    PanoptesMetricsGroupSet,
    PanoptesMetricType,
)
from yahoo_panoptes.polling.polling_plugin import PanoptesPollingPlugin, PanoptesPollingPluginError

CPU_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
MEMORY_FIELDS = {"MemTotal": "total_kb", "MemAvailable": "available_kb", "SwapTotal": "swap_total_kb",
                 "SwapFree": "swap_free_kb"}
# Columns of /proc/net/dev: what is received, then what is sent.
INTERFACE_COLUMNS = {0: ("bits_in", 8), 1: ("packets_in", 1), 2: ("errors_in", 1), 3: ("discards_in", 1),
                     8: ("bits_out", 8), 9: ("packets_out", 1), 10: ("errors_out", 1), 11: ("discards_out", 1)}


def is_this_machine(address):
    """Only an address of this machine can be bound."""
    for family, kind, protocol, _, target in socket.getaddrinfo(address, 0, type=socket.SOCK_DGRAM):
        with socket.socket(family, kind, protocol) as probe:
            try:
                probe.bind(target)
                return True
            except OSError:
                continue
    return False


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read().splitlines()


def cpu():
    """Seconds are hundredths here, as the kernel counts them."""
    ticks = read("/proc/stat")[0].split()[1:]
    return {name: int(value) for name, value in zip(CPU_FIELDS, ticks)}


def memory():
    values = dict(line.split(":", 1) for line in read("/proc/meminfo"))
    return {ours: int(values[theirs].split()[0]) for theirs, ours in MEMORY_FIELDS.items() if theirs in values}


def interfaces():
    for line in read("/proc/net/dev")[2:]:
        name, _, columns = line.partition(":")
        columns = columns.split()
        yield name.strip(), {metric: int(columns[at]) * factor for at, (metric, factor) in INTERFACE_COLUMNS.items()}


class PluginPollingLinuxHost(PanoptesPollingPlugin):
    def run(self, context):
        resource = context.data
        interval = int(context.config["main"]["execute_frequency"])
        if not is_this_machine(resource.resource_endpoint):
            raise PanoptesPollingPluginError(f"{resource.resource_endpoint} is not an address of this machine")

        def group(kind, values, metric_type, **dimensions):
            made = PanoptesMetricsGroup(resource, kind, interval)
            for name, value in dimensions.items():
                made.add_dimension(PanoptesMetricDimension(name, value))
            for name, value in values.items():
                made.add_metric(PanoptesMetric(name, value, metric_type))
            return made

        groups = PanoptesMetricsGroupSet()
        groups.add(group("cpu", cpu(), PanoptesMetricType.COUNTER))
        load = dict(zip(("load_1", "load_5", "load_15"), map(float, read("/proc/loadavg")[0].split()[:3])))
        groups.add(group("load", load, PanoptesMetricType.GAUGE))
        groups.add(group("memory", memory(), PanoptesMetricType.GAUGE))
        for name, counters in interfaces():
            groups.add(group("interface", counters, PanoptesMetricType.COUNTER, interface_name=name))
        context.logger.info("polled %s: %d groups", resource.resource_endpoint, len(groups))
        return groups
