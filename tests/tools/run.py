#!/usr/bin/env python3
"""Tests the ckpt command from outside: what it prints, writes and returns. Last line: N passed, N failed

usage: run.py CKPT [TEST...]     e.g. run.py build/tools/ckpt test_ls.Ls.test_json
"""
import pathlib
import sys
import unittest

import command


def main() -> int:
    command.COMMAND[:] = [str(pathlib.Path(sys.argv[1]).resolve())]
    here = pathlib.Path(__file__).parent
    loader = unittest.TestLoader()
    suite = loader.loadTestsFromNames(sys.argv[2:]) if sys.argv[2:] else loader.discover(str(here), top_level_dir=str(here))
    result = unittest.TextTestRunner(sys.stdout, verbosity=1).run(suite)
    wrong = [test for test, _ in result.failures + result.errors] + result.unexpectedSuccesses
    failed = len({getattr(test, "test_case", test) for test in wrong})  # however many of its parts
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 0 if result.testsRun and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
