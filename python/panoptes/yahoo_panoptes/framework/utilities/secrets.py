"""The store of secrets that operators keep for plugins. Reading it is not supported yet."""
from yahoo_panoptes.framework import const
from yahoo_panoptes.framework.utilities.key_value_store import PanoptesKeyValueStore


class PanoptesSecretsStore(PanoptesKeyValueStore):
    def __init__(self, panoptes_context):
        super().__init__(panoptes_context, const.SECRETS_MANAGER_KEY_VALUE_NAMESPACE)

    get_by_site = PanoptesKeyValueStore._refuse
