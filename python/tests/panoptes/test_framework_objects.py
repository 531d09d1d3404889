"""Resources, metrics and enrichments: their checks, and their JSON to the letter."""
import json

import pytest
from plugin_run import RESOURCE

from yahoo_panoptes.enrichment.enrichment_plugin import PanoptesEnrichmentPlugin, \
    PanoptesEnrichmentPluginConfigurationError, PanoptesEnrichmentPluginError
from yahoo_panoptes.enrichment.schema.generic.snmp import PanoptesGenericSNMPMetricsEnrichmentGroup
from yahoo_panoptes.enrichment.schema.heartbeat import PanoptesHeartbeatEnrichmentGroup
from yahoo_panoptes.enrichment.schema.interface import PanoptesInterfaceEnrichmentGroup
from yahoo_panoptes.enrichment.schema.neighbor import PanoptesNeighborEnrichmentGroup
from yahoo_panoptes.enrichment.schema.neighbor_lookup import PanoptesBridgeLookupEnrichmentGroup, \
    PanoptesDeviceLookupEnrichmentGroup, PanoptesInterfaceLookupEnrichmentGroup, \
    PanoptesInverseInterfaceLookupEnrichmentGroup, PanoptesL3InterfaceLookupEnrichmentGroup
from yahoo_panoptes.enrichment.schema.operational import PanoptesOperationalEnrichmentGroup
from yahoo_panoptes.enrichment.schema.topology import PanoptesTopologyEnrichmentGroup
from yahoo_panoptes.framework import enrichment, metrics, resources
from yahoo_panoptes.framework.enrichment import PanoptesEnrichmentGroup, PanoptesEnrichmentGroupSet, \
    PanoptesEnrichmentMultiGroupSet, PanoptesEnrichmentSchemaValidator, PanoptesEnrichmentSet
from yahoo_panoptes.framework.exceptions import PanoptesBaseException
from yahoo_panoptes.framework.metrics import PanoptesMetric, PanoptesMetricDimension, PanoptesMetricsGroup, \
    PanoptesMetricsGroupSet, PanoptesMetricType
from yahoo_panoptes.framework.plugins.panoptes_base_plugin import PanoptesPluginConfigurationError
from yahoo_panoptes.framework.resources import PanoptesResource, PanoptesResourceSet
from yahoo_panoptes.polling.polling_plugin import PanoptesPollingPlugin, PanoptesPollingPluginError

RESOURCE_JSON = ('{"resource_site": "dc1", "resource_class": "network", "resource_subclass": "switch", '
                 '"resource_type": "arista", "resource_id": "sw1", "resource_endpoint": "sw1.example", '
                 '"resource_metadata": {"_resource_ttl": "900", "model": "X"}, '
                 '"resource_creation_timestamp": 1700000000.25, "resource_plugin": "My_Plug"}')
RESOURCE_KEY = 'plugin|My_Plug|site|dc1|class|network|subclass|switch|type|arista|id|sw1|endpoint|sw1.example'
GAUGE, COUNTER = PanoptesMetricType.GAUGE, PanoptesMetricType.COUNTER


@pytest.fixture
def clock(monkeypatch):
    """All of the framework's ways to ask for the time."""
    monkeypatch.setattr(resources, "time", lambda: 1512629517.03121)
    monkeypatch.setattr(metrics, "time", lambda: 1512629517.03121)
    monkeypatch.setattr("time.time", lambda: 1512629517.03121)


def without(key):
    return {name: value for name, value in RESOURCE.items() if name != key}


# ---- resources ---------------------------------------------------------------------------

def test_a_resource_is_written_in_one_order(resource):
    assert resource.json == RESOURCE_JSON
    assert resource.raw == RESOURCE
    assert resource.serialization_key == repr(resource) == str(resource) == RESOURCE_KEY


def test_text_beyond_ascii_is_escaped():
    assert '"resource_id": "\\u00e9"' in PanoptesResource("s", "c", "b", "t", "\u00e9", "e", resource_plugin="p").json


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("value", ["", None, 1])
def test_the_fields_of_a_resource_are_texts(place, value):
    fields = ["s", "c", "b", "t", "i", "e"]
    fields[place] = value
    with pytest.raises(AssertionError):
        PanoptesResource(*fields)


