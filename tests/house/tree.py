"""What the house tests read: the files of the tree, C++ taken apart, the order of the folders."""
import dataclasses
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP = {".h", ".cpp"}
# Tests, and the headers that only tests share.
NOT_PRODUCT = re.compile(r"_(test|bench|fuzz)\.cpp$|_fixture\.h$|^test_\w+\.h$")


@dataclasses.dataclass(frozen=True)
class Problem:
    path: str
    line: int
    what: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}"


def files(*folders, suffixes=None, root=ROOT):
    """The files of the tree (not what .gitignore names), relative to `root`, sorted."""
    listing = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root,
                             capture_output=True, text=True)
    if listing.returncode == 0:
        names = {pathlib.Path(name) for name in listing.stdout.split("\0") if name}
    else:  # unpacked from an archive
        names = {path.relative_to(root) for path in root.rglob("*")}
        names = {name for name in names if name.parts[0] not in ("build", ".git") and "__pycache__" not in name.parts}
    names = {name for name in names if (root / name).is_file() and not (root / name).is_symlink()}
    if folders:
        names = {name for name in names if any(name.is_relative_to(folder) for folder in folders)}
    return sorted(name for name in names if suffixes is None or name.suffix in suffixes)


def read(name, root=ROOT):
    """The text of a file; None if it is not text."""
    try:
        return (root / name).read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def search(pattern, name, text, what):
    """A Problem per match of `pattern`; `what` may use {match}."""
    return [Problem(str(name), line_of(text, match.start()), what.format(match=match.group().strip()))
            for match in re.finditer(pattern, text)]


TOKEN = re.compile(
    r'(?P<comment>//[^\n]*|/\*.*?\*/)'
    r'|(?:u8|u|U|L)?R"(?P<mark>[^()\s\\]{0,16})\((?P<raw>.*?)\)(?P=mark)"'
    r'|(?:u8|u|U|L)?"(?P<string>(?:\\.|[^"\\\n])*)"'
    r"|'(?:\\.|[^'\\\n])+'",
    re.DOTALL)


def string_literals(text):
    """[(line, content)] of the string literals of C++ text; adjacent ones are one. The name of an
    included file is none."""
    text = re.sub(r"^[ \t]*#[ \t]*include\b.*$", "", text, flags=re.MULTILINE)
    literals, end = [], None
    for match in TOKEN.finditer(text):
        content = match.group("raw") if match.group("raw") is not None else match.group("string")
        if content is None:
            continue
        if end is not None and not text[end:match.start()].strip():
            line, before = literals.pop()
            literals.append((line, before + content))
        else:
            literals.append((line_of(text, match.start()), content))
        end = match.end()
    return literals


def includes(text):
    """[(line, name, quoted?)] of the #include lines."""
    found = re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', text, re.MULTILINE)
    return [(line_of(text, match.start()), match.group(2), match.group(1) == '"') for match in found]


def folder_order(root=ROOT):
    """The folders of src in the one order, as src/CMakeLists.txt adds them."""
    return re.findall(r"^add_subdirectory\((\w+)\)", (root / "src/CMakeLists.txt").read_text(), re.MULTILINE)


def report(problems):
    """For `assert not problems, report(problems)`."""
    return f"{len(problems)} problems\n" + "\n".join(str(problem) for problem in problems)
