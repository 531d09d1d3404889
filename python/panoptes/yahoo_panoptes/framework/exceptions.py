"""The root of the framework's exceptions."""


class PanoptesBaseException(Exception):
    """Caught by whoever wants every error of the framework."""
