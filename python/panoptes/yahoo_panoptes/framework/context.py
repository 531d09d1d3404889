"""What the framework's objects know of the host that runs them."""


class PanoptesConfig(object):
    """Of the site's configuration, what plugins may see."""

    def __init__(self, sites, snmp_defaults, x509_defaults):
        self.sites = set(sites)
        self.snmp_defaults = dict(snmp_defaults)
        self.x509_defaults = dict(x509_defaults)


class PanoptesContext(object):
    """`enrichments`: resource id -> namespace -> the text that is stored."""

    def __init__(self, config_object, logger, enrichments):
        self.config_object = config_object
        self.logger = logger
        self.enrichments = enrichments
