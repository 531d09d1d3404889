"""One run of a plugin: its class, what it is given, its result, and every way in which it can fail."""
import textwrap

import pytest
from plugin_run import RESOURCE

IMPORTS = """
from yahoo_panoptes.discovery.panoptes_discovery_plugin import PanoptesDiscoveryPlugin
from yahoo_panoptes.enrichment.enrichment_plugin import PanoptesEnrichmentPlugin
from yahoo_panoptes.enrichment.schema.heartbeat import PanoptesHeartbeatEnrichmentGroup
from yahoo_panoptes.framework.enrichment import *
from yahoo_panoptes.framework.metrics import *
from yahoo_panoptes.framework.resources import *
from yahoo_panoptes.polling.polling_plugin import PanoptesPollingPlugin
"""
BASES = {"discovery": "PanoptesDiscoveryPlugin", "enrichment": "PanoptesEnrichmentPlugin",
         "polling": "PanoptesPollingPlugin"}


def plugin(type, body, top=""):
    """Code of a plugin whose run() has this body."""
    return "%s%s\nclass Plugin(%s):\n    def run(self, context):\n%s" % (
        IMPORTS, textwrap.dedent(top), BASES[type], textwrap.indent(textwrap.dedent(body), " " * 8))


MEASURE = """
groups = PanoptesMetricsGroupSet()
group = PanoptesMetricsGroup(context.data, 'test', 60, 1.5)
group.add_metric(PanoptesMetric('m', %s, PanoptesMetricType.GAUGE, 1.5))
groups.add(group)
return groups
"""


# ---- what it is given and gives ----------------------------------------------------------

def test_discovery_makes_resources(run):
    ran = run("discovery", plugin("discovery", """
        assert context.data is None and context.enrichment is None
        found = PanoptesResourceSet()
        for id in ('a', 'b'):
            found.add(PanoptesResource('dc1', 'network', 'switch', 'arista', id, 'e', 1.5,
                                       context.config['main']['by']))
        return found
        """), config={"main": {"by": "P"}})
    assert (ran.status, ran.error) == (0, None)
    assert ran.result["kind"] == "resources"
    assert sorted(one["resource_id"] for one in ran.result["value"]) == ["a", "b"]
    assert ran.result["value"][0]["resource_metadata"] == {"_resource_ttl": "604800"}
    assert list(ran.result["value"][0]) == list(RESOURCE)


def test_polling_measures_the_resource(run):
    ran = run("polling", plugin("polling", MEASURE % "2 ** 63 - 1"))
    assert (ran.status, ran.error) == (0, None)
    assert ran.result == {"kind": "metrics", "value": [{
        "metrics_group_type": "test", "metrics_group_interval": 60, "metrics_group_creation_timestamp": 1.5,
        "metrics_group_schema_version": "0.2", "resource": RESOURCE, "dimensions": [], "metrics": [
            {"metric_creation_timestamp": 1.5, "metric_name": "m", "metric_value": 2 ** 63 - 1,
             "metric_type": "gauge"}]}]}


ENRICH = """
group = PanoptesEnrichmentGroup('n', Anything(), 900, 300)
group.add_enrichment_set(PanoptesEnrichmentSet('key', {'fact': %s}))
groups = PanoptesEnrichmentGroupSet(context.data)
groups.add_enrichment_group(group)
"""
ANYTHING = """
class Anything(PanoptesEnrichmentSchemaValidator):
    schema = {'enrichment_label': {'type': 'dict'}}
"""


def test_enrichment_says_more_about_resources(run):
    ran = run("enrichment", plugin("enrichment", ENRICH % "1" + "return groups", ANYTHING))
    assert ran.status == 0, ran.log
    assert ran.result["kind"] == "enrichments"
    (one,) = ran.result["value"]
    body = one.pop("body")
    assert one == {"resource_id": "sw1", "namespace": "n", "ttl": 900}
    assert body.startswith('{"data": {"key": {"fact": 1}}, "metadata": {"_enrichment_group_creation_timestamp": ')
    assert body.endswith(', "_enrichment_ttl": 900, "_execute_frequency": 300}}')

    several = run("enrichment", plugin("enrichment", ENRICH % "1" + """
several = PanoptesEnrichmentMultiGroupSet()
several.add_enrichment_group_set(groups)
other = PanoptesEnrichmentGroupSet(PanoptesResource('s', 'c', 'b', 't', 'sw2', 'e', resource_plugin='P'))
other.add_enrichment_group(group)
several.add_enrichment_group_set(other)
return several
""", ANYTHING))
    assert [one["resource_id"] for one in several.result["value"]] == ["sw1", "sw2"]


