#!/usr/bin/env python3
"""Compiles each header alone, included twice, without a warning: no header leans on what another one includes.

usage: alone.py [--compiler CXX]... [--jobs N] INCLUDE_DIR     e.g. alone.py --compiler g++ --compiler clang++-19 include
"""
import argparse
import concurrent.futures
import os
import pathlib
import shlex
import subprocess
import sys

FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Werror"]


def compile_alone(compiler: str, include: pathlib.Path, header: str) -> tuple[str, str]:
    """Returns a name for the case and what the compiler said against it."""
    run = subprocess.run(
        [*shlex.split(compiler), *FLAGS, f"-I{include}", "-x", "c++", "-"],
        input=f"#include <{header}>\n#include <{header}>\nint main() {{}}\n",
        capture_output=True,
        text=True,
    )
    return f"{compiler}: {header}", "" if run.returncode == 0 else run.stderr or f"exit code {run.returncode}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", action="append")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("include", type=pathlib.Path)
    options = parser.parse_args()

    headers = sorted(str(path.relative_to(options.include)) for path in options.include.rglob("*.hpp"))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        cases = [
            pool.submit(compile_alone, compiler, options.include, header)
            for compiler in options.compiler or ["c++"]
            for header in headers
        ]
        for case in cases:
            name, complaint = case.result()
            if complaint:
                failed += 1
                print(f"FAILED {name}\n{complaint}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
