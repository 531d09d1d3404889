"""Enrichments: sets of facts, in groups with a namespace and a time to live, about a resource."""
import json
import time

from yahoo_panoptes.framework.context import PanoptesContext
from yahoo_panoptes.framework.exceptions import PanoptesBaseException
from yahoo_panoptes.framework.resources import PanoptesResource
from yahoo_panoptes.framework.validators import PanoptesValidators


class PanoptesEnrichmentException(PanoptesBaseException):
    pass


class PanoptesEnrichmentCacheError(PanoptesBaseException):
    pass


class PanoptesEnrichmentEncoder(json.JSONEncoder):
    def default(self, o):
        if isinstance(o, set):
            return list(o)
        if isinstance(o, PanoptesResource):
            return o.raw
        if isinstance(o, (PanoptesEnrichmentSet, PanoptesEnrichmentGroup, PanoptesEnrichmentGroupSet)):
            return o._raw_data
        return super().default(o)


def _to_json(value):
    return json.dumps(value, sort_keys=True, cls=PanoptesEnrichmentEncoder)


def _bytes_as_text(value):
    if isinstance(value, bytes):
        return value.decode('ascii', 'ignore') + '__decoded'
    raise TypeError('Object of type %s is not JSON serializable' % type(value).__name__)


class PanoptesEnrichmentSchemaValidator(object):
    """`schema` is a Cerberus schema with one key, 'enrichment_label', that stands for the key of any set."""

    schema = {}

    def __init__(self):
        assert isinstance(self.schema, dict) and self.schema, 'schema must be a dict that is not empty'
        self._validator = None

    def validate(self, enrichment_set):
        assert isinstance(enrichment_set, PanoptesEnrichmentSet), 'enrichment_set must be a PanoptesEnrichmentSet'
        if self._validator is None:
            # Slow to import, and most plugins have no use for it.
            from cerberus import Validator
            self._validator = Validator(self.schema)
        return self._validator.validate({'enrichment_label': enrichment_set.value})


class PanoptesEnrichmentSet(object):
    """Facts under one key. Equal if the keys are."""

    def __init__(self, key, value=None):
        assert PanoptesValidators.valid_nonempty_string(key), 'key must be a non-empty string'
        value = {} if value is None else value
        assert isinstance(value, dict), 'value must be a dict'
        self._key = key
        self._value = value

    @property
    def key(self):
        return self._key

    @property
    def value(self):
        return self._value

    @property
    def _raw_data(self):
        return {self._key: self._value}

    def add(self, enrichment_key, enrichment_value):
        self._value[enrichment_key] = enrichment_value

    def json(self):
        return _to_json(self)

    def __repr__(self):
        facts = ','.join('%s:%s' % (key, self._value[key]) for key in sorted(self._value, key=str))
        return 'PanoptesEnrichmentSet[%s[%s]]' % (self._key, facts)

    def __len__(self):
        return len(self._value)

    def __hash__(self):
        return hash(self._key)

    def __eq__(self, other):
        return isinstance(other, PanoptesEnrichmentSet) and self._key == other._key

    def __lt__(self, other):
        if not isinstance(other, PanoptesEnrichmentSet):
            return NotImplemented
        return self._key < other._key


