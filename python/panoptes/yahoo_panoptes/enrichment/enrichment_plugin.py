"""The base class of plugins that say more about a resource."""
import abc

from yahoo_panoptes.polling.polling_plugin import PanoptesPollingPlugin, PanoptesPollingPluginConfigurationError, \
    PanoptesPollingPluginError


class PanoptesEnrichmentPluginError(PanoptesPollingPluginError):
    pass


class PanoptesEnrichmentPluginConfigurationError(PanoptesPollingPluginConfigurationError):
    pass


class PanoptesEnrichmentPlugin(PanoptesPollingPlugin):
    @abc.abstractmethod
    def run(self, context):
        """Returns a PanoptesEnrichmentGroupSet, or several of them in a PanoptesEnrichmentMultiGroupSet."""
