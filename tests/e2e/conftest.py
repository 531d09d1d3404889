import pytest
import sites


@pytest.fixture(scope="session", autouse=True)
def programs():
    for name in ("backplane", "backplane-keeper"):
        assert (sites.BIN / name).is_file(), f"no {name} in {sites.BIN}: build it, or set BACKPLANE_BIN"


@pytest.fixture
def site(tmp_path):
    """A site without plugins and without a daemon."""
    one = sites.Site(tmp_path / "site")
    yield one
    one.close()


@pytest.fixture(scope="module")
def module_site(tmp_path_factory):
    """The same, for all tests of a module."""
    one = sites.Site(tmp_path_factory.mktemp("module") / "site")
    yield one
    one.close()
