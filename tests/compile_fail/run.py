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
import tempfile
from collections.abc import Sequence

FLAGS = ["-std=c++20", "-fno-diagnostics-color", "-Wall", "-Wextra", "-Werror"]
EXPECT = re.compile(r"^// expect(?:-(gcc|clang))?: (.+?)\s*$", re.MULTILINE)
HEADER = "#include <ckpt/ckpt.hpp>"
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


def precompile(compiler: str, kind: str, include: pathlib.Path, folder: pathlib.Path) -> list[str]:
    """Compiles HEADER once for all cases that include it, into `folder`; returns the options that use the result."""
    header = folder / "header.hpp"
    header.write_text(f"{HEADER}\n", "utf-8")
    compiled = folder / ("header.hpp.gch" if kind == "gcc" else "header.pch")
    command = [*shlex.split(compiler), *FLAGS, f"-I{include}", "-x", "c++-header", str(header), "-o", str(compiled)]
    subprocess.run(command, check=True, env=ENVIRONMENT)
    return ["-include", str(header)] if kind == "gcc" else ["-include-pch", str(compiled)]


def check(compiler: str, kind: str, include: pathlib.Path, case: pathlib.Path, precompiled: Sequence[str] = ()) -> str:
    """Returns what is wrong; empty when the case passes. `precompiled`: what precompile returned."""
    text = case.read_text("utf-8")
    expected = expectations(text, kind)
    if len(expected) != 1:
        return f"it has {len(expected)} lines `// expect: …` for {kind}, not 1"
    options = precompiled if HEADER in text else ()
    command = [*shlex.split(compiler), *FLAGS, "-fsyntax-only", *options, f"-I{include}", str(case)]
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

    failed, results = 0, []
    with tempfile.TemporaryDirectory() as root, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for index, compiler in enumerate(options.compiler or ["c++"]):
            kind, folder = kind_of(compiler), pathlib.Path(root) / str(index)
            folder.mkdir()
            precompiled = precompile(compiler, kind, options.include, folder)
            for case in sorted(options.cases.glob("*.cpp")):
                results.append((compiler, case, pool.submit(check, compiler, kind, options.include, case, precompiled)))
        for compiler, case, result in results:
            if result.result():
                failed += 1
                print(f"FAILED {compiler}: {case.name}: {result.result()}")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
