"""scripts/trial with the program itself, on definitions laid out as the ecosystem ships its own."""
import re
import subprocess
import textwrap

import pytest
import sites

DISCOVERY = """\
    import json, os
    from yahoo_panoptes.discovery.panoptes_discovery_plugin import PanoptesDiscoveryPlugin
    from yahoo_panoptes.framework.resources import PanoptesResource, PanoptesResourceSet

    class Find(PanoptesDiscoveryPlugin):
        def run(self, context):
            found = PanoptesResourceSet()
            with open(context.config["main"]["config_file"]) as file:
                for given in json.load(file):
                    found.add(PanoptesResource.resource_from_dict(given))
            return found
"""
POLLING = """\
    from yahoo_panoptes.framework.metrics import *
    from yahoo_panoptes.polling.polling_plugin import PanoptesPollingPlugin

    class Poll(PanoptesPollingPlugin):
        def run(self, context):
            assert context.data.resource_metadata["model"] == "X1"
            group = PanoptesMetricsGroup(context.data, "status", 60)
            group.add_metric(PanoptesMetric("up", 1, PanoptesMetricType.GAUGE))
            groups = PanoptesMetricsGroupSet()
            groups.add(group)
            return groups
"""
SHIPPED = """\
    [Core]
    Name = {name}
    Module = {module}
    [Documentation]
    Version = 0.1
    [main]
    execute_frequency = 60
    """


@pytest.fixture
def shipped(tmp_path):
    """plugins/<type>/... with `.example` definitions whose paths lead nowhere on this machine."""
    plugins = tmp_path / "plugins"
    for kind, module, code, more in (
            ("discovery", "find", DISCOVERY, "config_file = /nowhere/conf/list.json\n"),
            ("polling", "poll", POLLING, 'resource_filter = resource_class = "network" AND resource_metadata.model = "X1"\n')):
        folder = plugins / kind
        folder.mkdir(parents=True)
        (folder / f"{module}.py").write_text(textwrap.dedent(code))
        text = textwrap.dedent(SHIPPED).format(name=f"The {module} plugin", module=f"/nowhere/lib/{module}.py")
        (folder / f"{module}.panoptes-plugin.example").write_text(text + more)
    (plugins / "discovery" / "list.json").write_text(
        '[{"resource_plugin": "p", "resource_site": "local", "resource_class": "system", "resource_subclass": "host",'
        ' "resource_type": "generic", "resource_id": "a", "resource_endpoint": "a", "resource_metadata": {},'
        ' "resource_creation_timestamp": "1512629517.03"}]')
    return plugins


def trial(*arguments):
    return subprocess.run([str(sites.ROOT / "scripts/trial"), "panoptes", *map(str, arguments)], capture_output=True,
                          text=True, timeout=sites.PATIENCE * 5, env=sites.environment(BACKPLANE_BIN=str(sites.BIN)))


def test_shipped_plugins_run_unmodified(shipped):
    done = trial(shipped)
    rows = [re.split(r"  +", line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done
    assert rows[1] == ["The find plugin", "discovery", "yes", "ok", "1"], rows
    assert rows[2] == ["The poll plugin", "polling", "yes", "ok", "1"], rows
    assert rows[3] == ["2 of 2 ran well"]


def test_what_goes_wrong_has_its_row(shipped):
    (shipped / "polling" / "poll.py").write_text("raise RuntimeError('no such luck')\n")
    (shipped / "polling" / "bad.panoptes-plugin").write_text("[Core]\nName = The bad one\n")
    done = trial(shipped, "The poll plugin", "bad")
    assert done.returncode == 1, done
    assert re.search(r"The poll plugin +polling +yes +failed +0 +RuntimeError: no such luck", done.stdout), done
    assert re.search(r"The bad one +polling +no +- +- +\S", done.stdout), done
    assert "The find plugin" not in done.stdout
