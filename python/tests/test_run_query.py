import importlib.util
import pathlib
import sqlite3
import subprocess
import sys

import pytest

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "netalertx" / "run_query.py"
NINE = "SELECT devMac, 's', '2026-08-22 10:00:00', 'w1', 'w2', 'w3', 'w4', 'x', 'f' FROM Devices ORDER BY devMac"


class Queries:
    def __init__(self, folder, program):
        self.folder = folder
        self.program = program
        self.result = folder / "result"
        self.make("app.db", "CREATE TABLE Devices (devMac, devName);"
                            "INSERT INTO Devices VALUES ('aa', 'one'), ('bb', NULL)").close()

    def make(self, name, script):
        connection = sqlite3.connect(self.folder / name, isolation_level=None)
        connection.executescript(script)
        return connection

    def run(self, sql, attach=None):
        """The exit status of the program."""
        (self.folder / "sql").write_text(sql, encoding="utf-8")
        more = ["--attach", str(self.folder / attach), "--name", "EXTERNAL_X"] if attach else []
        return self.program.main(["--database", str(self.folder / "app.db"), "--result", str(self.result),
                                  "--sql-file", str(self.folder / "sql"), *more])

    def rows(self, sql, attach=None):
        assert self.run(sql, attach) == 0
        return [line.split("|") for line in self.result.read_text(encoding="utf-8").splitlines()]

    def contents(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.name != "sql"}


