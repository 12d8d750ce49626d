#!/usr/bin/env python3
"""What does including ckpt.hpp cost? Compiles an empty program that includes it and one that includes the standard and
system headers which it includes, in turn, and compares the processor time.

usage: compile_cost.py [--rounds N] [--compiler CXX]...
"""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<([^>]+)>", re.MULTILINE)
MODES = {"syntax": ["-fsyntax-only"], "object": ["-O2", "-c", "-o", os.devnull]}


def foreign_headers(header: str) -> list[str]:
    """What `header` and the headers of ours below it include that is not ours."""
    ours, foreign, open_ends = {header}, set(), [header]
    while open_ends:
        for found in INCLUDE.findall((ROOT / "include" / open_ends.pop()).read_text("utf-8")):
            if not (ROOT / "include" / found).is_file():
                foreign.add(found)
            elif found not in ours:
                ours.add(found)
                open_ends.append(found)
    return sorted(foreign)


def processor_seconds(command: list[str]) -> float:
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise RuntimeError(" ".join(command) + " failed")
    return usage.ru_utime + usage.ru_stime


def measure(compiler: str, mode: str, rounds: int, header: str = "ckpt/ckpt.hpp") -> tuple[float, float, float]:
    """Median seconds with our header, of the standard headers alone, and the median of their ratios."""
    ours, standard, ratios = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        sources = {"ours.cpp": [header], "standard.cpp": foreign_headers(header)}
        for name, headers in sources.items():
            text = "".join(f"#include <{each}>\n" for each in headers) + "int main() {}\n"
            (pathlib.Path(folder) / name).write_text(text, "utf-8")
        command = [compiler, "-std=c++20", "-I", str(ROOT / "include"), *MODES[mode]]
        turns = [(ours, "ours.cpp"), (standard, "standard.cpp")]
        for _ in range(rounds):
            for seconds, source in turns:
                seconds.append(processor_seconds([*command, f"{folder}/{source}"]))
            ratios.append(ours[-1] / standard[-1])
            turns.reverse()
    return statistics.median(ours), statistics.median(standard), statistics.median(ratios)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--compiler", action="append")
    options = parser.parse_args()
    for compiler in options.compiler or ["g++", "clang++-19"]:
        if shutil.which(compiler) is None:
            print(f"skipped: {compiler} is not installed")
            continue
        for mode in MODES:
            ours, standard, ratio = measure(compiler, mode, options.rounds)
            print(f"{compiler:<12} {mode:<8} ckpt.hpp {ours:6.3f} s   standard headers {standard:6.3f} s   "
                  f"ratio {ratio:5.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
