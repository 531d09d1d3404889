"""Metrics with their types, and groups of them with their dimensions."""
import json
from time import time

from yahoo_panoptes.framework.exceptions import PanoptesBaseException
from yahoo_panoptes.framework.resources import PanoptesResource
from yahoo_panoptes.framework.validators import NAME, PanoptesValidators

METRICS_TIMESTAMP_PRECISION = 3
METRICS_GROUP_SCHEMA_VERSION = '0.2'


class PanoptesMetricsException(PanoptesBaseException):
    pass


class PanoptesMetricsNullException(PanoptesMetricsException):
    """There is nothing to report."""


class PanoptesMetricType(object):
    GAUGE = 0
    COUNTER = 1


METRIC_TYPE_NAMES = {PanoptesMetricType.GAUGE: 'GAUGE', PanoptesMetricType.COUNTER: 'COUNTER'}


class PanoptesMetricsGroupEncoder(json.JSONEncoder):
    def default(self, o):
        if isinstance(o, (PanoptesMetric, PanoptesMetricDimension, PanoptesMetricsGroup, PanoptesResource)):
            return o.raw
        if isinstance(o, set):
            return list(o)
        return super().default(o)


def _now():
    return round(time(), METRICS_TIMESTAMP_PRECISION)


def _require_name(name, what):
    assert PanoptesValidators.valid_nonempty_string(name), what + ' must be a non-empty string'
    if not NAME.match(name):
        raise ValueError('%s "%s" is not a letter or underscore followed by letters, digits and underscores'
                         % (what, name))


class PanoptesMetric(object):
    """Equal if name, value and type are."""

    __slots__ = ('_name', '_value', '_type', '_timestamp')

    def __init__(self, metric_name, metric_value, metric_type, metric_creation_timestamp=None):
        _require_name(metric_name, 'metric_name')
        assert PanoptesValidators.valid_number(metric_value), 'metric_value must be a number'
        assert PanoptesMetricValidators.valid_panoptes_metric_type(metric_type), \
            'metric_type must be one of PanoptesMetricType'
        self._name = metric_name
        self._value = metric_value
        self._type = metric_type
        self._timestamp = (_now() if metric_creation_timestamp is None
                           else round(metric_creation_timestamp, METRICS_TIMESTAMP_PRECISION))

    @property
    def metric_name(self):
        return self._name

    @property
    def metric_value(self):
        return self._value

    @property
    def metric_timestamp(self):
        return self._timestamp

    @property
    def metric_type(self):
        return self._type

    @property
    def raw(self):
        return {'metric_creation_timestamp': self._timestamp, 'metric_name': self._name,
                'metric_value': self._value, 'metric_type': METRIC_TYPE_NAMES[self._type].lower()}

    @property
    def json(self):
        return json.dumps(self.raw, sort_keys=True)

    def __repr__(self):
        return 'PanoptesMetric[%s|%s|%s|%s]' % (self._name, self._value, METRIC_TYPE_NAMES[self._type],
                                                self._timestamp)

    def __str__(self):
        return '%s|%s|%s' % (self._name, self._value, self._type)

    def __hash__(self):
        return hash(self._name + str(self._value))

    def __eq__(self, other):
        return (isinstance(other, PanoptesMetric)
                and (self._name, self._value, self._type) == (other._name, other._value, other._type))

    def __lt__(self, other):
        if not isinstance(other, PanoptesMetric):
            return NotImplemented
        return self._name < other._name


class PanoptesMetricDimension(object):
    """Equal if name and value are."""

    __slots__ = ('_name', '_value')

    def __init__(self, name, value):
        _require_name(name, 'name')
        assert PanoptesValidators.valid_nonempty_string(value), 'value must be a non-empty string'
        self._name = name
        self._value = value

    @property
    def name(self):
        return self._name

    @property
    def value(self):
        return self._value

    @property
    def raw(self):
        return {'dimension_name': self._name, 'dimension_value': self._value}

    @property
    def json(self):
        return json.dumps(self.raw)

    def __repr__(self):
        return 'PanoptesMetricDimension[%s]' % self

    def __str__(self):
        return '%s|%s' % (self._name, self._value)

    def __hash__(self):
        return hash(self._name + self._value)

    def __eq__(self, other):
        return (isinstance(other, PanoptesMetricDimension)
                and (self._name, self._value) == (other._name, other._value))

    def __lt__(self, other):
        if not isinstance(other, PanoptesMetricDimension):
            return NotImplemented
        return self._name < other._name


