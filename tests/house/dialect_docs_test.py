"""The tables of docs/dialects/<name>.md: every part of an ecosystem is decided, and every decision
that claims something names a test that exists.

A table counts when its head has the columns `part`, `decision` and `test`. A part is `§4.1`,
`trap 7`, or the name of a block of the ecosystem's own guide. A decision begins with one of
DECISIONS and may go on after a colon or comma. Tests are written `path::Name` in code quotes,
with `Suite.Name` for GoogleTest; several are divided by spaces or commas.
"""
import pathlib
import re

import pytest
from tree import ROOT, Problem, files, read, report

DECISIONS = ("reproduced", "fixed", "switchable", "not supported", "not yet")
# These claim something of the program, so a test has to show it.
SHOWN = ("reproduced", "fixed", "switchable")
# The parts of each ecosystem's specification: sections with their subsections, and traps.
SUBSECTIONS = {"netalertx": {1: 5, 2: 6, 4: 4, 5: 4, 6: 5, 7: 2, 13: 2},
               "panoptes": {1: 6, 5: 9, 7: 4, 8: 4, 9: 4, 11: 5}}
SECTIONS = {"netalertx": range(0, 18), "panoptes": range(0, 14)}
TRAPS = {"netalertx": range(1, 26)}


def parts(dialect):
    """Every part that the dialect's table must have a row for."""
    wanted = []
    for section in SECTIONS.get(dialect, ()):
        wanted.append(f"§{section}")
        wanted += [f"§{section}.{n}" for n in range(1, SUBSECTIONS[dialect].get(section, 0) + 1)]
    return wanted + [f"trap {n}" for n in TRAPS.get(dialect, ())]


def cells(line):
    """The cells of a table line; a pipe in code quotes or after a backslash divides nothing."""
    line = re.sub(r"`[^`]*`", lambda code: code.group().replace("|", "\0"), line.strip())
    found = re.split(r"(?<!\\)\|", line.strip("|"))
    return [cell.strip().replace("\0", "|") for cell in found]


def rows(text):
    """[(line, {column: cell})] of the tables that count."""
    found, head = [], None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("|"):
            head = None
            continue
        row = cells(line)
        if head is None:
            head = [cell.lower() for cell in row]
        elif not re.fullmatch(r"[|:\- ]+", line.strip()) and {"part", "decision", "test"} <= set(head):
            found.append((number, dict(zip(head, row + [""] * (len(head) - len(row))))))
    return found


def decision_of(cell):
    text = cell.replace("*", "").lower()
    return next((d for d in DECISIONS if re.match(rf"{d}($|[,:;.(]| \()", text)), None)


def part_names(cell):
    """The parts that a row is about: usually one; `§13, §13.1` is two."""
    return re.findall(r"§\d+(?:\.\d+)*|\btrap \d+", cell.replace("*", "").replace("Trap", "trap"))


def test_exists(reference, root):
    path, _, name = reference.partition("::")
    target = root / path
    if target.is_dir():
        return (target / name).exists()
    text = read(path, root) if target.is_file() else None
    if text is None:
        return False
    if path.endswith(".py"):
        return all(re.search(rf"^\s*(async )?(def|class) {re.escape(part)}\b", text, re.MULTILINE)
                   for part in name.split("::"))
    suite, dot, case = name.rpartition(".")
    suite = re.escape(suite) if dot else r"\w+"
    return bool(re.search(rf"\bTEST(_F|_P)?\(\s*{suite},\s*{re.escape(case)}\s*\)", text))


test_exists.__test__ = False  # a question, though pytest would take its name for a test


def check_document(name, text, wanted, root=ROOT):
    table, problems, present = rows(text), [], set()
    if not table:
        return [Problem(str(name), 1, "has no table with the columns part, decision and test")]
    for line, row in table:
        present.update(part_names(row["part"]))
        decision = decision_of(row["decision"])
        references = re.findall(r"[\w./-]+::[\w.:-]*\w", row["test"])
        if not row["part"]:
            problems.append(Problem(str(name), line, "a row without a part"))
        if decision is None:
            problems.append(Problem(str(name), line, f"'{row['decision']}' is not one of: {', '.join(DECISIONS)}"))
        if decision in SHOWN and not references:
            problems.append(Problem(str(name), line, f"{row['part']} is {decision}, but no test shows it"))
        problems += [Problem(str(name), line, f"there is no test {reference}")
                     for reference in references if not test_exists(reference, root)]
    return problems + [Problem(str(name), 1, f"has no row for {part}") for part in wanted if part not in present]


def test_every_part_is_decided_and_shown():
    documents = [name for name in files("docs/dialects", suffixes={".md"})]
    problems = [p for name in documents for p in check_document(name, read(name), parts(name.stem))]
    assert documents, "docs/dialects has no page"
    assert not problems, report(problems)


def test_every_dialect_has_its_page():
    dialects = {path.name for path in (ROOT / "src/dialects").iterdir() if path.is_dir()}
    assert dialects <= {name.stem for name in files("docs/dialects", suffixes={".md"})}


HEAD = "| part | what | decision | test |\n|---|---|---|---|\n"


@pytest.fixture
def small_tree(tmp_path):
    (tmp_path / "a_test.cpp").write_text("TEST(Decode, NineColumns) {}\nTEST_F(Store,\n       Opens) {}\n")
    (tmp_path / "a_test.py").write_text("class TestIt:\n    def test_this(self):\n        pass\n")
    (tmp_path / "testcases" / "nine").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("row, wrong", [
    ("| §1 | x | reproduced | `a_test.cpp::Decode.NineColumns` |", False),
    ("| §1 | x | reproduced | `a_test.cpp::NineColumns`, `a_test.cpp::Store.Opens` |", False),
    ("| **§1** | `a|b` | **fixed**: counts columns | `testcases::nine` |", False),
    ("| §1 | x | fixed, always | `a_test.py::TestIt::test_this` |", False),
    ("| §1 | x | not yet | |", False),
    ("| §1 | x | reproduced | |", True),
    ("| §1 | x | reproduced | `a_test.cpp::Decode.TenColumns` |", True),
    ("| §1 | x | reproduced | `a_test.cpp::Store.NineColumns` |", True),
    ("| §1 | x | reproduced | `b_test.cpp::Decode.NineColumns` |", True),
    ("| §1 | x | reproduced | `a_test.py::test_that` |", True),
    ("| §1 | x | maybe | |", True),
    ("| §1 | x | | |", True),
    ("| §2 | x | not yet | |", True),
])
def test_the_check_itself(small_tree, row, wrong):
    assert bool(check_document("docs/dialects/x.md", HEAD + row + "\n", ["§1"], small_tree)) == wrong


def test_a_page_without_a_table_fails():
    assert check_document("docs/dialects/x.md", "# X\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", [])


def test_the_parts_of_a_specification():
    wanted = parts("netalertx")
    assert len(wanted) == 18 + 28 + 25
    assert {"§0", "§17", "§1.5", "§13.2", "trap 25"} <= set(wanted)
