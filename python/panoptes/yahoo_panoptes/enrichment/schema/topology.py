"""What an interface is connected to."""
from yahoo_panoptes.framework.enrichment import PanoptesEnrichmentGroup, PanoptesEnrichmentSchemaValidator

SCHEMA_NAMESPACE = 'topology'


class PanoptesTopologyEnrichmentSchemaValidator(PanoptesEnrichmentSchemaValidator):
    schema = {
        'enrichment_label': {
            'type': 'dict',
            'schema': {
                'interface': {'type': 'string', 'required': True},
                'neighbor': {'type': 'dict', 'required': True},
                'map_type': {'type': 'string', 'required': True},
            },
        },
    }


class PanoptesTopologyEnrichmentGroup(PanoptesEnrichmentGroup):
    def __init__(self, enrichment_ttl, execute_frequency):
        super().__init__(SCHEMA_NAMESPACE, PanoptesTopologyEnrichmentSchemaValidator(), enrichment_ttl,
                         execute_frequency)
