"""Tables that lead from an address or a port to the resource that has it."""
from yahoo_panoptes.framework.enrichment import PanoptesEnrichmentGroup, PanoptesEnrichmentSchemaValidator

BRIDGE_LOOKUP_SCHEMA_NAMESPACE = 'bridge_lookup'
INTERFACE_LOOKUP_SCHEMA_NAMESPACE = 'interface_lookup'
DEVICE_LOOKUP_SCHEMA_NAMESPACE = 'device_lookup'
L3_INTERFACE_LOOKUP_SCHEMA_NAMESPACE = 'l3_interface_lookup'
INVERSE_INTERFACE_LOOKUP_SCHEMA_NAMESPACE = 'inverse_interface_lookup'


def _all_required(**types):
    return {'enrichment_label': {
        'type': 'dict', 'schema': {name: {'type': kind, 'required': True} for name, kind in types.items()}}}


class PanoptesBridgeLookupEnrichmentSchemaValidator(PanoptesEnrichmentSchemaValidator):
    schema = _all_required(resource_id='string', port_id_map='dict')


class PanoptesInverseInterfaceLookupEnrichmentSchemaValidator(PanoptesEnrichmentSchemaValidator):
    schema = _all_required(resource_id='string', interface_description='string', interface_index='string')


class PanoptesL3InterfaceLookupEnrichmentSchemaValidator(PanoptesEnrichmentSchemaValidator):
    schema = _all_required(resource_id='string', interface_description='string', interface_index='string',
                           ip_version='integer')


class PanoptesInterfaceLookupEnrichmentSchemaValidator(PanoptesEnrichmentSchemaValidator):
    schema = _all_required(resource_id='string', interface_description='string', interface_index='string',
                           port_id_map='dict')


class PanoptesDeviceLookupEnrichmentSchemaValidator(PanoptesEnrichmentSchemaValidator):
    schema = _all_required(ipv4='list', ipv6='list', source_resource_id='string')


class PanoptesBridgeLookupEnrichmentGroup(PanoptesEnrichmentGroup):
    def __init__(self, enrichment_ttl, execute_frequency):
        super().__init__(BRIDGE_LOOKUP_SCHEMA_NAMESPACE, PanoptesBridgeLookupEnrichmentSchemaValidator(),
                         enrichment_ttl, execute_frequency)


class PanoptesInverseInterfaceLookupEnrichmentGroup(PanoptesEnrichmentGroup):
    def __init__(self, enrichment_ttl, execute_frequency):
        super().__init__(INVERSE_INTERFACE_LOOKUP_SCHEMA_NAMESPACE,
                         PanoptesInverseInterfaceLookupEnrichmentSchemaValidator(), enrichment_ttl, execute_frequency)


class PanoptesL3InterfaceLookupEnrichmentGroup(PanoptesEnrichmentGroup):
    def __init__(self, enrichment_ttl, execute_frequency):
        super().__init__(L3_INTERFACE_LOOKUP_SCHEMA_NAMESPACE, PanoptesL3InterfaceLookupEnrichmentSchemaValidator(),
                         enrichment_ttl, execute_frequency)


class PanoptesInterfaceLookupEnrichmentGroup(PanoptesEnrichmentGroup):
    def __init__(self, enrichment_ttl, execute_frequency):
        super().__init__(INTERFACE_LOOKUP_SCHEMA_NAMESPACE, PanoptesInterfaceLookupEnrichmentSchemaValidator(),
                         enrichment_ttl, execute_frequency)


class PanoptesDeviceLookupEnrichmentGroup(PanoptesEnrichmentGroup):
    def __init__(self, enrichment_ttl, execute_frequency):
        super().__init__(DEVICE_LOOKUP_SCHEMA_NAMESPACE, PanoptesDeviceLookupEnrichmentSchemaValidator(),
                         enrichment_ttl, execute_frequency)