def test_the_context(run):
    ran = run("polling", plugin("polling", """
        assert context.config['main'] == {'execute_frequency': '60'} and context.config['missing'] == {}
        assert 'other' not in context.config
        assert (context.sites, context.snmp, context.x509) == ({'dc1'}, {'port': 161}, {})
        assert context.data.json == %r
        assert context.logger.name == 'panoptes.polling_plugin_agent.polling_plugins'
        context.logger.debug('not shown'), context.logger.info('shown')
        assert __name__ == 'yapsy_loaded_plugin__9_Test_Plugin_0' and __file__.endswith('/plugin.py')
        """ % __import__("json").dumps(RESOURCE)), name="9 Test/Plugin",
        config={"main": {"execute_frequency": "60"}})
    assert ran.status == 0, ran.log
    assert "INFO panoptes.polling_plugin_agent.polling_plugins: shown" in ran.log and "not shown" not in ran.log


def test_nothing_is_a_result_without_records(run):
    for body in ("return None", "return PanoptesMetricsGroupSet()"):
        ran = run("polling", plugin("polling", body))
        assert (ran.status, ran.result) == (0, {"kind": "metrics", "value": []})
        assert ("Plugin did not return any results" in ran.log) == ("None" in body)


@pytest.mark.parametrize("use", ["kv.get('k')", "kv.set('k', 'v', expire=5)", "secrets.get_by_site('n', 's')"])
def test_stores_say_that_they_are_not_there(run, use):
    ran = run("polling", plugin("polling", "context." + use))
    assert (ran.status, ran.error["type"]) == (1, "PanoptesKeyValueStoreException")
    assert "is not supported yet" in ran.error["message"]


# ---- which class runs --------------------------------------------------------------------

def class_that_runs(run, code):
    ran = run("polling", IMPORTS + "class Base(PanoptesPollingPlugin):\n"
                                   "    def run(self, context): raise LookupError(type(self).__name__)\n" + code)
    return ran.error["message"]


def test_a_class_of_the_file_comes_before_one_that_it_imports(run, tmp_path):
    (tmp_path / "a_vendor.py").write_text(IMPORTS + textwrap.dedent("""
        class Interface(PanoptesPollingPlugin):
            def run(self, context): raise LookupError('generic')
        """))
    top = "import sys; sys.path.insert(0, %r)\nfrom a_vendor import Interface\n" % str(tmp_path)
    own = top + textwrap.dedent("""
        class VendorInterface(Interface):
            def run(self, context): raise LookupError('vendor')
        """)
    assert run("polling", own).error["message"] == "vendor"
    assert run("polling", top).error["message"] == "generic"


def test_the_order_of_the_file_counts(run):
    assert class_that_runs(run, "class A(Base): pass\n") == "Base"


def test_a_class_that_cannot_be_made_is_passed_over(run):
    code = IMPORTS + textwrap.dedent("""
        class A(PanoptesPollingPlugin):
            pass
        class B(PanoptesPollingPlugin):
            def __init__(self): raise ValueError('no')
            def run(self, context): pass
        class C(PanoptesPollingPlugin):
            def run(self, context): raise LookupError('C')
        """)
    assert run("polling", code).error["message"] == "C"
    ran = run("polling", code.replace("class C(PanoptesPollingPlugin)", "class C(object)"))
    assert ran.error["type"] == "ImportError"
    assert "derives from PanoptesPollingPlugin and can be made; A: " in ran.error["message"]
    assert "; B: no" in ran.error["message"]


def test_an_enrichment_class_is_a_polling_class(run):
    ran = run("polling", plugin("enrichment", "raise LookupError('ran')"))
    assert ran.error["message"] == "ran"
    assert run("enrichment", plugin("polling", "pass")).error["type"] == "ImportError"


