"""Runs one plugin once, as the file that is named on the command line says.

    {"type": "discovery", "enrichment" or "polling",
     "name": as in [Core],
     "module": the plugin's code: a file, or the folder of a package,
     "config": section -> option -> text,
     "resource": what the run is about, as PanoptesResource.raw gives it; null for discovery. Metadata
                 that the framework would refuse are left out,
     "sites": [...], "snmp": {...}, "x509": {...},
     "enrichments": resource id -> namespace -> text,
     "level": of the log, "INFO",
     "limit": bytes of the result,
     "result": file for {"kind": "resources", "enrichments" or "metrics", "value": [...]},
     "error": file for {"type", "message", "where"}, an exception}

The result file appears whole; or the error file does, the traceback is printed and the exit status is 1.
"""
import collections
import contextlib
import importlib.util
import json
import logging
import os
import re
import sys
import traceback

from yahoo_panoptes.framework import const
from yahoo_panoptes.framework.context import PanoptesConfig, PanoptesContext
from yahoo_panoptes.framework.plugins.context import PanoptesPluginWithEnrichmentContext
from yahoo_panoptes.framework.resources import PanoptesResource, PanoptesResourceEncoder, PanoptesResourceSet
from yahoo_panoptes.framework.utilities.key_value_store import PanoptesKeyValueStore
from yahoo_panoptes.framework.utilities.secrets import PanoptesSecretsStore

MESSAGE_LENGTH = 4000


# ---- the plugin's code -------------------------------------------------------------------

