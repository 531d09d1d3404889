"""Plugins in the Panoptes shape through the whole program: what they discover, enrich and poll."""
import json
import shutil
import textwrap

import pytest
import sites

DISCOVERY = """\
    from yahoo_panoptes.discovery.panoptes_discovery_plugin import PanoptesDiscoveryPlugin
    from yahoo_panoptes.framework.resources import PanoptesResource, PanoptesResourceSet

    class Find(PanoptesDiscoveryPlugin):
        def run(self, context):
            found = PanoptesResourceSet()
            for name in open(context.config["main"]["list"]).read().split():
                found.add(PanoptesResource("dc1", "network", "switch", "acme", name, name + ".example",
                                           resource_plugin="find", resource_ttl=int(context.config["main"]["ttl"])))
            return found
"""
ENRICHMENT = """\
    from yahoo_panoptes.enrichment.enrichment_plugin import PanoptesEnrichmentPlugin
    from yahoo_panoptes.enrichment.schema.heartbeat import PanoptesHeartbeatEnrichmentGroup
    from yahoo_panoptes.framework.enrichment import PanoptesEnrichmentGroupSet, PanoptesEnrichmentSet

    class Enrich(PanoptesEnrichmentPlugin):
        def run(self, context):
            group = PanoptesHeartbeatEnrichmentGroup(enrichment_ttl=600, execute_frequency=60)
            facts = PanoptesEnrichmentSet("facts")
            facts.add("timestamp", 1234)
            group.add_enrichment_set(facts)
            groups = PanoptesEnrichmentGroupSet(context.data)
            groups.add_enrichment_group(group)
            return groups
"""
POLLING = """\
    from yahoo_panoptes.framework.metrics import *
    from yahoo_panoptes.polling.polling_plugin import PanoptesPollingPlugin
    import os, time

    class Poll(PanoptesPollingPlugin):
        def run(self, context):
            groups = PanoptesMetricsGroupSet()
            group = PanoptesMetricsGroup(context.data, "status", 60)
            def gauge(name, value):
                group.add_metric(PanoptesMetric(name, value, PanoptesMetricType.GAUGE))
            {body}
            groups.add(group)
            return groups
"""
PRELOADED = 'gauge("seen", int(context.enrichment.get_enrichment_value("self", "heartbeat_ns", "facts")["timestamp"]))'


class PanoptesSite(sites.Site):
    def add(self, kind, name, code, frequency=3600, extra="", sections=""):
        """A plugin in plugins/<kind>/<name>."""
        folder = self.plugins / kind
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text(textwrap.dedent(code))
        declared = [f"[Core]\nName = {name}\nModule = {name}\n[Documentation]\nVersion = 1.0\n[main]",
                    f"execute_frequency = {frequency}", *extra.splitlines(), sections]
        if kind != "discovery":
            declared.insert(2, 'resource_filter = resource_class = "network"')
        (folder / f"{name}.panoptes-plugin").write_text("\n".join(declared) + "\n")

    def discovery(self, *names, ttl=900):
        (self.folder / "list").write_text(" ".join(names))
        self.add("discovery", "find", DISCOVERY, extra=f"list = {self.folder / 'list'}\nttl = {ttl}")

    def polling(self, body, name="poll", **declared):
        self.add("polling", name, POLLING.replace("{body}", body.replace("\n", "\n" + " " * 12)), **declared)

    def id_of(self, name):
        return next(p["id"] for p in self.read("/plugins")["plugins"] if p["title"] == name)

    def resources(self):
        return {r["resource_id"]: r for r in self.read("/resources")["resources"]}

    def lanes(self, name):
        return sorted(lane["resource"] for lane in self.read(f"/plugins/{self.id_of(name)}/lanes")["lanes"])

    def poll(self, name, target=None):
        """Runs a plugin to its end, on one resource if it runs about any."""
        query = f"?target={target}" if target else ""
        if target:
            sites.wait_for(lambda: target in self.lanes(name), f"{name} has a lane for {target}")
        answer = self.post(f"/plugins/{self.id_of(name)}/run{query}")
        assert answer.status == 202, answer
        return self.ended(answer.json["run"])


@pytest.fixture
def site(tmp_path):
    site = PanoptesSite(tmp_path / "site")
    site.configure(settings="", options="")
    yield site
    site.close()


