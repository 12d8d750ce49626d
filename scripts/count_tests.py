#!/usr/bin/env python3
"""Adds up the tests of a finished `meson test`, also those within one program, and prints `N passed, N failed`.

usage: count_tests.py BUILD_FOLDER
"""
import json
import pathlib
import re
import sys

OWN = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)
DOCTEST = re.compile(r"^\[doctest\] test cases: +\d+ \| +(\d+) passed \| +(\d+) failed", re.MULTILINE)


def count(stdout: str, ok: bool) -> tuple[int, int]:
    """What one program says of its tests; a program that says nothing is one test, and a failed one failed at least once."""
    found = OWN.findall(stdout) or DOCTEST.findall(stdout)
    passed, failed = map(int, found[-1]) if found else (int(ok), int(not ok))
    return passed, failed if ok else max(failed, 1)


def main() -> int:
    log = pathlib.Path(sys.argv[1]) / "meson-logs" / "testlog.json"
    passed = failed = skipped = 0
    for line in log.read_text("utf-8").splitlines():
        test = json.loads(line)
        if test["result"] == "SKIP":  # what only root can do says so itself; it is no failure, and not passed either
            skipped += 1
            print(f"skipped: {test['name']}: {(test.get('stdout') or '').strip().splitlines()[-1:]}")
            continue
        counts = count(test.get("stdout") or "", test["result"] == "OK")
        passed, failed = passed + counts[0], failed + counts[1]
    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
