def test_paths_follow_the_environment(app):
    const = app.load("const")
    assert const.applicationPath == str(app.root / "app")
    assert const.logPath == str(app.log)
    assert const.fullConfPath == str(app.root / "data" / "config" / "app.conf")
    assert const.fullDbPath == str(app.root / "data" / "db" / "app.db")
    assert const.apiPath == str(app.api) + "/"
    assert const.pluginsPath == str(app.root / "app" / "server" / "plugins")


def test_defaults_are_those_of_the_container(app, monkeypatch):
    for name in ("APP", "DATA", "API", "LOG"):
        monkeypatch.delenv(f"NETALERTX_{name}")
    const = app.load("const")
    assert (const.applicationPath, const.dataPath, const.logPath) == ("/app", "/data", "/tmp/log")


def test_null_equivalents(app):
    const = app.load("const")
    assert const.NULL_EQUIVALENTS == ["", "null", "(unknown)", "(Unknown)", "(name not found)"]
    assert const.NULL_EQUIVALENTS_SQL == "'','null','(unknown)','(Unknown)','(name not found)'"


def test_api_path_is_a_path(app):
    assert app.load("config_paths").API_PATH == app.api