def test_what_is_discovered_is_enriched_and_polled(site):
    site.discovery("sw1", "sw2")
    site.add("enrichment", "enrich", ENRICHMENT, extra="enrichment_ttl = 600")
    site.polling(PRELOADED, sections="[enrichment]\npreload = self:heartbeat_ns")
    site.start()
    found = site.poll("find")
    assert (found["status"], found["taken"]) == ("ok", 2), found
    assert sorted(site.resources()) == ["sw1", "sw2"]
    enriched = site.poll("enrich", "sw1")
    assert (enriched["status"], enriched["taken"], enriched["resource"]) == ("ok", 1, "sw1"), enriched
    shown = site.read(f"/resources/{site.resources()['sw1']['id']}")
    assert shown["enrichments"][0]["namespace"] == "heartbeat_ns"
    assert shown["enrichments"][0]["body"]["data"]["facts"]["timestamp"] == 1234
    polled = site.poll("poll", "sw1")
    assert (polled["status"], polled["taken"]) == ("ok", 1), polled
    series = site.read("/metrics", name="seen")["series"]
    assert len(series) == 1 and series[0]["last"]["value"] == 1234, series
    # Nobody has enriched the other one.
    missing = site.poll("poll", "sw2")
    assert missing["status"] == "failed" and "PanoptesEnrichmentCacheError" in missing["message"], missing
    # A resource is a device of the one inventory.
    assert sorted(device["name"] for device in site.devices()) == ["sw1", "sw2"]


def test_resources_come_and_go_with_what_discovery_says(site):
    site.discovery("sw1", "sw2")
    site.polling("gauge('up', 1)")
    site.start()
    site.poll("find")
    sites.wait_for(lambda: site.lanes("poll") == ["sw1", "sw2"], "two lanes")
    (site.folder / "list").write_text("sw2 sw3")
    # Another definition lifts the minimum interval.
    site.add("discovery", "find", DISCOVERY, extra=f"list = {site.folder / 'list'}\nttl = 1")
    assert site.post("/plugins/rescan").status == 200
    site.poll("find")
    sites.wait_for(lambda: site.lanes("poll") == ["sw2", "sw3"], "one has gone, one has come")
    sites.wait_for(lambda: site.lanes("poll") == [], "their time to live is over")
    assert site.resources() == {}
    reasons = [event["body"]["reason"] for event in site.events(topic="resource.removed")]
    assert sorted(reasons) == ["expired", "expired", "missing"]