def test_a_resource_has_a_time_to_live_and_a_time(clock):
    resource = PanoptesResource("s", "c", "b", "t", "i", "e", resource_creation_timestamp=0)
    assert resource.resource_ttl == "604800"
    assert resource.resource_creation_timestamp == 1512629517.03121
    assert PanoptesResource("s", "c", "b", "t", "i", "e", resource_ttl=5).resource_metadata == {"_resource_ttl": "5"}
    for ttl in (0, -1, "900", True):
        with pytest.raises(AssertionError):
            PanoptesResource("s", "c", "b", "t", "i", "e", resource_ttl=ttl)


def test_a_resource_without_plugin_has_no_key():
    with pytest.raises(TypeError):
        PanoptesResource("s", "c", "b", "t", "i", "e").serialization_key


def test_metadata(resource):
    resource.add_metadata("os_2", "1.5")
    assert resource.resource_metadata["os_2"] == "1.5"
    for key, value, error in (("2os", "x", ValueError), ("a b", "x", ValueError), ("a\n", "x", ValueError),
                              ("os", "a|b", ValueError), ("os", "", AssertionError), ("", "x", AssertionError),
                              ("os", 5, AssertionError), (None, "x", AssertionError)):
        with pytest.raises(error):
            resource.add_metadata(key, value)


def test_a_resource_from_a_dict():
    text = dict(RESOURCE, resource_creation_timestamp="1512629517.03121", resource_metadata={})
    resource = PanoptesResource.resource_from_dict(text)
    assert resource.resource_creation_timestamp == "1512629517.03121"
    assert resource.resource_ttl == "604800"
    for key in RESOURCE:
        with pytest.raises(KeyError):
            PanoptesResource.resource_from_dict(without(key))


def test_who_made_a_resource_known_does_not_make_it_another_but_it_keeps_its_place(resource):
    other = PanoptesResource.resource_from_dict(dict(RESOURCE, resource_plugin="Other"))
    assert resource == other and hash(resource) != hash(other)
    assert resource != PanoptesResource.resource_from_dict(dict(RESOURCE, resource_id="sw2"))
    assert resource != "sw1"
    both = PanoptesResourceSet()
    both.add(resource)
    both.add(other)
    both.add(PanoptesResource.resource_from_dict(RESOURCE))
    assert len(both) == 2


def test_a_resource_set(resource, clock):
    found = PanoptesResourceSet()
    found.add(resource)
    assert found.json == ('{"resources": [%s], "resource_set_creation_timestamp": 1512629517.03121, '
                          '"resource_set_schema_version": "0.1"}' % RESOURCE_JSON)
    assert list(found) == [resource] and found.resources == {resource}
    assert found.get_resources_by_site() == {"dc1": [resource]}
    found.resource_set_creation_timestamp = 1512629517.03121 - 604800
    found.resource_set_creation_timestamp = 1512629577
    for bad in (1512629517.03121 - 604801, 1512629517.03121 + 61, "1512629517"):
        with pytest.raises(AssertionError):
            found.resource_set_creation_timestamp = bad
    for operation in (found.add, found.remove):
        with pytest.raises(AssertionError):
            operation(RESOURCE)
    found.remove(resource)
    assert len(found) == 0


# ---- metrics -----------------------------------------------------------------------------

def test_a_metric_is_written_sorted():
    metric = PanoptesMetric("m", 2, GAUGE, 1.0312)
    assert metric.json == ('{"metric_creation_timestamp": 1.031, "metric_name": "m", "metric_type": "gauge", '
                           '"metric_value": 2}')
    assert (repr(metric), str(metric)) == ("PanoptesMetric[m|2|GAUGE|1.031]", "m|2|0")
    assert (metric.metric_name, metric.metric_value, metric.metric_type, metric.metric_timestamp) == ("m", 2, 0, 1.031)
    assert '"metric_type": "counter", "metric_value": 1e-07' in PanoptesMetric("m", 1e-7, COUNTER).json


@pytest.mark.parametrize("name, value, kind, error", [
    ("9m", 1, GAUGE, ValueError), ("a-b", 1, GAUGE, ValueError), ("m\n", 1, GAUGE, ValueError),
    ("", 1, GAUGE, AssertionError), (None, 1, GAUGE, AssertionError), ("m", True, GAUGE, AssertionError),
    ("m", "1", GAUGE, AssertionError), ("m", None, GAUGE, AssertionError), ("m", 1, 2, AssertionError),
    ("m", 1, True, AssertionError), ("m", 1, "gauge", AssertionError)])
