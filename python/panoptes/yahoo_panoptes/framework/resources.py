"""Resources: what plugins run about, and sets of them."""
import hashlib
import json
from time import time

from yahoo_panoptes.framework import const
from yahoo_panoptes.framework.exceptions import PanoptesBaseException
from yahoo_panoptes.framework.validators import NAME, PanoptesValidators


class PanoptesResourceError(PanoptesBaseException):
    pass


class PanoptesResourceCacheException(PanoptesResourceError):
    pass


class PanoptesResourceEncoder(json.JSONEncoder):
    def default(self, o):
        if isinstance(o, PanoptesResource):
            return o.raw
        if isinstance(o, set):
            return list(o)
        return super().default(o)


class PanoptesResource(object):
    """Equal if site, class, subclass, type and id are, whoever made it known."""

    def __init__(self, resource_site, resource_class, resource_subclass, resource_type, resource_id, resource_endpoint,
                 resource_creation_timestamp=None, resource_plugin=None,
                 resource_ttl=const.RESOURCE_MANAGER_RESOURCE_EXPIRE):
        data = {'resource_site': resource_site, 'resource_class': resource_class,
                'resource_subclass': resource_subclass, 'resource_type': resource_type, 'resource_id': resource_id,
                'resource_endpoint': resource_endpoint}
        for name, value in data.items():
            assert PanoptesValidators.valid_nonempty_string(value), name + ' must be a non-empty string'
        assert PanoptesValidators.valid_none_or_nonempty_string(resource_plugin), \
            'resource_plugin must be None or a non-empty string'
        assert PanoptesValidators.valid_nonzero_integer(resource_ttl), 'resource_ttl must be an integer above zero'
        data['resource_metadata'] = {'_resource_ttl': str(resource_ttl)}
        data['resource_creation_timestamp'] = resource_creation_timestamp or time()
        data['resource_plugin'] = resource_plugin
        self.__data = data

    @staticmethod
    def resource_from_dict(resource_dict):
        """From what `raw` gives; all of its keys must be there, '_resource_ttl' among the metadata need not."""
        resource = PanoptesResource(**{name: resource_dict[name] for name in (
            'resource_site', 'resource_class', 'resource_subclass', 'resource_type', 'resource_id',
            'resource_endpoint', 'resource_creation_timestamp', 'resource_plugin')})
        for key, value in resource_dict['resource_metadata'].items():
            resource.add_metadata(key, value)
        return resource

    def add_metadata(self, key, value):
        for name, text in (('metadata key', key), ('metadata value', value)):
            assert PanoptesValidators.valid_nonempty_string(text), name + ' must be a non-empty string'
        if not NAME.match(key):
            raise ValueError('metadata key "%s" is not a letter or underscore followed by letters, digits and '
                             'underscores' % key)
        if const.KV_STORE_DELIMITER in value:
            raise ValueError('metadata value "%s" contains "%s"' % (value, const.KV_STORE_DELIMITER))
        self.__data['resource_metadata'][key] = value

    @property
    def resource_site(self):
        return self.__data['resource_site']

    @property
    def resource_class(self):
        return self.__data['resource_class']

    @property
    def resource_subclass(self):
        return self.__data['resource_subclass']

    @property
    def resource_type(self):
        return self.__data['resource_type']

    @property
    def resource_id(self):
        return self.__data['resource_id']

    @property
    def resource_endpoint(self):
        return self.__data['resource_endpoint']

    @property
    def resource_metadata(self):
        return self.__data['resource_metadata']

    @property
    def resource_creation_timestamp(self):
        return self.__data['resource_creation_timestamp']

    @property
    def resource_plugin(self):
        return self.__data['resource_plugin']

    @property
    def resource_ttl(self):
        """Seconds, as text."""
        return self.resource_metadata['_resource_ttl']

    @property
    def serialization_key(self):
        """Names the resource and who made it known. TypeError if nobody did."""
        return const.KV_STORE_DELIMITER.join([
            'plugin', self.resource_plugin, 'site', self.resource_site, 'class', self.resource_class,
            'subclass', self.resource_subclass, 'type', self.resource_type, 'id', self.resource_id,
            'endpoint', self.resource_endpoint])

    @property
    def raw(self):
        return self.__data

    @property
    def json(self):
        return json.dumps(self.__data)

    def __identity(self):
        return (self.resource_site, self.resource_class, self.resource_subclass, self.resource_type, self.resource_id)

    def __repr__(self):
        return self.serialization_key

    def __hash__(self):
        return int(hashlib.md5(self.serialization_key.encode('utf-8')).hexdigest(), 16)

    def __eq__(self, other):
        return isinstance(other, PanoptesResource) and self.__identity() == other.__identity()

    def __lt__(self, other):
        if not isinstance(other, PanoptesResource):
            return NotImplemented
        return self.resource_id < other.resource_id


class PanoptesResourceValidators(object):
    @classmethod
    def valid_panoptes_resource(cls, resource):
        return isinstance(resource, PanoptesResource)


class PanoptesResourceSet(object):
    def __init__(self):
        self.__data = {'resources': set(), 'resource_set_creation_timestamp': time(),
                       'resource_set_schema_version': '0.1'}

    @property
    def resources(self):
        return self.__data['resources']

    @property
    def resource_set_creation_timestamp(self):
        return self.__data['resource_set_creation_timestamp']

    @resource_set_creation_timestamp.setter
    def resource_set_creation_timestamp(self, timestamp):
        assert PanoptesValidators.valid_timestamp(timestamp), \
            'timestamp must be in seconds, of the last seven days and at most a minute ahead'
        self.__data['resource_set_creation_timestamp'] = timestamp

    @property
    def resource_set_schema_version(self):
        return self.__data['resource_set_schema_version']

    def add(self, resource):
        assert isinstance(resource, PanoptesResource), 'resource must be a PanoptesResource'
        self.resources.add(resource)

    def remove(self, resource):
        assert isinstance(resource, PanoptesResource), 'resource must be a PanoptesResource'
        self.resources.remove(resource)

    def get_resources_by_site(self):
        by_site = {}
        for resource in self.resources:
            by_site.setdefault(resource.resource_site, []).append(resource)
        return by_site

    @property
    def json(self):
        return json.dumps(self.__data, cls=PanoptesResourceEncoder)

    def __iter__(self):
        return iter(self.resources)

    def __next__(self):
        return next(iter(self.resources))

    def __len__(self):
        return len(self.resources)

    def __repr__(self):
        return 'PanoptesResourceSet[%s]' % ','.join(repr(resource) for resource in sorted(self.resources))