def load_module(name, path):
    """Imports the code at `path` under a name that is made of the plugin's."""
    module_name = 'yapsy_loaded_plugin_%s_0' % re.sub(r'\W|^(?=\d)', '_', name)
    if os.path.isdir(path):
        spec = importlib.util.spec_from_file_location(module_name, os.path.join(path, '__init__.py'),
                                                      submodule_search_locations=[path])
    else:
        spec = importlib.util.spec_from_file_location(module_name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module


def instantiate(module, category):
    """An instance of the module's first class that is of the category and can be made: its own classes
    come first, as they stand in the file, then those that it imports, by name."""
    named = {name: value for name, value in vars(module).items() if isinstance(value, type)}
    own = module.__name__ + '.'
    classes = [value for value in named.values() if (value.__module__ + '.').startswith(own)]
    classes += [named[name] for name in sorted(named)]
    reasons = {}
    for candidate in dict.fromkeys(classes):
        if not issubclass(candidate, category) or candidate is category:
            continue
        try:
            return candidate()
        except Exception as error:
            reasons[candidate.__name__] = '; %s: %s' % (candidate.__name__, error)
    raise ImportError('no class in %s derives from %s and can be made%s' % (
        module.__file__, category.__name__, ''.join(reasons.values())))


# ---- what it is given --------------------------------------------------------------------

def make_resource(raw):
    resource = PanoptesResource.resource_from_dict(dict(raw, resource_metadata={}))
    for key, value in raw['resource_metadata'].items():
        # A resource that another ecosystem made known may have any.
        with contextlib.suppress(AssertionError, ValueError):
            resource.add_metadata(key, value)
    return resource


def make_context(request):
    logger = logging.getLogger(const.DEFAULT_ROOT_LOGGER_NAME).getChild(request['type'] + '_plugin_agent')
    config = collections.defaultdict(dict, request['config'])
    host = PanoptesContext(PanoptesConfig(request['sites'], request['snmp'], request['x509']), logger,
                           request['enrichments'])
    resource = make_resource(request['resource']) if request['resource'] else None
    enrichment = None
    if config.get('enrichment') and set(config['enrichment']) != {'file'}:
        from yahoo_panoptes.framework.enrichment import PanoptesEnrichmentCache
        enrichment = PanoptesEnrichmentCache(host, config, resource)
    return PanoptesPluginWithEnrichmentContext(
        panoptes_context=host, logger_name=request['type'] + '_plugins', config=config,
        key_value_store=PanoptesKeyValueStore(host, const.PLUGINS_KEY_VALUE_NAMESPACE),
        secrets_store=PanoptesSecretsStore(host), data=resource, enrichment=enrichment)


# ---- what it returns ---------------------------------------------------------------------

def resource_texts(resource_set):
    for resource in resource_set:
        yield json.dumps(resource, cls=PanoptesResourceEncoder, allow_nan=False)


def metrics_texts(group_set):
    from yahoo_panoptes.framework.metrics import PanoptesMetricsGroupEncoder
    for group in group_set:
        try:
            yield json.dumps(group, cls=PanoptesMetricsGroupEncoder, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError('a metrics group of type "%s" cannot be written as JSON: %s' % (group.group_type, error))


def enrichment_texts(result):
    for group_set in sorted(getattr(result, 'enrichment_group_sets', [result])):
        resource_id = group_set.resource.resource_id
        for group in sorted(group_set.enrichment):
            try:
                body = group.serialize()
                json.loads(body, parse_constant=_refuse_constant)
            except (TypeError, ValueError) as error:
                raise ValueError('the enrichment of resource "%s" in namespace "%s" cannot be written as JSON: %s'
                                 % (resource_id, group.namespace, error))
            yield json.dumps({'resource_id': resource_id, 'namespace': group.namespace, 'ttl': group.enrichment_ttl,
                              'body': body})


def _refuse_constant(text):
    raise ValueError('%s is no JSON' % text)


def kind_of(plugin_type):
    """(category of the plugin's class, classes of its result, kind, result -> texts)"""
    if plugin_type == 'discovery':
        from yahoo_panoptes.discovery.panoptes_discovery_plugin import PanoptesDiscoveryPlugin
        return PanoptesDiscoveryPlugin, PanoptesResourceSet, 'resources', resource_texts
    if plugin_type == 'enrichment':
        from yahoo_panoptes.enrichment.enrichment_plugin import PanoptesEnrichmentPlugin
        from yahoo_panoptes.framework.enrichment import PanoptesEnrichmentGroupSet, PanoptesEnrichmentMultiGroupSet
        return (PanoptesEnrichmentPlugin, (PanoptesEnrichmentGroupSet, PanoptesEnrichmentMultiGroupSet),
                'enrichments', enrichment_texts)
    from yahoo_panoptes.framework.metrics import PanoptesMetricsGroupSet
    from yahoo_panoptes.polling.polling_plugin import PanoptesPollingPlugin
    return PanoptesPollingPlugin, PanoptesMetricsGroupSet, 'metrics', metrics_texts


def encode(kind, texts, limit):
    parts, size = [], 0
    for text in texts:
        parts.append(text)
        size += len(text) + 2
        if size > limit:
            raise ValueError('the result has more than %d bytes of JSON' % limit)
    return '{"kind": "%s", "value": [%s]}' % (kind, ', '.join(parts))


def write(path, text):
    with open(path + '.part', 'w', encoding='utf-8') as file:
        file.write(text)
    os.replace(path + '.part', path)


# ---- one run -----------------------------------------------------------------------------

def run(request):
    category, classes, kind, texts = kind_of(request['type'])
    plugin = instantiate(load_module(request['name'], request['module']), category)
    context = make_context(request)
    result = plugin.run(context)
    if result is None:
        context.logger.warning('Plugin did not return any results')
        result = ()
    elif not isinstance(result, classes):
        raise TypeError('Plugin returned an unexpected result type: "%s"' % type(result).__name__)
    write(request['result'], encode(kind, texts(result) if len(result) else (), request['limit']))


def describe(error, module):
    """`where` is the innermost line of the plugin's own code, if one is involved."""
    folder = (module if os.path.isdir(module) else os.path.dirname(module)) + os.sep
    where = ''
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if file.startswith(folder):
            where = '%s line %d' % (os.path.basename(file), line)
    try:
        message = str(error)
    except Exception:
        message = ''
    return {'type': type(error).__name__, 'message': message[:MESSAGE_LENGTH], 'where': where}


def main(path):
    with open(path, encoding='utf-8') as file:
        request = json.load(file)
    logging.basicConfig(format='%(asctime)s %(levelname)s %(name)s: %(message)s')
    logging.getLogger(const.DEFAULT_ROOT_LOGGER_NAME).setLevel(request['level'])
    try:
        run(request)
        status = 0
    except BaseException as error:  # also sys.exit(): a run that ends so has no result
        # Room for what follows, when there was no memory left.
        traceback.clear_frames(error.__traceback__)
        write(request['error'], json.dumps(describe(error, request['module'])))
        traceback.print_exception(type(error), error, error.__traceback__)
        status = 1
    logging.shutdown()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    # Not sys.exit(): a thread that the plugin left behind must not hold up what is decided.
    os._exit(status)


if __name__ == '__main__':
    main(sys.argv[1])
