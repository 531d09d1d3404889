"""Conversions and small services for plugins. What is slow to import is imported on use."""
import io
import os
import re
import sys
import threading

from yahoo_panoptes.framework.exceptions import PanoptesBaseException
from yahoo_panoptes.framework.validators import PanoptesValidators


class PanoptesConfigurationParsingError(PanoptesBaseException):
    pass


def is_python_2():
    return False


def normalize_plugin_name(plugin_name):
    """A name of letters, digits and underscores: '_' is doubled, then anything else becomes '_'."""
    assert PanoptesValidators.valid_nonempty_string(plugin_name), 'plugin_name must be a non-empty string'
    return re.sub('[^A-Za-z0-9_]', '_', plugin_name.replace('_', '__'))


def get_module_mtime(module_path):
    """When the code at `module_path` (a folder, or a file without '.py') last changed, in whole
    seconds; 0 if there is none."""
    assert PanoptesValidators.valid_nonempty_string(module_path), 'module_path must be a non-empty string'
    if os.path.isdir(module_path):
        return max((int(entry.stat().st_mtime) for entry in os.scandir(module_path)), default=0)
    source = module_path + '.py'
    return int(os.path.getmtime(source)) if os.path.isfile(source) else 0


def _in_parallel(function, items, seconds):
    """[function(item)], with None for those that fail or do not end in time."""
    import time
    results = [None] * len(items)

    def one(index, item):
        try:
            results[index] = function(item)
        except OSError:
            pass

    # Daemons: a name server that does not answer must not keep the process alive.
    threads = [threading.Thread(target=one, args=pair, daemon=True) for pair in enumerate(items)]
    end = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    return list(results)


def resolve_hostnames(hostnames, timeout):
    """[(host name, address or None)]; `timeout` seconds for all of them."""
    import socket
    assert PanoptesValidators.valid_nonempty_iterable_of_strings(hostnames), 'hostnames must be a list of strings'
    assert PanoptesValidators.valid_nonzero_integer(timeout), 'timeout must be an integer above zero'
    hostnames = list(hostnames)
    return list(zip(hostnames, _in_parallel(socket.gethostbyname, hostnames, timeout)))


def unknown_hostname(ip):
    return 'unknown-' + re.sub('[.:]', '-', ip)


def get_hostnames(ips, timeout):
    """{address: host name}, with unknown_hostname() where there is none; `timeout` seconds for all."""
    import socket
    assert PanoptesValidators.valid_nonempty_iterable_of_strings(ips), 'ips must be a list of strings'
    assert PanoptesValidators.valid_nonzero_integer(timeout), 'timeout must be an integer above zero'
    ips = list(ips)
    names = _in_parallel(lambda ip: socket.gethostbyaddr(ip)[0], ips, timeout)
    return {ip: unknown_hostname(ip) if not name or name.startswith('UNKNOWN') else name
            for ip, name in zip(ips, names)}


def get_ip_version(ip):
    """4 or 6; ValueError if it is no address."""
    import socket
    for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6)):
        try:
            socket.inet_pton(family, ip)
            return version
        except OSError:
            continue
    raise ValueError(ip)


def get_hostname():
    import platform
    return platform.node()


def get_os_tid():
    return threading.get_native_id()


def get_calling_module_name(depth=3):
    """The name of the module `depth` calls up; this module is the first."""
    assert isinstance(depth, int), 'depth must be an integer'
    import inspect
    module = inspect.getmodule(sys._getframe(depth))
    return module.__name__ if module else None


def inspect_calling_module_for_name(name):
    """Whether `name` is part of the file name of any caller."""
    frame = sys._getframe()
    while frame is not None:
        if name in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def get_client_id(prefix):
    assert PanoptesValidators.valid_nonempty_string(prefix), 'prefix must be a non-empty string'
    import uuid
    return '_'.join([str(uuid.uuid4()), prefix, get_hostname(), str(get_os_tid())])


class _Capture(list):
    """Gathers the lines that are written to a stream of `sys` within a with statement."""
    _stream = None

    def __enter__(self):
        self._before = getattr(sys, self._stream)
        self._text = io.StringIO()
        setattr(sys, self._stream, self._text)
        return self

    def __exit__(self, *args):
        self.extend(self._text.getvalue().splitlines())
        setattr(sys, self._stream, self._before)


class CaptureStdErr(_Capture):
    _stream = 'stderr'


class CaptureStdOut(_Capture):
    _stream = 'stdout'


def parse_config_file(config_file, config_spec_file):
    """A ConfigObj that fits the specification; needs the package configobj."""
    assert PanoptesValidators.valid_nonempty_string(config_file), 'config_file must be a non-empty string'
    assert PanoptesValidators.valid_nonempty_string(config_spec_file), 'config_spec_file must be a non-empty string'
    from configobj import ConfigObj, ConfigObjError, flatten_errors
    from validate import Validator
    try:
        config = ConfigObj(config_file, configspec=config_spec_file, interpolation='template', file_error=True)
    except OSError as error:
        raise PanoptesConfigurationParsingError('Error reading file: %s' % error)
    except ConfigObjError as error:
        raise PanoptesConfigurationParsingError('Error parsing config file "%s": %s' % (config_file, error))
    outcome = config.validate(Validator(), preserve_errors=True)
    if outcome is not True:
        lines = ['Section(s) %s are missing' % ','.join(sections) if key is None else
                 'The "%s" key in section "%s" failed validation' % (key, ','.join(sections))
                 for sections, key, _ in flatten_errors(config, outcome)]
        raise PanoptesConfigurationParsingError('Error parsing the configuration file: ' + '\n'.join(lines))
    return config


def convert_kv_str_to_dict(kv, prefix, kv_delimiter='|', prefix_delimiter='_'):
    """'a|1|b|2' becomes {'<prefix>_a': '1', '<prefix>_b': '2'}; {} if a value is missing."""
    for name, value in (('kv', kv), ('prefix', prefix), ('kv_delimiter', kv_delimiter),
                        ('prefix_delimiter', prefix_delimiter)):
        assert PanoptesValidators.valid_nonempty_string(value), name + ' must be a non-empty string'
    words = kv.split(kv_delimiter)
    if len(words) % 2:
        return {}
    return {prefix + prefix_delimiter + key: value for key, value in zip(words[::2], words[1::2])}


def convert_celsius_to_fahrenheit(celsius):
    return round(celsius * 1.8 + 32, 2)


def ordered(obj):
    """Something that compares equal whatever the order was: dicts become sorted lists of pairs."""
    if isinstance(obj, dict):
        return sorted((key, ordered(value)) for key, value in obj.items())
    if isinstance(obj, list):
        return sorted(ordered(item) for item in obj)
    return obj


def transform_index_ipv6_address(ipv6_str):
    """'254.128. ... .1', sixteen numbers, becomes 'fe80::1'."""
    import ipaddress
    return str(ipaddress.IPv6Address(bytes(int(number) for number in ipv6_str.split('.'))))


def transform_octet_to_mac(octet_string):
    """Bytes, or a text of such characters, become '00:1B:FF'."""
    octets = octet_string if isinstance(octet_string, bytes) else map(ord, octet_string)
    return ':'.join('%02X' % octet for octet in octets)


def transform_dotted_decimal_to_mac(dotted_decimal_mac):
    """'0.27.255' becomes '00:1B:FF'."""
    return ':'.join('%02X' % int(number) for number in dotted_decimal_mac.split('.'))


def convert_netmask_to_cidr(netmask):
    return sum(bin(int(number)).count('1') for number in netmask.split('.'))
