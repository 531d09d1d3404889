"""An interface and what is behind it, on each layer."""
from yahoo_panoptes.framework.enrichment import PanoptesEnrichmentGroup, PanoptesEnrichmentSchemaValidator

NEIGHBOR_SCHEMA_NAMESPACE = 'neighbor'

_FIELDS = {
    'string': ('name', 'description', 'type', 'category', 'mac_address', 'link_state', 'admin_state'),
    'integer': ('layer',),
    'list': ('ipv4_address', 'ipv6_address'),
    'dict': ('member_of_lag', 'member_of_svi', 'lag_members', 'ipv4_neighbor', 'ipv6_neighbor', 'l2_neighbor', 'vlans',
             'spanning_tree', 'svi_physical_members', 'sub_interfaces', 'primary_interface'),
}


class PanoptesNeighborEnrichmentSchemaValidator(PanoptesEnrichmentSchemaValidator):
    schema = {
        'enrichment_label': {
            'type': 'dict',
            'schema': {name: {'type': kind, 'required': True} for kind, names in _FIELDS.items() for name in names},
        },
    }


class PanoptesNeighborEnrichmentGroup(PanoptesEnrichmentGroup):
    def __init__(self, enrichment_ttl, execute_frequency):
        super().__init__(NEIGHBOR_SCHEMA_NAMESPACE, PanoptesNeighborEnrichmentSchemaValidator(), enrichment_ttl,
                         execute_frequency)
