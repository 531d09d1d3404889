"""What the three kinds of plugin have in common."""
import abc

from yahoo_panoptes.framework.exceptions import PanoptesBaseException


class PanoptesPluginConfigurationError(PanoptesBaseException):
    """The definition file does not say what the plugin needs."""


class PanoptesPluginRuntimeError(PanoptesBaseException):
    pass


class PanoptesBasePlugin(metaclass=abc.ABCMeta):
    """An instance lives for one run."""

    is_activated = False

    def activate(self):
        self.is_activated = True

    def deactivate(self):
        self.is_activated = False

    @abc.abstractmethod
    def run(self, context):
        """Does the work and returns the result that its kind of plugin gives."""
