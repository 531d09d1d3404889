"""Prints the table of the probe (with -s), and checks the probe, not the machine."""
import probe


def test_prints_what_this_machine_can_do():
    rows = probe.probe()
    print("\n" + probe.table(rows))
    assert [name for name, _, _ in rows] == [name for name, _ in probe.ABILITIES]
    assert not [row for row in rows if row[2].startswith("the probe failed")]


def test_a_missing_program_is_a_no():
    assert probe.program("no-such-program-anywhere") == (False, "")
    assert probe.tried("no-such-program-anywhere")[0] is False


def test_a_failing_command_says_why():
    there, detail = probe.tried("sh", "-c", "echo refused >&2; exit 3")
    assert (there, detail) == (False, "refused")