class PanoptesEnrichmentGroup(object):
    """Sets of one schema. Equal if the namespaces are."""

    def __init__(self, namespace, schema_validator, enrichment_ttl, execute_frequency):
        assert PanoptesValidators.valid_nonempty_string(namespace), 'namespace must be a non-empty string'
        assert isinstance(schema_validator, PanoptesEnrichmentSchemaValidator), \
            'schema_validator must be a PanoptesEnrichmentSchemaValidator'
        assert PanoptesValidators.valid_nonzero_integer(enrichment_ttl), 'enrichment_ttl must be an integer above zero'
        assert PanoptesValidators.valid_nonzero_integer(execute_frequency), \
            'execute_frequency must be an integer above zero'
        self._namespace = namespace
        self._validator = schema_validator
        self._data = set()
        self._metadata = {'_enrichment_group_creation_timestamp': time.time(), '_enrichment_ttl': enrichment_ttl,
                          '_execute_frequency': execute_frequency}

    @property
    def namespace(self):
        return self._namespace

    @property
    def validator(self):
        return self._validator

    @property
    def enrichment_schema(self):
        return self._validator.schema

    @property
    def data(self):
        return self._data

    @property
    def metadata(self):
        return self._metadata

    @property
    def enrichment_ttl(self):
        return self._metadata['_enrichment_ttl']

    @property
    def execute_frequency(self):
        return self._metadata['_execute_frequency']

    @property
    def enrichment_group_creation_timestamp(self):
        return self._metadata['_enrichment_group_creation_timestamp']

    @property
    def _raw_data(self):
        return {'namespace': self._namespace, 'metadata': self._metadata, 'data': self._data}

    def add_enrichment_set(self, enrichment_set):
        """In place of one with the same key."""
        assert isinstance(enrichment_set, PanoptesEnrichmentSet), 'enrichment_set must be a PanoptesEnrichmentSet'
        assert self._validator.validate(enrichment_set), 'schema validation failed for enrichment_set data'
        self._data.discard(enrichment_set)
        self._data.add(enrichment_set)

    def upsert_metadata(self, metadata_key, metadata_value):
        assert PanoptesValidators.valid_nonempty_string(metadata_key), 'metadata_key must be a non-empty string'
        assert PanoptesValidators.valid_number(metadata_value) or isinstance(metadata_value, str), \
            'metadata_value must be a string or a number'
        if metadata_key.startswith('_'):
            raise ValueError('metadata key "%s": keys with "_" in front are reserved' % metadata_key)
        self._metadata[metadata_key] = metadata_value

    def json(self):
        return _to_json(self)

    def _by_key(self):
        return {enrichment_set.key: enrichment_set.value for enrichment_set in self._data}

    def serialize_data(self):
        return json.dumps(self._by_key(), sort_keys=True)

    def serialize(self):
        """As it is stored, and as a PanoptesEnrichmentCache reads it."""
        return json.dumps({'data': self._by_key(), 'metadata': self._metadata}, sort_keys=True, default=_bytes_as_text)

    def __repr__(self):
        words = ['namespace:%s' % self._namespace, 'enrichment_ttl:%s' % self.enrichment_ttl,
                 'execute_frequency:%s' % self.execute_frequency,
                 'enrichment_group_creation_timestamp:%s' % self.enrichment_group_creation_timestamp]
        return 'PanoptesEnrichmentGroup[%s]' % ','.join(words + [repr(one) for one in sorted(self._data)])

    def __len__(self):
        return len(self._data)

    def __hash__(self):
        return hash(self._namespace)

    def __eq__(self, other):
        return isinstance(other, PanoptesEnrichmentGroup) and self._namespace == other._namespace

    def __lt__(self, other):
        if not isinstance(other, PanoptesEnrichmentGroup):
            return NotImplemented
        return self._namespace < other._namespace


class PanoptesEnrichmentGroupSet(object):
    """Groups about one resource. Equal if the resources' ids and the namespaces are."""

    def __init__(self, resource):
        assert isinstance(resource, PanoptesResource), 'resource must be a PanoptesResource'
        self._resource = resource
        self._enrichment = set()
        self._creation_timestamp = time.time()

    @property
    def resource(self):
        return self._resource

    @property
    def enrichment(self):
        return self._enrichment

    @property
    def enrichment_group_set_creation_timestamp(self):
        return self._creation_timestamp

    @property
    def _raw_data(self):
        return {'resource': self._resource, 'enrichment': self._enrichment,
                'enrichment_group_set_creation_timestamp': self._creation_timestamp}

    def add_enrichment_group(self, enrichment_group):
        """In place of one with the same namespace."""
        assert isinstance(enrichment_group, PanoptesEnrichmentGroup), \
            'enrichment_group must be a PanoptesEnrichmentGroup'
        assert len(enrichment_group) > 0, 'enrichment_group must hold at least one set'
        self._enrichment.discard(enrichment_group)
        self._enrichment.add(enrichment_group)

    def json(self):
        return _to_json(self)

    def __identity(self):
        return self._resource.resource_id, tuple(sorted(group.namespace for group in self._enrichment))

    def __repr__(self):
        words = ['resource:%r' % self._resource,
                 'enrichment_group_set_creation_timestamp:%s' % self._creation_timestamp]
        return 'PanoptesEnrichmentGroupSet[%s]' % ','.join(words + [repr(one) for one in sorted(self._enrichment)])

    def __len__(self):
        return len(self._enrichment)

    def __hash__(self):
        return hash(self.__identity())

    def __eq__(self, other):
        return isinstance(other, PanoptesEnrichmentGroupSet) and self.__identity() == other.__identity()

    def __lt__(self, other):
        if not isinstance(other, PanoptesEnrichmentGroupSet):
            return NotImplemented
        return self.__identity() < other.__identity()


