"""The base class of plugins that measure."""
import abc

from yahoo_panoptes.framework.exceptions import PanoptesBaseException
from yahoo_panoptes.framework.plugins.panoptes_base_plugin import PanoptesBasePlugin, PanoptesPluginConfigurationError


class PanoptesPollingPluginError(PanoptesBaseException):
    pass


class PanoptesPollingPluginConfigurationError(PanoptesPluginConfigurationError):
    pass


class PanoptesPollingPlugin(PanoptesBasePlugin):
    @abc.abstractmethod
    def run(self, context):
        """Returns a PanoptesMetricsGroupSet about the resource `context.data`."""
