#!/usr/bin/env python3
"""Shows that run.py finds a case that proves nothing. Uses the compiler of $CXX, or c++."""
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import run

COMPILER = os.environ.get("CXX", "c++")
KIND = run.kind_of(COMPILER)

CASE = """// expect: a sentence for people
template <class T> void f() { static_assert(sizeof(T) > 1, "a sentence for people"); }
int main() {
#ifdef BAD
  f<char>();
#else
  f<int>();
#endif
}
"""


class RunTest(unittest.TestCase):
    def result(self, text: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            case = pathlib.Path(folder) / "case.cpp"
            case.write_text(text)
            return run.check(COMPILER, KIND, pathlib.Path(folder), case)

    def test_good_case_passes(self):
        self.assertEqual(self.result(CASE), "")

    def test_own_words_of_a_compiler(self):
        self.assertEqual(self.result(CASE.replace("expect", f"expect-{KIND}")), "")

    def test_case_that_never_compiles(self):
        self.assertIn("does not compile without -DBAD", self.result(CASE.replace("f<int>()", "f<char>()")))

    def test_case_that_always_compiles(self):
        self.assertEqual(self.result(CASE.replace("f<char>()", "f<int>()")), "compiles with -DBAD")

    def test_another_sentence(self):
        self.assertIn("expected the first error to say", self.result(CASE.replace("expect: a", "expect: another")))

    def test_sentence_only_in_the_second_error(self):
        self.assertIn("expected the first error to say", self.result(CASE.replace("f<char>();", "g();\n  f<char>();")))

    def test_more_than_one_error(self):
        self.assertIn("expected one error, there are 2", self.result(CASE.replace("f<char>();", "f<char>();\n  f<bool>();")))

    def test_own_words_may_be_followed_by_more(self):
        case = CASE.replace("f<char>();", "f<char>();\n  f<bool>();").replace("expect", f"expect-{KIND}")
        self.assertEqual(self.result(case), "")

    def test_no_expectation(self):
        self.assertIn("it has 0 lines", self.result(CASE.replace("// expect", "// want")))

    def test_two_expectations(self):
        self.assertIn("it has 2 lines", self.result("// expect: one\n" + CASE))


if __name__ == "__main__":
    result = unittest.TextTestRunner(verbosity=0).run(unittest.defaultTestLoader.loadTestsFromTestCase(RunTest))
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    sys.exit(1 if bad else 0)
