"""What a device is and how polling it went."""
from yahoo_panoptes.framework.enrichment import PanoptesEnrichmentGroup, PanoptesEnrichmentSchemaValidator

OPERATIONAL_SCHEMA_NAMESPACE = 'operational'


class PanoptesOperationalEnrichmentSchemaValidator(PanoptesEnrichmentSchemaValidator):
    schema = {
        'enrichment_label': {
            'type': 'dict',
            'schema': {
                'device_polling_status': {'type': 'integer', 'required': True},
                'snmpenginetime': {'type': 'integer'},  # seconds since it started
                'last_updated': {'type': 'integer'},  # seconds since the epoch
                'sysdescr': {'type': 'string'},
                'device_vendor': {'type': 'string'},
                'device_model': {'type': 'string'},
                'device_os': {'type': 'string'},
                'device_os_version': {'type': 'string'},
            },
        },
    }


class PanoptesOperationalEnrichmentGroup(PanoptesEnrichmentGroup):
    def __init__(self, enrichment_ttl, execute_frequency):
        super().__init__(OPERATIONAL_SCHEMA_NAMESPACE, PanoptesOperationalEnrichmentSchemaValidator(), enrichment_ttl,
                         execute_frequency)
