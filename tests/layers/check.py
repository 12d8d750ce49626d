#!/usr/bin/env python3
"""Checks the shape of the source tree (CONTRIBUTING.md says why); one complaint a line, exit code 1 if there is any.

* A header of include/ckpt includes only headers of its own folder and of layers below; no header includes itself in the end.
* A header is at most 600 lines, has the include guard that its path says, and defines no other macro (version.hpp may).
* Standard headers that cost every user compile time stay out.
* A unit test stands where the header stands that it tests.
* No text names a file outside the project: no absolute path but the system's own, no ../ that leaves the root.

usage: check.py [ROOT]
"""
import pathlib
import re
import shutil
import subprocess
import sys

# From the bottom up. Folders of one line do not include each other.
LAYERS = [
    ["core"],
    ["io"],
    ["tensor", "wire", "json", "task"],
    ["checksum", "cipher", "model"],
    ["parallel", "format"],
    ["checkpoint"],
    ["manager"],
]
RANK = {folder: rank for rank, folders in enumerate(LAYERS) for folder in folders}
BOTTOM = {"version.hpp", "fwd.hpp"}  # in the root folder, and every layer may include them
HEAVY = {"complex", "filesystem", "format", "fstream", "iomanip", "iostream", "ranges", "regex", "sstream"}
MOST_LINES = 600
UNIT_TESTS_OF_NO_HEADER = {"main.cpp", "second_unit.cpp"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
ABSOLUTE = re.compile(r"(?<![\w.$}*/<>)\]\\-])/(\w[\w.+-]*)/[\w.+-]")
UPWARD = re.compile(r"(?<![\w.])(?:\.\./)+")
SYSTEM = {"bin", "dev", "etc", "lib", "mnt", "proc", "sbin", "sys", "tmp", "usr", "var"}
NOT_OURS = {".git", "subprojects", "__pycache__", ".venv", ".cache"}


def rank_of(header: str) -> int:
    """`header` is a path below include/ckpt. -1: bottom, len(LAYERS): an umbrella. A folder without a layer raises KeyError."""
    folder, _, _ = header.rpartition("/")
    if not folder:
        return -1 if header in BOTTOM else len(LAYERS)
    return RANK[folder.split("/")[0]]


def guard_of(header: str) -> str:
    return "CKPT_" + re.sub(r"\W", "_", header).upper()


def find_cycle(graph: dict[str, list[str]]) -> list[str]:
    """The headers of one cycle, the first one again at the end; empty when there is none."""
    done: set[str] = set()
    for start in graph:
        path: list[str] = []
        stack = [(start, iter(graph[start]))] if start not in done else []
        path.extend([start] if stack else [])
        while stack:
            node, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                done.add(node)
                stack.pop()
                path.pop()
            elif following in path:
                return path[path.index(following) :] + [following]
            elif following not in done:
                path.append(following)
                stack.append((following, iter(graph[following])))
    return []


def check_header(header: str, text: str, known: set[str]) -> tuple[list[str], list[str]]:
    """Returns the project's headers that this one includes, and complaints."""
    includes, complaints = [], []
    try:
        rank = rank_of(header)
    except KeyError:
        return [], [f"its folder is none of the layers: {', '.join(RANK)}"]

    for bracket, target in INCLUDE.findall(text):
        if bracket == '"':
            complaints.append(f'includes "{target}": write <ckpt/...>')
        elif target in HEAVY:
            complaints.append(f"includes <{target}>, which is slow to compile for every user")
        elif target.startswith("ckpt/"):
            target = target[len("ckpt/") :]
            if target not in known:
                complaints.append(f"includes <ckpt/{target}>, which does not exist")
                continue
            includes.append(target)
            same_folder = "/" in header and header.split("/")[0] == target.split("/")[0]
            umbrellas = rank == len(LAYERS) and rank_of(target) == rank
            if not same_folder and not umbrellas and rank_of(target) >= rank:
                complaints.append(f"includes <ckpt/{target}>, which is not in a layer below")

    lines = text.count("\n")
    if lines > MOST_LINES:
        complaints.append(f"{lines} lines, {MOST_LINES} are the most")

    guard = guard_of(header)
    body = re.sub(r"\A(\s|//[^\n]*\n|/\*.*?\*/)*", "", text, flags=re.DOTALL)
    if not re.match(rf"#ifndef {guard}\n#define {guard}\n", body) or not re.search(r"#endif[^\n]*\s*\Z", text):
        complaints.append(f"the include guard is not {guard}")
    for macro in DEFINE.findall(text):
        if macro != guard and header != "version.hpp":
            complaints.append(f"defines the macro {macro}")
    return includes, complaints


def check_headers(root: pathlib.Path) -> list[str]:
    base = root / "include" / "ckpt"
    headers = {path.relative_to(base).as_posix(): path.read_text("utf-8") for path in sorted(base.rglob("*.hpp"))}
    complaints = [] if headers else ["include/ckpt: no header at all"]
    graph = {}
    for header, text in headers.items():
        graph[header], found = check_header(header, text, set(headers))
        complaints += [f"include/ckpt/{header}: {complaint}" for complaint in found]
    cycle = find_cycle(graph)
    if cycle:
        complaints.append("include/ckpt: headers include each other: " + " -> ".join(cycle))
    return complaints


def check_mirror(root: pathlib.Path) -> list[str]:
    complaints = []
    unit = root / "tests" / "unit"
    for path in sorted(unit.rglob("*.cpp")):
        name = path.relative_to(unit)
        header = root / "include" / "ckpt" / name.with_suffix(".hpp")
        if str(name) not in UNIT_TESTS_OF_NO_HEADER and not header.exists():
            complaints.append(f"tests/unit/{name}: there is no include/ckpt/{name.with_suffix('.hpp')} that it could test")
    return complaints


def project_files(root: pathlib.Path) -> list[pathlib.Path]:
    """What git knows or would add; without git or a repository, all that is not a build folder."""
    files = [path for path in root.rglob("*") if not any(part.startswith("build") for part in path.relative_to(root).parts)]
    if shutil.which("git") and (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        git = subprocess.run(command, capture_output=True)
        if git.returncode == 0:
            files = [root / name for name in git.stdout.decode().split("\0") if name]
    return sorted(path for path in files if path.is_file() and not NOT_OURS & set(path.relative_to(root).parts))


def check_places(root: pathlib.Path) -> list[str]:
    complaints = []
    for path in project_files(root):
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a file of data
        depth = len(path.relative_to(root).parts) - 1
        for number, line in enumerate(text.splitlines(), 1):
            where = f"{path.relative_to(root)}:{number}"
            for found in ABSOLUTE.finditer(line):
                if found[1] not in SYSTEM:
                    complaints.append(f"{where}: names a place outside the project: {line[found.start():].split()[0]}")
            for found in UPWARD.finditer(line):
                if found[0].count("/") > depth:
                    complaints.append(f"{where}: names a place outside the project: {line[found.start():].split()[0]}")
    return complaints


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    failed = 0
    checks = [check_headers, check_mirror, check_places]
    for check in checks:
        complaints = check(root)
        failed += bool(complaints)
        for complaint in complaints:
            print(complaint)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
