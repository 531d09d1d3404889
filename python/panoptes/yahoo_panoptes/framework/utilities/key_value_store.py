"""The stores that plugins share. Reading and writing them is not supported yet."""


class PanoptesKeyValueStoreException(BaseException):
    """No Exception: plugins that catch those do not take it for an error of their own."""


class PanoptesKeyValueStore(object):
    """Has a namespace; any use of its contents raises PanoptesKeyValueStoreException."""

    def __init__(self, panoptes_context, namespace):
        self._context = panoptes_context
        self._namespace = namespace

    @property
    def namespace(self):
        return self._namespace

    def _refuse(self, *args, **kwargs):
        raise PanoptesKeyValueStoreException('the key/value store "%s" is not supported yet' % self._namespace)

    get = set = getset = ttl = find_keys = delete = set_add = set_members = _refuse