class PanoptesEnrichmentMultiGroupSet(object):
    """Group sets, of which each may be about another resource."""

    def __init__(self):
        self._group_sets = set()

    @property
    def enrichment_group_sets(self):
        return self._group_sets

    def add_enrichment_group_set(self, enrichment_group_set):
        assert isinstance(enrichment_group_set, PanoptesEnrichmentGroupSet), \
            'enrichment_group_set must be a PanoptesEnrichmentGroupSet'
        assert len(enrichment_group_set) > 0, 'enrichment_group_set must hold at least one group'
        self._group_sets.add(enrichment_group_set)

    def json(self):
        return _to_json({'group_sets': self._group_sets})

    def __repr__(self):
        return 'PanoptesEnrichmentMultiGroupSet[%s]' % ','.join(map(repr, sorted(self._group_sets)))

    def __len__(self):
        return len(self._group_sets)


class PanoptesEnrichmentCache(object):
    """Enrichments by resource id and namespace; the id 'self' is that of `resource`.

    Reads what [enrichment] preload names, and anything else when it is asked for."""

    def __init__(self, panoptes_context, plugin_conf, resource):
        assert isinstance(panoptes_context, PanoptesContext), 'panoptes_context must be a PanoptesContext'
        assert isinstance(plugin_conf, dict), 'plugin_conf must be a dict'
        assert isinstance(resource, PanoptesResource), 'resource must be a PanoptesResource'
        self._logger = panoptes_context.logger
        self._stored = panoptes_context.enrichments
        self._self_id = resource.resource_id
        self._enrichment_data = {}
        self._preload_conf = _parse_preload(plugin_conf.get('enrichment', {}).get('preload'))
        for resource_id, namespace in sorted(self._preload_conf):
            resource_id = self._id(resource_id)
            for one in self._stored.get(resource_id, {}) if namespace == '*' else [namespace]:
                self._load(resource_id, one)

    def get_enrichment(self, resource_id, namespace):
        assert PanoptesValidators.valid_nonempty_string(resource_id), 'resource_id must be a non-empty string'
        assert PanoptesValidators.valid_nonempty_string(namespace), 'namespace must be a non-empty string'
        resource_id = self._id(resource_id)
        if namespace not in self._enrichment_data.get(resource_id, {}):
            self._load(resource_id, namespace)
        try:
            return self._enrichment_data[resource_id][namespace]
        except KeyError:
            raise PanoptesEnrichmentCacheError(
                'no enrichment of resource "%s" in namespace "%s"' % (resource_id, namespace)) from None

    def get_enrichment_value(self, resource_id, namespace, enrichment_key):
        assert PanoptesValidators.valid_nonempty_string(enrichment_key), 'enrichment_key must be a non-empty string'
        facts = self.get_enrichment(resource_id, namespace)
        if enrichment_key not in facts:
            raise PanoptesEnrichmentCacheError('no key "%s" in the enrichment of resource "%s" in namespace "%s"'
                                               % (enrichment_key, self._id(resource_id), namespace))
        return facts[enrichment_key]

    def get_enrichment_keys(self, resource_id, namespace):
        return list(self.get_enrichment(resource_id, namespace))

    def _id(self, resource_id):
        return self._self_id if resource_id == 'self' else resource_id

    def _load(self, resource_id, namespace):
        text = self._stored.get(resource_id, {}).get(namespace)
        if text is None:
            return self._logger.error('no enrichment of resource "%s" in namespace "%s"', resource_id, namespace)
        try:
            self._enrichment_data.setdefault(resource_id, {})[namespace] = json.loads(text)['data']
        except Exception as error:
            raise IOError('the enrichment of resource "%s" in namespace "%s" cannot be read: %r'
                          % (resource_id, namespace, error))


def _parse_preload(preload):
    """'self:interface, other:*' becomes {('self', 'interface'), ('other', '*')}."""
    if not PanoptesValidators.valid_nonempty_string(preload):
        raise PanoptesEnrichmentCacheError('[enrichment] preload: expected "resource_id:namespace, ...", got %r'
                                           % (preload,))
    pairs = set()
    for item in preload.split(','):
        resource_id, _, namespace = (word.strip() for word in item.rpartition(':'))
        if not resource_id or not namespace:
            raise PanoptesEnrichmentCacheError('[enrichment] preload: "%s" is not "resource_id:namespace"'
                                               % item.strip())
        pairs.add((resource_id, namespace))
    return pairs
