"""The script of every plugin of the fault suite. It reports rows in the NetAlertX shape, and writes down, in
files that Backplane knows nothing of, when it ran and what it reported.

What it is to do stands in plan.json beside it:
  records  folder to write to           prefix  names its result file and its record
  kind     "objects" or "devices"       count   how many of them
  macs     first four bytes of MACs     fail    how often to end with exit code 3, 0 to 1
  hold     longest time to go on after the rows are written, in seconds
  child    true: leave a process behind in a session of its own
Each line of a record is one append, so that it is whole or not there at all when the script is killed.
"""
import json
import os
import random
import secrets
import time

with open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "plan.json"), encoding="utf-8") as plan_file:
    PLAN = json.load(plan_file)
RECORD = os.path.join(PLAN["records"], PLAN["prefix"] + ".log")
NONCE = secrets.token_hex(6)
TAIL_BYTES = 65536


def note(what, **more):
    line = {"what": what, "nonce": NONCE, "at": time.clock_gettime_ns(time.CLOCK_BOOTTIME), **more}
    descriptor = os.open(RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, (json.dumps(line) + "\n").encode())
    os.close(descriptor)


def state_and_birth(pid):
    """State and start time of a process; None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[19])


def is_alive(pid, born):
    now = state_and_birth(pid)
    return now is not None and now[0] not in "ZX" and now[1] == born


def look_for_predecessors():
    """Our own start is written down already: of two that run at once, at least one sees the other."""
    with open(RECORD, "rb") as record:
        record.seek(max(0, os.path.getsize(RECORD) - TAIL_BYTES))
        lines = record.read().decode(errors="replace").splitlines()
    for text in lines:
        try:
            line = json.loads(text)
        except ValueError:
            continue  # the first line of the tail may be cut
        if line["what"] in ("start", "child") and line["nonce"] != NONCE and is_alive(line["pid"], line["born"]):
            note("overlap", other=line["nonce"], of=line["what"], pid=line["pid"])


def object_rows():
    # Some are left out each time, and become missing; every second one keeps its watched value.
    reported = random.sample(range(PLAN["count"]), random.randint(PLAN["count"] * 2 // 3, PLAN["count"]))
    return [[f"{PLAN['prefix']}-{i}", "null", f"{NONCE}-{i}" if i % 2 == 0 else "same"] for i in sorted(reported)]


def device_rows():
    # Each device twice in a row with another name and address: whatever is folded twice shows as one more change.
    rows = []
    for i in range(PLAN["count"]):
        mac = f"{PLAN['macs']}:{i >> 8:02x}:{i & 255:02x}"
        rows += [[mac, f"10.{net}.{i >> 8}.{i & 255}", f"{NONCE}-{i}-{net}"] for net in (1, 2)]
    return rows


def leave_a_child():
    pid = os.fork()
    if pid == 0:
        os.setsid()
        for descriptor in range(3):
            os.close(descriptor)
        while True:
            time.sleep(60)
    note("child", pid=pid, born=state_and_birth(pid)[1])


def main():
    run = int(os.path.basename(os.path.dirname(os.environ["HOME"])))
    note("start", run=run, pid=os.getpid(), born=state_and_birth(os.getpid())[1])
    look_for_predecessors()
    if PLAN["child"]:
        leave_a_child()
    rows = object_rows() if PLAN["kind"] == "objects" else device_rows()
    with open(os.path.join(PLAN["records"], "rows", NONCE + ".json"), "w", encoding="utf-8") as copy:
        json.dump(rows, copy)
    note("rows", count=len(rows))
    result = os.path.join(os.environ["NETALERTX_PLUGINS_LOG"], f"last_result.{PLAN['prefix']}.log")
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    with open(result + ".new", "w", encoding="utf-8") as out:
        for primary, secondary, watched in rows:
            out.write(f"{primary}|{secondary}|{now}|{watched}|null|null|null|null|null\n")
    os.replace(result + ".new", result)
    until = time.monotonic() + random.uniform(0, PLAN["hold"])
    while time.monotonic() < until:
        note("alive")
        time.sleep(0.02)
    code = 3 if random.random() < PLAN["fail"] else 0
    note("end", code=code)
    os._exit(code)


main()