def test_a_metric_refuses(name, value, kind, error):
    with pytest.raises(error):
        PanoptesMetric(name, value, kind)


def test_a_dimension():
    dimension = PanoptesMetricDimension("n", "v|w")
    assert dimension.json == '{"dimension_name": "n", "dimension_value": "v|w"}'
    assert (repr(dimension), str(dimension)) == ("PanoptesMetricDimension[n|v|w]", "n|v|w")
    for name, value, error in (("a b", "v", ValueError), ("n", "", AssertionError), ("n", 5, AssertionError)):
        with pytest.raises(error):
            PanoptesMetricDimension(name, value)


def full_group(resource):
    group = PanoptesMetricsGroup(resource, "interface", 60, 1700000000.25)
    group.add_metric(PanoptesMetric("octets", 2 ** 63, COUNTER, 1.5))
    group.add_metric(PanoptesMetric("load", 0.5, GAUGE, 1.5))
    group.add_dimension(PanoptesMetricDimension("name", "eth0"))
    return group


def test_a_group_is_written_in_one_order(resource):
    assert full_group(resource).json == (
        '{"metrics_group_type": "interface", "metrics_group_interval": 60, '
        '"metrics_group_creation_timestamp": 1700000000.25, "metrics_group_schema_version": "0.2", "resource": %s, '
        '"metrics": [{"metric_creation_timestamp": 1.5, "metric_name": "octets", "metric_value": 9223372036854775808, '
        '"metric_type": "counter"}, {"metric_creation_timestamp": 1.5, "metric_name": "load", "metric_value": 0.5, '
        '"metric_type": "gauge"}], "dimensions": [{"dimension_name": "name", "dimension_value": "eth0"}]}'
        % RESOURCE_JSON)


def test_the_members_of_a_group(resource, clock):
    group = full_group(resource)
    assert [metric.metric_name for metric in group.metrics] == ["load", "octets"]
    group.add_metric(PanoptesMetric("octets", 1, GAUGE))
    with pytest.raises(KeyError):
        group.add_metric(PanoptesMetric("octets", 2, GAUGE))
    with pytest.raises(KeyError):
        group.add_dimension(PanoptesMetricDimension("name", "eth1"))
    group.upsert_dimension(PanoptesMetricDimension("name", "eth1"))
    assert group.get_dimension_by_name("name").value == "eth1"
    group.delete_dimension_by_name("name")
    group.delete_dimension_by_name("name")
    assert group.get_dimension_by_name("name") is None and not group.contains_dimension_by_name("name")
    assert group.copy().creation_timestamp == 1700000000.25
    assert group.copy(retain_timestamp=False).creation_timestamp == 1512629517.031
    for interval in (0, "60", 1.0, True):
        with pytest.raises(AssertionError):
            PanoptesMetricsGroup(resource, "interface", interval)
    for resource_, kind in (("sw1", "interface"), (resource, "")):
        with pytest.raises(AssertionError):
            PanoptesMetricsGroup(resource_, kind, 60)


def test_flat_forms_of_a_group(resource):
    group = json.loads(full_group(resource).json)
    assert PanoptesMetricsGroup.flatten_dimensions(group["dimensions"]) == {"name": "eth0"}
    assert PanoptesMetricsGroup.flatten_metrics(group["metrics"]) == {
        "counter": {"octets": {"value": 2 ** 63, "timestamp": 1.5}},
        "gauge": {"load": {"value": 0.5, "timestamp": 1.5}}}


def test_groups_of_equal_contents_are_one(resource):
    assert full_group(resource) == full_group(resource).copy()
    groups = PanoptesMetricsGroupSet()
    groups.add(full_group(resource))
    groups.add(full_group(resource).copy())
    assert len(groups) == 1
    other = PanoptesMetricsGroupSet()
    other.add(PanoptesMetricsGroup(resource, "cpu", 60))
    assert len(groups + other) == 2
    for wrong in (PanoptesMetricsGroupSet(), full_group(resource), [full_group(resource)]):
        with pytest.raises(TypeError):
            groups + wrong
    with pytest.raises(AssertionError):
        groups.add("group")