class PanoptesMetricsGroup(object):
    """Equal if resource, metrics and dimensions are; the type of the group does not count."""

    def __init__(self, resource, group_type, interval, creation_timestamp=None):
        assert PanoptesMetricValidators.valid_panoptes_resource(resource), 'resource must be a PanoptesResource'
        assert PanoptesValidators.valid_nonempty_string(group_type), 'group_type must be a non-empty string'
        assert PanoptesValidators.valid_nonzero_integer(interval), 'interval must be an integer above zero'
        self._resource = resource
        self._group_type = group_type
        self._interval = interval
        self._creation_timestamp = _now() if creation_timestamp is None else creation_timestamp
        self._metrics = {}
        self._dimensions = {}

    @property
    def resource(self):
        return self._resource

    @property
    def group_type(self):
        return self._group_type

    @property
    def interval(self):
        return self._interval

    @property
    def schema_version(self):
        return METRICS_GROUP_SCHEMA_VERSION

    @property
    def creation_timestamp(self):
        return self._creation_timestamp

    @property
    def metrics(self):
        return sorted(self._metrics.values())

    @property
    def dimensions(self):
        return sorted(self._dimensions.values())

    def add_metric(self, metric):
        assert PanoptesMetricValidators.valid_panoptes_metric(metric), 'metric must be a PanoptesMetric'
        key = (metric.metric_name, metric.metric_type)
        if key in self._metrics:
            raise KeyError('metric "%s" of type %s is there already' % (key[0], METRIC_TYPE_NAMES[key[1]]))
        self._metrics[key] = metric

    def add_dimension(self, dimension):
        assert PanoptesMetricValidators.valid_panoptes_metric_dimension(dimension), \
            'dimension must be a PanoptesMetricDimension'
        if dimension.name in self._dimensions:
            raise KeyError('dimension "%s" is there already' % dimension.name)
        self._dimensions[dimension.name] = dimension

    def upsert_dimension(self, dimension):
        assert PanoptesMetricValidators.valid_panoptes_metric_dimension(dimension), \
            'dimension must be a PanoptesMetricDimension'
        self._dimensions[dimension.name] = dimension

    def get_dimension_by_name(self, dimension_name):
        return self._dimensions.get(dimension_name)

    def contains_dimension_by_name(self, dimension_name):
        return dimension_name in self._dimensions

    def delete_dimension_by_name(self, dimension_name):
        self._dimensions.pop(dimension_name, None)

    def copy(self, retain_timestamp=True):
        twin = PanoptesMetricsGroup(self._resource, self._group_type, self._interval,
                                    self._creation_timestamp if retain_timestamp else None)
        twin._metrics = dict(self._metrics)
        twin._dimensions = dict(self._dimensions)
        return twin

    @staticmethod
    def flatten_dimensions(dimensions):
        """Name -> value, of the dimensions in a group's JSON."""
        return {dimension['dimension_name']: dimension['dimension_value'] for dimension in dimensions}

    @staticmethod
    def flatten_metrics(metrics):
        """Type -> name -> {'value', 'timestamp'}, of the metrics in a group's JSON."""
        flat = {'counter': {}, 'gauge': {}}
        for metric in metrics:
            flat[metric['metric_type']][metric['metric_name']] = {
                'value': metric['metric_value'], 'timestamp': metric['metric_creation_timestamp']}
        return flat

    @property
    def raw(self):
        return {'metrics_group_type': self._group_type, 'metrics_group_interval': self._interval,
                'metrics_group_creation_timestamp': self._creation_timestamp,
                'metrics_group_schema_version': METRICS_GROUP_SCHEMA_VERSION, 'resource': self._resource,
                'metrics': list(self._metrics.values()), 'dimensions': list(self._dimensions.values())}

    @property
    def json(self):
        return json.dumps(self, cls=PanoptesMetricsGroupEncoder)

    def __texts(self):
        return (str(self._resource), tuple(str(metric) for metric in self.metrics),
                tuple(str(dimension) for dimension in self.dimensions))

    def __repr__(self):
        return ('PanoptesMetricsGroup[resource:%r,interval:%s,schema_version:%s,group_type:%s,creation_timestamp:%s,'
                'dimensions:[%s],metrics:[%s]]'
                % (self._resource, self._interval, self.schema_version, self._group_type, self._creation_timestamp,
                   ','.join(map(repr, self.dimensions)), ','.join(map(repr, self.metrics))))

    def __hash__(self):
        return hash(self.__texts())

    def __eq__(self, other):
        return (isinstance(other, PanoptesMetricsGroup) and self._resource == other._resource
                and self.metrics == other.metrics and self.dimensions == other.dimensions)

    def __lt__(self, other):
        if not isinstance(other, PanoptesMetricsGroup):
            return NotImplemented
        return self._group_type < other._group_type


class PanoptesMetricValidators(object):
    @classmethod
    def valid_panoptes_metric_type(cls, metric_type):
        return type(metric_type) is int and metric_type in METRIC_TYPE_NAMES

    @classmethod
    def valid_panoptes_metric(cls, metric):
        return isinstance(metric, PanoptesMetric)

    @classmethod
    def valid_panoptes_metric_dimension(cls, dimension):
        return isinstance(dimension, PanoptesMetricDimension)

    @classmethod
    def valid_panoptes_metrics_group(cls, metrics_group):
        return isinstance(metrics_group, PanoptesMetricsGroup)

    @classmethod
    def valid_panoptes_resource(cls, resource):
        return isinstance(resource, PanoptesResource)


class _MembersOfOneClass(object):
    """A set that takes instances of one class."""

    _member = None

    def __init__(self):
        self._members = set()

    def add(self, member):
        self._require(member)
        self._members.add(member)

    def remove(self, member):
        self._require(member)
        self._members.remove(member)

    def _require(self, member):
        assert isinstance(member, self._member), 'it must be a ' + self._member.__name__

    def __iter__(self):
        return iter(self._members)

    def __next__(self):
        return next(iter(self._members))

    def __len__(self):
        return len(self._members)

    def __repr__(self):
        return '%s[%s]' % (type(self).__name__, ','.join(map(repr, sorted(self._members))))


class PanoptesMetricSet(_MembersOfOneClass):
    _member = PanoptesMetric

    @property
    def metrics(self):
        return self._members


class PanoptesMetricsGroupSet(_MembersOfOneClass):
    _member = PanoptesMetricsGroup

    @property
    def metrics_groups(self):
        return self._members

    def __add__(self, other):
        """All groups of both. TypeError if the other is no such set, or is empty."""
        if not isinstance(other, PanoptesMetricsGroupSet) or len(other) == 0:
            raise TypeError('only a PanoptesMetricsGroupSet with groups can be added')
        union = PanoptesMetricsGroupSet()
        union._members = self._members | other._members
        return union
