"""The framework as its plugins import it."""
import sys

import pytest
from plugin_run import PANOPTES, RESOURCE, Run

sys.path.insert(0, str(PANOPTES))


@pytest.fixture
def resource():
    from yahoo_panoptes.framework.resources import PanoptesResource
    return PanoptesResource.resource_from_dict(RESOURCE)


@pytest.fixture
def run(tmp_path):
    return lambda *args, **request: Run(tmp_path, *args, **request)
