"""The base class of plugins that make resources known."""
import abc

from yahoo_panoptes.framework.exceptions import PanoptesBaseException
from yahoo_panoptes.framework.plugins.panoptes_base_plugin import PanoptesBasePlugin


class PanoptesDiscoveryPluginError(PanoptesBaseException):
    pass


class PanoptesDiscoveryPlugin(PanoptesBasePlugin):
    @abc.abstractmethod
    def run(self, context):
        """Returns a PanoptesResourceSet: every resource of its sites that the plugin knows of."""