def test_a_package(run, tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("from .part import Plugin\n")
    (tmp_path / "package" / "part.py").write_text(plugin("polling", "raise LookupError('part')"))
    ran = run("polling", "", module=str(tmp_path / "package"))
    assert ran.error["message"] == "part"


def test_a_file_beside_a_package_of_that_name(run, tmp_path):
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "__init__.py").write_text("raise LookupError('package')")
    assert run("polling", plugin("polling", "raise LookupError('file')")).error["message"] == "file"


def test_metadata_from_elsewhere_that_the_framework_refuses(run):
    metadata = {"a→b": "1", "größe": "2", "1st": "3", "": "4", "empty": "", "bar": "a|b", "model": "X"}
    ran = run("polling", plugin("polling", "raise LookupError(sorted(context.data.resource_metadata.items()))"),
              resource=dict(RESOURCE, resource_metadata=metadata))
    assert ran.error["message"] == str([("_resource_ttl", "604800"), ("größe", "2"), ("model", "X")])


# ---- enrichments that it reads -----------------------------------------------------------

STORED = {"sw1": {"interface": '{"data": {"b": {"speed": 2}, "a": {}}, "metadata": {}}'},
          "fe80::1": {"x": '{"data": {"k": 1}}', "y": '{"data": {"k": 2}}'}, "bad": {"n": "no JSON"}}


def reads(run, body, preload="self:interface", **section):
    return run("polling", plugin("polling", "cache = context.enrichment\n" + textwrap.dedent(body)),
               config={"enrichment": {"preload": preload, **section} if preload else section}, enrichments=STORED)


def test_what_is_stored_can_be_read(run):
    ran = reads(run, """
        assert cache.get_enrichment('self', 'interface') == {'b': {'speed': 2}, 'a': {}}
        assert cache.get_enrichment('sw1', 'interface') == cache.get_enrichment('self', 'interface')
        assert cache.get_enrichment_value('self', 'interface', 'b') == {'speed': 2}
        assert cache.get_enrichment_keys('self', 'interface') == ['b', 'a']
        assert cache.get_enrichment_value('fe80::1', 'y', 'k') == 2
        for call in (lambda: cache.get_enrichment('self', 'none'), lambda: cache.get_enrichment('none', 'interface'),
                     lambda: cache.get_enrichment_value('self', 'interface', 'none')):
            try:
                call()
            except PanoptesEnrichmentCacheError:
                continue
            raise LookupError('no error')
        for call in (lambda: cache.get_enrichment('', 'interface'), lambda: cache.get_enrichment('self', ''),
                     lambda: cache.get_enrichment_value('self', 'interface', '')):
            try:
                call()
            except AssertionError:
                continue
            raise LookupError('no error')
        """)
    assert ran.status == 0, ran.log


def test_what_is_named_is_read_before(run):
    ran = reads(run, """
        assert cache._enrichment_data == {'sw1': {'interface': {'b': {'speed': 2}, 'a': {}}},
                                          'fe80::1': {'x': {'k': 1}, 'y': {'k': 2}}}
        """, preload="self:interface, fe80::1:*, sw1:none,none:*")
    assert ran.status == 0, ran.log
    assert 'no enrichment of resource "sw1" in namespace "none"' in ran.log


@pytest.mark.parametrize("preload, error", [
    ("self", "PanoptesEnrichmentCacheError"), ("self:interface,", "PanoptesEnrichmentCacheError"),
    (":x", "PanoptesEnrichmentCacheError"), ("self:", "PanoptesEnrichmentCacheError"), ("bad:n", "OSError")])
def test_a_run_does_not_start_without_what_it_names(run, preload, error):
    assert reads(run, "", preload=preload).error["type"] == error


def test_a_section_without_preload(run):
    assert reads(run, "", preload=None, other="x").error["type"] == "PanoptesEnrichmentCacheError"
    ran = reads(run, "assert cache is None", preload=None, file="some")
    assert ran.status == 0, ran.log


# ---- how it fails ------------------------------------------------------------------------

