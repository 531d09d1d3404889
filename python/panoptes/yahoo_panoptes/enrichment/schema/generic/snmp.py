"""What to read from a device by SNMP, and the metrics to make of it."""
from yahoo_panoptes.framework.enrichment import PanoptesEnrichmentGroup, PanoptesEnrichmentSchemaValidator


class PanoptesGenericSNMPMetricsEnrichmentSchemaValidator(PanoptesEnrichmentSchemaValidator):
    schema = {
        'enrichment_label': {
            'type': 'dict',
            'schema': {
                'oids': {'type': 'dict', 'required': True},
                'metrics_groups': {
                    'type': 'list',
                    'required': True,
                    'schema': {
                        'type': 'dict',
                        'schema': {
                            'group_name': {'type': 'string', 'required': True},
                            'metrics': {'type': 'dict', 'required': True},
                            'dimensions': {'type': 'dict'},
                        },
                    },
                },
            },
        },
    }


class PanoptesGenericSNMPMetricsEnrichmentGroup(PanoptesEnrichmentGroup):
    METRICS_SCHEMA_NAMESPACE = 'metrics'

    def __init__(self, enrichment_ttl, execute_frequency):
        super().__init__(self.METRICS_SCHEMA_NAMESPACE, PanoptesGenericSNMPMetricsEnrichmentSchemaValidator(),
                         enrichment_ttl, execute_frequency)
