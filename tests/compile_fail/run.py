#!/usr/bin/env python3
"""Shows that wrong use does not compile, and that our sentence is then the first and only error that the compiler prints.

Each case is a file NAME.cpp, compiled twice: as it is it must compile, with -DBAD it must not. Its comment lines
    // expect: the sentence                  a part of the one error; or
    // expect-gcc: … and // expect-clang: …  a part of the first one, where the words are the compiler's own (a deleted function)

usage: run.py [--compiler CXX]... [--jobs N] INCLUDE_DIR FOLDER_OF_CASES
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys

FLAGS = ["-std=c++20", "-fsyntax-only", "-fno-diagnostics-color", "-Wall", "-Wextra", "-Werror"]
EXPECT = re.compile(r"^// expect(?:-(gcc|clang))?: (.+?)\s*$", re.MULTILINE)
ENVIRONMENT = {**os.environ, "LC_ALL": "C"}  # plain quotes in the compiler's words
ERROR = re.compile(r"^.*?:\d+:\d+: (?:fatal )?error: (.*)$", re.MULTILINE)


def kind_of(compiler: str) -> str:
    macros = subprocess.run(
        [*shlex.split(compiler), "-dM", "-E", "-x", "c++", "-"], input="", capture_output=True, text=True, check=True
    )
    return "clang" if "__clang__" in macros.stdout else "gcc"


def expectations(text: str, kind: str) -> list[tuple[str, str]]:
    """The sentences for a kind of compiler, each with "" or the kind that it is for."""
    return [(only, sentence) for only, sentence in EXPECT.findall(text) if only in ("", kind)]


def check(compiler: str, kind: str, include: pathlib.Path, case: pathlib.Path) -> str:
    """Returns what is wrong; empty when the case passes."""
    expected = expectations(case.read_text("utf-8"), kind)
    if len(expected) != 1:
        return f"it has {len(expected)} lines `// expect: …` for {kind}, not 1"
    command = [*shlex.split(compiler), *FLAGS, f"-I{include}", str(case)]
    good = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    if good.returncode != 0:
        return f"does not compile without -DBAD:\n{good.stderr}"
    bad = subprocess.run([*command, "-DBAD"], capture_output=True, text=True, env=ENVIRONMENT)
    if bad.returncode == 0:
        return "compiles with -DBAD"
    errors = ERROR.findall(bad.stderr)
    only, sentence = expected[0]
    if not errors or sentence not in errors[0]:
        return f"expected the first error to say: {sentence}\nbut the compiler says:\n{bad.stderr}"
    if len(errors) > 1 and not only:
        return f"expected one error, there are {len(errors)}:\n{bad.stderr}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", action="append")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("include", type=pathlib.Path)
    parser.add_argument("cases", type=pathlib.Path)
    options = parser.parse_args()

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = [
            (compiler, case, pool.submit(check, compiler, kind, options.include, case))
            for compiler, kind in [(compiler, kind_of(compiler)) for compiler in options.compiler or ["c++"]]
            for case in sorted(options.cases.glob("*.cpp"))
        ]
        for compiler, case, result in results:
            if result.result():
                failed += 1
                print(f"FAILED {compiler}: {case.name}: {result.result()}")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
