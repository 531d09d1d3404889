"""What a plugin is given when it runs."""


class PanoptesPluginContext(object):
    def __init__(self, panoptes_context, logger_name, config, key_value_store, secrets_store, data=None):
        self._logger = panoptes_context.logger.getChild(logger_name)
        self._config = config
        self._kv = key_value_store
        self._secrets = secrets_store
        self._data = data
        self._site_config = panoptes_context.config_object

    @property
    def config(self):
        """Section -> option -> text, of the plugin's own definition file."""
        return self._config

    @property
    def logger(self):
        return self._logger

    @property
    def data(self):
        """The resource that the run is about; None for discovery."""
        return self._data

    @property
    def kv(self):
        return self._kv

    @property
    def secrets(self):
        return self._secrets

    @property
    def sites(self):
        return self._site_config.sites

    @property
    def snmp(self):
        return self._site_config.snmp_defaults

    @property
    def x509(self):
        return self._site_config.x509_defaults


class PanoptesPluginWithEnrichmentContext(PanoptesPluginContext):
    def __init__(self, panoptes_context, logger_name, config, key_value_store, secrets_store, data=None,
                 enrichment=None):
        super().__init__(panoptes_context, logger_name, config, key_value_store, secrets_store, data)
        self._enrichment = enrichment

    @property
    def enrichment(self):
        """A PanoptesEnrichmentCache; None if the definition file asks for none."""
        return self._enrichment


class PanoptesPluginContextValidators(object):
    @classmethod
    def valid_panoptes_plugin_context(cls, panoptes_plugin_context):
        return isinstance(panoptes_plugin_context, PanoptesPluginContext)
