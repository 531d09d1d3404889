"""Reports the devices of a JSON file: [[MAC, IP, name], ...]."""
import json
import os
import pathlib
import sys

from plugin_helper import Plugin_Objects

objects = Plugin_Objects(os.path.join(os.environ["NETALERTX_PLUGINS_LOG"], "last_result.TRIALSEED.log"))
for mac, ip, name in json.loads(pathlib.Path(sys.argv[1]).read_text()):
    objects.add_object(primaryId=mac, secondaryId=ip, watched1=name, foreignKey=mac)
objects.write_result_file()