# ---- enrichments -------------------------------------------------------------------------

class Anything(PanoptesEnrichmentSchemaValidator):
    schema = {"enrichment_label": {"type": "dict"}}


def group_of(namespace, *sets):
    group = PanoptesEnrichmentGroup(namespace, Anything(), 900, 300)
    for key, value in sets:
        group.add_enrichment_set(PanoptesEnrichmentSet(key, value))
    return group


def test_an_enrichment_set():
    facts = PanoptesEnrichmentSet("int_001")
    facts.add("speed", 1000)
    facts.add("alias", "up")
    assert facts.json() == '{"int_001": {"alias": "up", "speed": 1000}}'
    assert (facts.key, facts.value, len(facts)) == ("int_001", {"speed": 1000, "alias": "up"}, 2)
    assert repr(facts) == "PanoptesEnrichmentSet[int_001[alias:up,speed:1000]]"
    assert len(PanoptesEnrichmentSet("other")) == 0
    for key, value in (("", {}), (1, {}), ("k", "text"), ("k", [])):
        with pytest.raises(AssertionError):
            PanoptesEnrichmentSet(key, value)


def test_a_group_has_a_stored_form_and_a_full_form(clock):
    group = group_of("interface", ("b", {1: "x"}), ("a", {"raw": b"ab\xff"}))
    group.upsert_metadata("source", "test")
    assert group.serialize() == (
        '{"data": {"a": {"raw": "ab__decoded"}, "b": {"1": "x"}}, "metadata": {'
        '"_enrichment_group_creation_timestamp": 1512629517.03121, "_enrichment_ttl": 900, '
        '"_execute_frequency": 300, "source": "test"}}')
    assert group_of("n", ("b", {"k": 1})).serialize_data() == '{"b": {"k": 1}}'
    assert group_of("n", ("b", {"k": 1})).json() == (
        '{"data": [{"b": {"k": 1}}], "metadata": {"_enrichment_group_creation_timestamp": 1512629517.03121, '
        '"_enrichment_ttl": 900, "_execute_frequency": 300}, "namespace": "n"}')
    with pytest.raises(TypeError):
        group_of("n", ("b", {1: "x", "y": "z"})).serialize()


def test_a_set_replaces_one_of_its_key():
    group = group_of("n", ("a", {"k": 1}), ("a", {"k": 2}))
    assert (len(group), group.serialize_data()) == (1, '{"a": {"k": 2}}')


def test_what_a_group_refuses():
    group = group_of("n")
    for wrong in ((1, Anything(), 900, 300), ("n", "validator", 900, 300), ("n", Anything(), "900", 300),
                  ("n", Anything(), 0, 300), ("n", Anything(), 900, 0)):
        with pytest.raises(AssertionError):
            PanoptesEnrichmentGroup(*wrong)
    with pytest.raises(ValueError):
        group.upsert_metadata("_enrichment_ttl", 1)
    with pytest.raises(AssertionError):
        group.upsert_metadata("key", {})
    with pytest.raises(AssertionError):
        group.add_enrichment_set({"key": {}})


def test_a_group_set_holds_groups_with_contents(resource, clock):
    groups = PanoptesEnrichmentGroupSet(resource)
    groups.add_enrichment_group(group_of("n", ("a", {"k": 1})))
    groups.add_enrichment_group(group_of("n", ("b", {"k": 2})))
    ordered = json.dumps(RESOURCE, sort_keys=True)
    assert groups.json() == (
        '{"enrichment": [{"data": [{"b": {"k": 2}}], "metadata": {"_enrichment_group_creation_timestamp": '
        '1512629517.03121, "_enrichment_ttl": 900, "_execute_frequency": 300}, "namespace": "n"}], '
        '"enrichment_group_set_creation_timestamp": 1512629517.03121, "resource": %s}' % ordered)
    with pytest.raises(AssertionError):
        groups.add_enrichment_group(group_of("empty"))
    several = PanoptesEnrichmentMultiGroupSet()
    several.add_enrichment_group_set(groups)
    several.add_enrichment_group_set(groups)
    assert several.json() == '{"group_sets": [%s]}' % groups.json() and len(several) == 1
    with pytest.raises(AssertionError):
        several.add_enrichment_group_set(PanoptesEnrichmentGroupSet(resource))


