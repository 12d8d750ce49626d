#!/usr/bin/env python3
"""Compiles each header alone, included twice, without a warning: no header leans on what another one includes.

usage: alone.py [--compiler CXX]... [--jobs N] [--tests DIR] INCLUDE_DIR     e.g. alone.py --compiler clang++-19 include

--tests: the unit tests, which mirror INCLUDE_DIR/ckpt. What a test there includes before all else is compiled alone by the build of
the tests, and not once more here.
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


def is_compiled_by_test(tests: pathlib.Path, header: str) -> bool:
    test = (tests / pathlib.Path(header).relative_to("ckpt")).with_suffix(".cpp")
    return test.is_file() and test.read_text("utf-8").startswith(f"#include <{header}>\n")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", action="append")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tests", type=pathlib.Path)
    parser.add_argument("include", type=pathlib.Path)
    options = parser.parse_args()

    headers = sorted(str(path.relative_to(options.include)) for path in options.include.rglob("*.hpp"))
    if options.tests:
        headers = [header for header in headers if not is_compiled_by_test(options.tests, header)]
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