@pytest.mark.parametrize("body, error, message", [
    ("raise ValueError('wrong thing')", "ValueError", "wrong thing"),
    ("import sys; sys.exit(0)", "SystemExit", "0"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
    ("return self.run(context)", "RecursionError", "maximum recursion depth exceeded"),
    ("return PanoptesResourceSet()", "TypeError", 'Plugin returned an unexpected result type: "PanoptesResourceSet"'),
    ("return []", "TypeError", 'Plugin returned an unexpected result type: "list"'),
    ("PanoptesMetric('bad name', 1, 0)", "ValueError", 'metric_name "bad name" is not'),
    (MEASURE % "float('nan')", "ValueError", 'a metrics group of type "test" cannot be written as JSON'),
    (MEASURE % "-float('inf')", "ValueError", 'a metrics group of type "test" cannot be written as JSON'),
    (MEASURE % "1j", "ValueError", "complex is not JSON serializable"),
    ((MEASURE % 1).replace("context.data", "self"), "AssertionError", "resource must be a PanoptesResource")])
def test_a_plugin_that_fails(run, body, error, message):
    ran = run("polling", plugin("polling", body))
    assert (ran.status, ran.result, ran.error["type"]) == (1, None, error)
    assert message in ran.error["message"]
    assert "Traceback (most recent call last)" in ran.log and error in ran.log


@pytest.mark.parametrize("fact", ["float('nan')", "object()", "{1, 2}", "{1: 'a', 'b': 'c'}"])
def test_an_enrichment_that_is_no_json(run, fact):
    ran = run("enrichment", plugin("enrichment", ENRICH % fact + "return groups", ANYTHING))
    assert (ran.status, ran.result, ran.error["type"]) == (1, None, "ValueError")
    assert ran.error["message"].startswith(
        'the enrichment of resource "sw1" in namespace "n" cannot be written as JSON: ')


def test_the_place_is_the_last_line_of_the_plugin(run):
    code = "import json\n" + plugin("polling", "json.loads('{')")
    ran = run("polling", code)
    assert ran.error["where"] == "plugin.py line %d" % len(code.splitlines())
    assert run("polling", plugin("polling", "return []")).error["where"] == ""


@pytest.mark.parametrize("code, error, message", [
    ("import no_such_module", "ModuleNotFoundError", "no_such_module"), ("def", "SyntaxError", "invalid syntax"),
    ("x = 1", "ImportError", "derives from PanoptesPollingPlugin")])
def test_code_that_cannot_be_imported(run, code, error, message):
    ran = run("polling", code)
    assert (ran.status, ran.result, ran.error["type"]) == (1, None, error)
    assert message in ran.error["message"]


def test_no_code(run, tmp_path):
    assert run("polling", "", module=str(tmp_path / "none.py")).error["type"] == "FileNotFoundError"


def test_an_end_without_a_word(run):
    for body, status in (("import os; os._exit(7)", 7), ("import os; os.kill(os.getpid(), 9)", -9)):
        ran = run("polling", plugin("polling", body))
        assert (ran.status, ran.result, ran.error) == (status, None, None)


def test_what_it_prints_is_only_log(run):
    ran = run("polling", plugin("polling", "print('{\"kind\": \"none\"}'); import sys; sys.stdout.close()\n"
                                + MEASURE % 1))
    assert ran.status == 0 and ran.result["value"][0]["metrics"][0]["metric_value"] == 1
    assert '{"kind": "none"}' in ran.log


def test_a_thread_that_it_leaves_behind_holds_nothing_up(run):
    ran = run("polling", plugin("polling", """
        import threading
        threading.Thread(target=threading.Event().wait).start()
        """))
    assert (ran.status, ran.result) == (0, {"kind": "metrics", "value": []})


def test_too_much(run):
    ran = run("polling", plugin("polling", """
        groups = PanoptesMetricsGroupSet()
        for i in range(10):
            group = PanoptesMetricsGroup(context.data, 'test%d' % i, 60)
            for j in range(100000):
                group.add_metric(PanoptesMetric('m%d' % j, j, PanoptesMetricType.COUNTER, 1.5))
            groups.add(group)
        return groups
        """))
    assert (ran.status, ran.result, ran.error["type"]) == (1, None, "ValueError")
    assert ran.error["message"] == "the result has more than 1048576 bytes of JSON"


def test_no_memory(run):
    ran = run("polling", plugin("polling", """
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))
        text = []
        while True:
            text.append('x' * 10000)
        """))
    assert (ran.status, ran.result, ran.error["type"]) == (1, None, "MemoryError")
    assert ran.error["where"].startswith("plugin.py line ")


def test_an_error_without_text(run):
    ran = run("polling", plugin("polling", "raise Broken", """
        class Broken(Exception):
            def __str__(self): raise ValueError
        """))
    assert ran.error["type"] == "Broken" and ran.error["message"] == ""
