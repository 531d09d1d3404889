import json

import pytest


@pytest.fixture
def utils(app):
    return app.load("utils.plugin_utils")


def manifest(app, folder, **keys):
    path = app.root / "app" / "server" / "plugins" / folder
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(keys), encoding="utf-8")
    return path


def test_manifests_come_in_their_order(app, utils, capsys):
    manifest(app, "a", unique_prefix="A")
    manifest(app, "b", unique_prefix="B", execution_order="Layer_10")
    manifest(app, "c", unique_prefix="C", execution_order="Layer_2")
    manifest(app, "d", unique_prefix="D", execution_order="Layer_N")
    manifest(app, "__template", unique_prefix="T")
    (manifest(app, "ignored", unique_prefix="I") / "ignore_plugin").touch()
    (manifest(app, "broken") / "config.json").write_text("{")
    (app.root / "app" / "server" / "plugins" / "file.py").touch()
    for load_all in (True, False):
        assert [one["unique_prefix"] for one in utils.get_plugins_configs(load_all)] == ["C", "B", "A", "D"]
    assert "broken/config.json" in capsys.readouterr().out
    app.load("conf").LOADED_PLUGINS = ["B"]
    assert [one["unique_prefix"] for one in utils.get_plugins_configs(False)] == ["B"]
    assert len(utils.get_plugins_configs(True)) == 4


def test_the_first_object_that_matches(app, utils):
    rows = [{"plugin": "A", "watchedValue4": "x", "n": 1}, {"plugin": "A", "watchedValue4": "y", "n": 2},
            {"plugin": "A", "watchedValue4": "y", "n": 3}]
    (app.api / "table_plugins_objects.json").write_text(json.dumps({"data": rows}))
    assert utils.getPluginObject({"plugin": "A", "watchedValue4": "y"})["n"] == 2
    assert utils.getPluginObject({"plugin": "B"}) == {}
    assert utils.getPluginObject({"nothing": "B"}) == {}


@pytest.mark.parametrize("content", [None, "", "[]", '{"data": [1]}'])
def test_without_a_snapshot_there_is_no_object(app, utils, content):
    if content is not None:
        (app.api / "table_plugins_objects.json").write_text(content)
    assert utils.getPluginObject({"plugin": "A"}) == {}


@pytest.fixture
def files(app):
    """Results of this node, and of two others of which one has another key."""
    crypto = app.load("utils.crypto_utils")
    folder = app.log / "plugins"
    (folder / "last_result.SYNC.log").write_text("own")
    (folder / "script.SYNC.log").write_text("other")
    (folder / "last_result.SYNC.encoded.node.1.log").write_text(crypto.encrypt_data("caf\u00e9\r\nx\n", "key"))
    (folder / "last_result.SYNC.encoded.stranger.1.log").write_text(crypto.encrypt_data("text", "another"))
    return folder


def sync(app, loaded, key):
    app.settings({"LOADED_PLUGINS": ("array", loaded), "SYNC_encryption_key": ("string", key)})


def test_files_of_other_nodes_are_deciphered(app, files, utils, capsys):
    sync(app, "['SYNC']", "key")
    assert utils.decode_and_rename_files(str(files), "last_result") == ["last_result.SYNC.decoded.node.1.log",
                                                                        "last_result.SYNC.log"]
    assert (files / "last_result.SYNC.decoded.node.1.log").read_bytes() == "caf\u00e9\r\nx\n".encode()
    assert sorted(one.name for one in files.iterdir()) == [
        "last_result.SYNC.decoded.node.1.log", "last_result.SYNC.encoded.stranger.1.log", "last_result.SYNC.log",
        "script.SYNC.log"]
    assert "stranger.1.log: cannot be deciphered" in capsys.readouterr().out


@pytest.mark.parametrize("loaded, key", [("['SYNC']", ""), ("['OTHER']", "key")])
def test_without_a_key_they_stay_as_they_are(app, files, utils, loaded, key):
    sync(app, loaded, key)
    assert utils.decode_and_rename_files(str(files), "last_result.SYNC.") == [
        "last_result.SYNC.encoded.node.1.log", "last_result.SYNC.encoded.stranger.1.log", "last_result.SYNC.log"]