@pytest.fixture
def queries(app, tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("run_query", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    monkeypatch.setattr(program, "BUSY_SECONDS", 0)
    (tmp_path / "a b#").mkdir()
    return Queries(tmp_path / "a b#", program)


def test_nine_columns_and_thirteen(queries):
    assert queries.rows(NINE) == [
        [mac, "s", "2026-08-22 10:00:00", "w1", "w2", "w3", "w4", "x", "f"] for mac in ("aa", "bb")]
    (row,) = queries.rows("SELECT 1,2,3,4,5,6,7,8,9,10,11,12,13;")
    assert row == [str(number) for number in range(1, 14)]
    assert queries.rows("WITH one AS (SELECT 'caf\u00e9') SELECT *,2,3,4,5,6,7,8,9 FROM one")[0][0] == "caf\u00e9"
    assert queries.rows(NINE.replace("ORDER", "WHERE 0 ORDER")) == []


def test_nothing_becomes_null(queries):
    (row,) = queries.rows("SELECT 'p', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL")
    assert row == ["p"] + ["null"] * 12
    (row,) = queries.rows("SELECT 'p', '', '', '', '', '', '', '', ''")
    assert row == ["p", "null", "", "", "", "null", "null", "", ""]


def test_rows_without_a_primary_id_are_passed_over(queries):
    rows = queries.rows("SELECT column1,2,3,4,5,6,7,8,9 FROM (VALUES (NULL), (''), ('null'), (0), ('a'))")
    assert [row[0] for row in rows] == ["0", "a"]


def test_values_cannot_tear_a_row(queries):
    (row,) = queries.rows("SELECT 'a|b', 'c' || char(13, 10) || 'd', 1.5, x'ff41', CAST(x'ff42' AS TEXT), 6, 7, 8, 9")
    assert row == ["a\u00a6b", "c d", "1.5", "\ufffdA", "\ufffdB", "6", "7", "8", "9"]


def test_another_file_is_read_beside_it(queries):
    queries.make("other.db", "CREATE TABLE Network (id, hwaddr); INSERT INTO Network VALUES (1, 'bb')").close()
    rows = queries.rows("SELECT n.hwaddr, d.devName,3,4,5,6,7,8,9 FROM EXTERNAL_X.Network n"
                        " JOIN main.Devices d ON d.devMac = n.hwaddr", attach="other.db")
    assert rows == [["bb", "null", "3", "4", "5", "6", "7", "8", "9"]]


@pytest.mark.parametrize("closed", [True, False])
def test_a_file_with_a_log_is_read_and_left_as_it_is(queries, closed):
    owner = queries.make("other.db", "PRAGMA journal_mode=WAL; CREATE TABLE Network AS SELECT 'bb' AS hwaddr")
    if closed:
        owner.close()
    before = set(queries.contents()) | {"result"}
    assert queries.rows("SELECT hwaddr,2,3,4,5,6,7,8,9 FROM Network", attach="other.db")[0][0] == "bb"
    # Nothing that its owner could not open is left beside it.
    assert set(queries.contents()) == before
    owner.close()


def test_behind_a_link_the_log_is_read_too(queries):
    owner = queries.make("other.db", "PRAGMA journal_mode=WAL; CREATE TABLE Network AS SELECT 'bb' AS hwaddr")
    (queries.folder / "link.db").symlink_to(queries.folder / "other.db")
    assert queries.rows("SELECT hwaddr,2,3,4,5,6,7,8,9 FROM Network", attach="link.db")[0][0] == "bb"
    owner.close()


@pytest.mark.parametrize("statement", [
    "DELETE FROM Devices",
    "DELETE FROM EXTERNAL_X.Network",
    "INSERT INTO Devices VALUES (1, 2) RETURNING 1,2,3,4,5,6,7,8,9",
    "DROP TABLE EXTERNAL_X.Network",
    "UPDATE Network SET hwaddr = 1",
    "SELECT 1,2,3,4,5,6,7,8,9; DELETE FROM Devices",
    "PRAGMA main.user_version = 5",
    "PRAGMA EXTERNAL_X.journal_mode = DELETE",
    "VACUUM",
    "VACUUM INTO '{folder}/copy.db'",
    "ATTACH 'file:{folder}/app.db?mode=rwc' AS more",
    "DETACH EXTERNAL_X",
    "CREATE TABLE more (a)",
    "BEGIN EXCLUSIVE",
])
@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_query_cannot_write(queries, capsys, statement, mode):
    queries.make("other.db", f"PRAGMA journal_mode={mode}; CREATE TABLE Network (id, hwaddr)").close()
    before = queries.contents()
    assert queries.run(statement.format(folder=queries.folder), attach="other.db") == 1
    assert queries.contents() == before
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("sql, said", [
    ("SELECT 1,2,3", "the query gives 3 columns, and 9 or 13 are wanted"),
    ("", "the query gives 0 columns, and 9 or 13 are wanted"),
    ("SELEC 1", 'the query: near "SELEC": syntax error'),
    ("SELECT * FROM Absent", "the query: no such table: Absent"),
    ("SELECT abs(-9223372036854775808),2,3,4,5,6,7,8,9", "the query: integer overflow"),
    ("SELECT '\0'", "the query: the query contains a null character"),
])
def test_what_is_wrong_with_a_query_is_said(queries, capsys, sql, said):
    queries.result.write_text("old\n")
    assert queries.run(sql) == 1
    assert capsys.readouterr().err == said + "\n"
    assert queries.result.read_text() == "old\n"


def test_what_is_wrong_with_a_file_is_said(queries, capsys):
    (queries.folder / "text").write_text("text" * 1000)
    locker = queries.make("locked.db", "CREATE TABLE Network (a); BEGIN EXCLUSIVE")
    for name, said in [("none", "No such file or directory"), ("text", "file is not a database"),
                       ("locked.db", "database is locked"), (".", "Is a directory")]:
        assert queries.run(NINE, attach=name) == 1
        assert capsys.readouterr().err == f"{queries.folder / name}: {said}\n"
    locker.close()
    (queries.folder / "app.db").unlink()
    assert queries.run(NINE) == 1
    assert capsys.readouterr().err == f"{queries.folder}/app.db: No such file or directory\n"
    assert not (queries.folder / "app.db").exists()


def test_it_runs_as_a_program(queries):
    (queries.folder / "sql").write_text(NINE)
    run = subprocess.run([sys.executable, str(PROGRAM), "--database", "app.db", "--result", "result", "--sql-file",
                          "sql"], cwd=queries.folder, env={}, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert len(queries.result.read_text().splitlines()) == 2
    run = subprocess.run([sys.executable, str(PROGRAM), "--database", "app.db", "--result", "result", "--sql-file",
                          "sql", "--attach", "app.db"], cwd=queries.folder, capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "--attach and --name go together" in run.stderr
