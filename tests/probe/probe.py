#!/usr/bin/env python3
"""Prints what this machine can do, one line per ability: found out by trying, not by guessing.

Tests that need an ability skip where it is missing; this table says why they did.
"""
import ctypes
import http.client
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

SECONDS = 10


def run(*command):
    """(exit status, first line of output) of a short command; a status of 127 if it is missing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS,
                              stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, type(error).__name__
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return done.returncode, lines[0][:80] if lines else ""


def tried(*command):
    status, line = run(*command)
    return status == 0, "" if status == 0 else line


def program(name, *arguments, also=()):
    """A program on PATH, or at one of the paths `also`, that prints its version."""
    elsewhere = (str(path) for pattern in also for path in sorted(pathlib.Path("/").glob(pattern)))
    path = shutil.which(name) or next(elsewhere, None)
    if not path:
        return False, ""
    status, line = run(path, *(arguments or ("--version",)))
    return status == 0, f"{path}: {line}"


def cgroup_version():
    mounts = [line.split() for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    kinds = {fields[2] for fields in mounts if fields[2] in ("cgroup", "cgroup2")}
    if kinds == {"cgroup", "cgroup2"}:
        return True, "hybrid: v1 controllers, v2 without or with few"
    return bool(kinds), {"cgroup": "v1", "cgroup2": "v2"}.get("".join(kinds), "not mounted")


def cgroup_v1(controller):
    return make_group(pathlib.Path("/sys/fs/cgroup") / controller)


def make_group(parent):
    group = parent / f"backplane-probe-{os.getpid()}"
    try:
        if not (parent / "cgroup.procs").exists():
            return False, "not mounted"
        group.mkdir()
        group.rmdir()
        return True, str(parent)
    except OSError as error:
        return False, f"{parent}: {error.strerror}"


def cgroup_v2():
    for root in (pathlib.Path("/sys/fs/cgroup"), pathlib.Path("/sys/fs/cgroup/unified")):
        if (root / "cgroup.controllers").exists():
            made, detail = make_group(root)
            controllers = (root / "cgroup.controllers").read_text().split()
            return made and bool(controllers), f"{detail}; controllers: {' '.join(controllers) or 'none'}"
    return False, "not mounted"


def network_namespace():
    name = f"bp-probe-{os.getpid()}"
    made, detail = tried("ip", "netns", "add", name)
    if made:
        run("ip", "netns", "delete", name)
    return made, detail


def veth():
    """A pair of interfaces with one end in a namespace: what a network of test hosts is made of."""
    name, link = f"bp-probe-{os.getpid()}", f"bpp{os.getpid() % 100000}"
    made, detail = tried("ip", "netns", "add", name)
    if not made:
        return False, detail
    try:
        return tried("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
    finally:
        run("ip", "link", "delete", link)
        run("ip", "netns", "delete", name)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=2)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(2)
        self.sock.connect(self.path)


def engine():
    runtime = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    host = os.environ.get("DOCKER_HOST", "")
    paths = [host.removeprefix("unix://")] if host.startswith("unix://") else []
    paths += ["/var/run/docker.sock", "/run/podman/podman.sock", f"{runtime}/podman/podman.sock"]
    for path in paths:
        try:
            connection = UnixConnection(path)
            connection.request("GET", "/_ping")
            answer = connection.getresponse()
            if answer.status == 200:
                return True, f"{path}, API {answer.getheader('Api-Version', 'of unknown version')}"
        except (OSError, http.client.HTTPException):
            continue
    return False, "no engine answers at " + ", ".join(paths)


def python_tz():
    return tried("/usr/bin/python3", "-c", "import pytz")


def perf_counters():
    with tempfile.NamedTemporaryFile() as out:
        status, line = run("perf", "stat", "-x,", "-o", out.name, "-e", "instructions", "true")
        text = pathlib.Path(out.name).read_text()
    if status != 0:
        return False, line
    supported = "instructions" in text and "not supported" not in text and "not counted" not in text
    return supported, "" if supported else "perf is there, the counters are not"


PTRACE_TRACEME = 0


def ptrace():
    libc = ctypes.CDLL(None, use_errno=True)
    child = os.fork()
    if child == 0:
        os._exit(0 if libc.ptrace(PTRACE_TRACEME, 0, None, None) == 0 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "of own children"


SYS_LANDLOCK_CREATE_RULESET, LANDLOCK_VERSION = 444, 1


def landlock():
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(SYS_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(LANDLOCK_VERSION))
    return version > 0, f"version {version}" if version > 0 else os.strerror(ctypes.get_errno())


PR_SET_SECCOMP, SECCOMP_MODE_FILTER, EFAULT = 22, 2, 14


def seccomp():
    # A filter at address zero: EFAULT says that the kernel would have read a real one.
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, None, 0, 0)
    error = ctypes.get_errno()
    return error == EFAULT, "filters" if error == EFAULT else os.strerror(error)


def processors():
    return True, f"{os.cpu_count()}, {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') >> 20} MiB of memory"


ABILITIES = [
    ("processors", processors),
    ("user", lambda: (True, f"uid {os.getuid()}")),
    ("kernel", lambda: (True, os.uname().release)),
    ("cgroup version", cgroup_version),
    ("cgroup v2 groups", cgroup_v2),
    ("cgroup v1 cpu", lambda: cgroup_v1("cpu")),
    ("cgroup v1 memory", lambda: cgroup_v1("memory")),
    ("cgroup v1 pids", lambda: cgroup_v1("pids")),
    ("user namespace", lambda: tried("unshare", "--user", "--map-root-user", "true")),
    ("network namespace", lambda: tried("unshare", "--net", "true")),
    ("pid namespace", lambda: tried("unshare", "--pid", "--fork", "true")),
    ("ip netns", network_namespace),
    ("veth", veth),
    ("bubblewrap", lambda: tried("bwrap", "--ro-bind", "/", "/", "--unshare-all", "true")),
    ("container engine", engine),
    ("docker", lambda: program("docker")),
    ("podman", lambda: program("podman")),
    ("ptrace", ptrace),
    ("landlock", landlock),
    ("seccomp", seccomp),
    ("perf counters", perf_counters),
    ("python3", lambda: program("python3")),
    ("python3 pytz", python_tz),
    ("deno", lambda: program("deno", also=("usr/local/lib/node_modules/deno/deno", "usr/lib/node_modules/deno/deno"))),
    ("node", lambda: program("node")),
    ("rustc", lambda: program("rustc")),
    ("cargo", lambda: program("cargo")),
    ("clang 19", lambda: program("clang++-19")),
    ("chromium", lambda: program("chromium")),
    ("PostgreSQL server", lambda: program("postgres", also=("usr/lib/postgresql/*/bin/postgres",))),
    ("Redis server", lambda: program("redis-server")),
]


def probe():
    """[(ability, there?, detail)]; a probe that breaks is reported as one that found nothing."""
    rows = []
    for name, ask in ABILITIES:
        try:
            there, detail = ask()
        except Exception as error:  # noqa: BLE001
            there, detail = False, f"the probe failed: {type(error).__name__}: {error}"
        rows.append((name, there, detail))
    return rows


def table(rows):
    return "\n".join(f"{name:<18} {'yes' if there else 'no':<4} {detail}".rstrip() for name, there, detail in rows)


if __name__ == "__main__":
    print(table(probe()))
    sys.exit(0)