BAD = {
    "raises": ('raise ValueError("it is wrong")', "ValueError: it is wrong"),
    "wrong_type": ("return []", 'unexpected result type: "list"'),
    "bad_name": ('gauge("a b", 1)', "ValueError"),
    "not_a_number": ('gauge("a", float("nan"))', "ValueError"),
    "a_million": ('for i in range(1000000): gauge("m%d" % i, i)', "bytes"),
    "unserialisable": ('import decimal; gauge("a", decimal.Decimal("1.5"))', "Decimal is not JSON serializable"),
    "exits": ("import sys; sys.exit(3)", "SystemExit"),
    "dies": ("os._exit(7)", "exit code 7"),
    "eats": ("x = 'x' * (8 << 30)", "MemoryError"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_plugin_that_goes_wrong_stores_nothing(site, name):
    body, message = BAD[name]
    site.discovery("sw1")
    site.polling(body)
    site.start()
    site.poll("find")
    run = site.poll("poll", "sw1")
    assert run["status"] == "failed" and message in run["message"], run
    assert run["taken"] == 0
    assert site.read("/metrics")["series"] == []
    if name not in ("dies",):
        log = site.request("GET", f"/api/v1/runs/{run['id']}/log").text
        assert "Traceback" in log or "unexpected result type" in log, log


def test_a_resource_that_never_answers_delays_no_other(site):
    site.discovery("sw1", "sw2")
    site.polling("while context.data.resource_id == 'sw1': time.sleep(1)\ngauge('up', 1)", frequency=3600)
    site.start()
    site.poll("find")
    sites.wait_for(lambda: site.lanes("poll") == ["sw1", "sw2"], "two lanes")
    stuck = site.post(f"/plugins/{site.id_of('poll')}/run?target=sw1").json["run"]
    assert site.poll("poll", "sw2")["status"] == "ok"
    assert site.read(f"/runs/{stuck}")["status"] == "running"
    # Never two at once on one resource: a second call waits.
    again = site.post(f"/plugins/{site.id_of('poll')}/run?target=sw1").json
    assert again["run"] is None and "lane busy" in again["state"], again
    site.post(f"/runs/{stuck}/cancel")
    assert site.ended(stuck)["status"] == "cancelled"


def test_never_again_within_the_frequency(site):
    site.discovery("sw1")
    site.polling("gauge('up', 1)")
    site.start()
    site.poll("find")
    assert site.poll("poll", "sw1")["status"] == "ok"
    answer = site.post(f"/plugins/{site.id_of('poll')}/run?target=sw1").json
    assert answer["run"] is None and "too soon" in answer["state"], answer
    site.stop()
    site.start()  # and so it is for the next daemon
    sites.wait_for(lambda: site.lanes("poll") == ["sw1"], "its lane is there again")
    answer = site.post(f"/plugins/{site.id_of('poll')}/run?target=sw1").json
    assert answer["run"] is None and "too soon" in answer["state"], answer


def test_a_broken_file_stops_only_itself_and_a_new_one_is_found(site):
    site.discovery("sw1")
    site.polling("gauge('up', 1)")
    (site.plugins / "polling" / "broken.panoptes-plugin").write_text("[Core]\nName = broken\n")
    site.start()
    findings = site.read("/plugins")["findings"]
    assert [f for f in findings if "broken.panoptes-plugin" in f["file"]], findings
    assert {p["title"] for p in site.read("/plugins")["plugins"]} == {"find", "poll"}
    site.polling("gauge('up', 2)", name="late")
    answer = site.command("plugins", "rescan", "--json")
    assert answer.returncode == 0 and json.loads(answer.stdout)["plugins"] == 3, answer
    # A definition that is being edited stays in force as it was.
    (site.plugins / "polling" / "late.panoptes-plugin").write_text("[Core]\nName = late\n[main\n")
    site.post("/plugins/rescan")
    assert {p["title"] for p in site.read("/plugins")["plugins"]} == {"find", "poll", "late"}
    assert any("stays as it was" in f["message"] for f in site.read("/plugins")["findings"])


def test_a_device_of_one_dialect_is_polled_by_a_plugin_of_another(tmp_path):
    """The example site, as scripts/run starts it."""
    site = PanoptesSite(tmp_path / "site")
    example = shutil.copytree(sites.ROOT / "examples/site", tmp_path / "example")
    site.config = example / "backplane.toml"
    site.start()
    try:
        resources = sites.wait_for(site.resources, "this machine is a resource")
        one = next(iter(resources.values()))
        assert one["source"] == "mapping:this machine"
        device = site.device(one["device"])
        assert device["name"] == one["resource_id"] and device["mac"] == one["metadata"]["mac"]
        series = sites.wait_for(lambda: site.read("/metrics", group="interface")["series"], "its interfaces are polled")
        assert {"bits_in", "bits_out"} <= {s["name"] for s in series}
        shown = site.command("metrics", "list", "--group", "cpu")
        assert shown.returncode == 0 and "idle" in shown.stdout, shown
        listed = site.command("resources", "list")
        assert one["resource_id"] in listed.stdout and "mapping:this machine" in listed.stdout, listed
    finally:
        site.close()


def test_the_example_runs_by_hand(tmp_path):
    declared = sites.ROOT / "examples/site/panoptes/plugins/polling/linux_host.panoptes-plugin"
    readme = (sites.ROOT / "README.md").read_text()
    target = '{"id": "me", "endpoint": "127.0.0.1", "type": "linux"}'
    assert f"linux_host.panoptes-plugin \\\n    --target '{target}'" in readme
    done = sites.command("run", declared, "--target", target)
    assert done.returncode == 0 and "load_1" in done.stdout, done


def test_one_run_by_hand_needs_no_daemon(tmp_path):
    site = PanoptesSite(tmp_path / "site")
    site.polling("gauge('up', 1)")
    declared = site.plugins / "polling" / "poll.panoptes-plugin"
    target = json.dumps({"id": "sw1", "class": "network", "endpoint": "10.0.0.1"})
    done = sites.command("run", declared, "--target", target, "--json")
    assert done.returncode == 0, done
    outcome = json.loads(done.stdout)
    assert outcome["metrics"][0]["resource"] == "local|network|host|generic|sw1"
    assert outcome["metrics"][0]["metrics"] == [{"name": "up", "kind": "gauge", "value": 1}]
    without = sites.command("run", declared)
    assert without.returncode == 1 and "--target" in without.stderr, without
    wrong = sites.command("run", declared, "--target", '{"colour": "red"}')
    assert wrong.returncode == 1 and "colour" in wrong.stderr, wrong
