import re

import pytz


def test_prints_time_and_text_and_keeps_them(app, capsys):
    logger = app.load("logger")
    app.load("conf").tz = pytz.timezone("Asia/Tokyo")
    logger.Logger("verbose")
    logger.mylog("verbose", ["[X]", 5, "rows"])
    out = capsys.readouterr().out
    assert re.fullmatch(r"\d\d:\d\d:\d\d \[X\] 5 rows\n", out)
    assert (app.log / "app.log").read_text(encoding="utf-8") == out


def test_levels_rank(app, capsys):
    logger = app.load("logger")
    logger.Logger("minimal")
    for level in ("none", "minimal", "verbose", "debug", "trace", "error", "warning"):
        logger.mylog(level, level)
    printed = [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert printed == ["none", "minimal", "error", "warning"]
    assert logger.Logger("debug").isAbove("verbose")
    assert not logger.Logger("minimal").isAbove("verbose")


def test_an_unknown_level_changes_nothing(app):
    logger = app.load("logger")
    logger.Logger("trace")
    logger.Logger("")
    assert logger.currentLevel == "trace"


def test_without_log_folder_it_still_prints(app, capsys, monkeypatch):
    logger = app.load("logger")
    monkeypatch.setattr(logger, "logPath", "/nonexistent")
    logger.mylog("none", "text")
    assert capsys.readouterr().out.endswith(" text\n")


def test_append_line_adds_no_newline(app, tmp_path):
    logger = app.load("logger")
    for text in ("a", "b\n"):
        logger.append_line_to_file(str(tmp_path / "file"), text)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "ab\n"
