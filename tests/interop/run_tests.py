#!/usr/bin/env python3
"""Runs test_*.py beside it, or those named; a subtest counts. Last line: N passed, N failed"""

import pathlib
import sys
import time
import unittest


class Counting(unittest.TextTestResult):
    passed = 0

    def startTest(self, test):
        super().startTest(test)
        self.subtests = 0
        self.started = time.monotonic()

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        self.subtests += 1
        self.passed += error is None

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += self.subtests == 0

    def stopTest(self, test):
        super().stopTest(test)
        print(f"{test.id():<60} {time.monotonic() - self.started:6.1f} s  {self.subtests or 1} checks", flush=True)


here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here))
names = sys.argv[1:] or [path.stem for path in sorted(here.glob("test_*.py"))]
result = unittest.TextTestRunner(resultclass=Counting, stream=sys.stdout, verbosity=0).run(unittest.defaultTestLoader.loadTestsFromNames(names))
failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
print(f"{result.passed} passed, {failed} failed")
sys.exit(failed != 0 or result.passed == 0)
