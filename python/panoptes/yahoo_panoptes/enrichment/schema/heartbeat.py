"""When a resource was last seen alive."""
from yahoo_panoptes.framework.enrichment import PanoptesEnrichmentGroup, PanoptesEnrichmentSchemaValidator

HEARTBEAT_SCHEMA_NAMESPACE = 'heartbeat_ns'


class PanoptesHeartbeatEnrichmentSchemaValidator(PanoptesEnrichmentSchemaValidator):
    schema = {'enrichment_label': {'type': 'dict', 'schema': {'timestamp': {'type': 'float'}}}}


class PanoptesHeartbeatEnrichmentGroup(PanoptesEnrichmentGroup):
    def __init__(self, enrichment_ttl, execute_frequency):
        super().__init__(HEARTBEAT_SCHEMA_NAMESPACE, PanoptesHeartbeatEnrichmentSchemaValidator(), enrichment_ttl,
                         execute_frequency)
