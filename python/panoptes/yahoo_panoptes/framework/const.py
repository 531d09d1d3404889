"""Names and numbers that plugins and the framework share."""

DEFAULT_ROOT_LOGGER_NAME = 'panoptes'

KEY_VALUE_NAMESPACE_PREFIX = 'panoptes:'
KV_STORE_DELIMITER = '|'
PLUGINS_KEY_VALUE_NAMESPACE = KEY_VALUE_NAMESPACE_PREFIX + 'plugins_kv'
SECRETS_MANAGER_KEY_VALUE_NAMESPACE = KEY_VALUE_NAMESPACE_PREFIX + 'secrets'

# Seconds that a resource lives unless it is reported again.
RESOURCE_MANAGER_RESOURCE_EXPIRE = 604800

# Degrees Celsius: no sensor shows more.
MELTING_POINT_STEEL = 1371