INTERFACE = {"description": "d", "media_type": "m", "interface_name": "n", "alias": "a", "configured_speed": 1,
             "port_speed": 1, "parent_interface_name": "p", "parent_interface_media_type": "m",
             "parent_interface_configured_speed": -1, "parent_interface_port_speed": -1}
LOOKUP = {"resource_id": "i", "interface_description": "d", "interface_index": "1"}
NEIGHBOR = {**dict.fromkeys(("name", "description", "type", "category", "mac_address", "link_state", "admin_state"),
                            "x"),
            "layer": 2, "ipv4_address": [], "ipv6_address": [],
            **dict.fromkeys(("member_of_lag", "member_of_svi", "lag_members", "ipv4_neighbor", "ipv6_neighbor",
                             "l2_neighbor", "vlans", "spanning_tree", "svi_physical_members", "sub_interfaces",
                             "primary_interface"), {})}


@pytest.mark.parametrize("make, namespace, good, optional", [
    (PanoptesInterfaceEnrichmentGroup, "interface", INTERFACE, {"physical_address": "x", "remote_device": "y"}),
    (PanoptesHeartbeatEnrichmentGroup, "heartbeat_ns", {}, {"timestamp": 1.5}),
    (PanoptesGenericSNMPMetricsEnrichmentGroup, "metrics", {"oids": {}, "metrics_groups": [
        {"group_name": "g", "metrics": {}}, {"group_name": "h", "metrics": {}, "dimensions": {}}]}, {}),
    (PanoptesOperationalEnrichmentGroup, "operational", {"device_polling_status": 0}, {"device_os": "x"}),
    (PanoptesTopologyEnrichmentGroup, "topology", {"interface": "i", "neighbor": {}, "map_type": "m"}, {}),
    (PanoptesNeighborEnrichmentGroup, "neighbor", NEIGHBOR, {}),
    (PanoptesBridgeLookupEnrichmentGroup, "bridge_lookup", {"resource_id": "i", "port_id_map": {}}, {}),
    (PanoptesInterfaceLookupEnrichmentGroup, "interface_lookup", {**LOOKUP, "port_id_map": {}}, {}),
    (PanoptesDeviceLookupEnrichmentGroup, "device_lookup", {"ipv4": [], "ipv6": [], "source_resource_id": "i"}, {}),
    (PanoptesL3InterfaceLookupEnrichmentGroup, "l3_interface_lookup", {**LOOKUP, "ip_version": 4}, {}),
    (PanoptesInverseInterfaceLookupEnrichmentGroup, "inverse_interface_lookup", LOOKUP, {})])
def test_well_known_enrichments_have_a_schema(make, namespace, good, optional):
    group = make(enrichment_ttl=900, execute_frequency=300)
    assert group.namespace == namespace
    group.add_enrichment_set(PanoptesEnrichmentSet("good", good))
    group.add_enrichment_set(PanoptesEnrichmentSet("full", {**good, **optional}))
    bad = [{**good, "unknown": 1}, {**good, **dict.fromkeys(optional, [])} if optional else {"unknown": 1}]
    bad += [{key: value for key, value in good.items() if key != left_out} for left_out in good]
    bad += [{**good, key: object()} for key in good]
    for value in bad:
        with pytest.raises(AssertionError):
            group.add_enrichment_set(PanoptesEnrichmentSet("bad", value))
    assert len(group) == 2


# ---- exceptions --------------------------------------------------------------------------

def test_exceptions_say_what_they_were_given():
    assert str(PanoptesBaseException("text")) == "text"
    assert repr(metrics.PanoptesMetricsNullException()) == "PanoptesMetricsNullException()"


def test_what_derives_from_what():
    assert issubclass(PanoptesEnrichmentPlugin, PanoptesPollingPlugin)
    assert issubclass(PanoptesEnrichmentPluginError, PanoptesPollingPluginError)
    assert issubclass(PanoptesEnrichmentPluginConfigurationError, PanoptesPluginConfigurationError)
    assert issubclass(metrics.PanoptesMetricsNullException, metrics.PanoptesMetricsException)
    assert not issubclass(enrichment.PanoptesEnrichmentCacheError, enrichment.PanoptesEnrichmentException)
