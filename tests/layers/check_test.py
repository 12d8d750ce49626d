#!/usr/bin/env python3
"""Shows that check.py finds each kind of mistake: a good tree passes, and one changed file in it is named with its reason."""
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check


def header(path: str, body: str = "") -> str:
    guard = check.guard_of(path)
    return f"#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n"


GOOD = {
    "include/ckpt/ckpt.hpp": header("ckpt.hpp", "#include <ckpt/format/mindspore.hpp>\n#include <ckpt/version.hpp>\n"),
    "include/ckpt/version.hpp": header("version.hpp", "#define CKPT_VERSION_MAJOR 0\n"),
    "include/ckpt/core/error.hpp": header("core/error.hpp", "#include <string>\n"),
    "include/ckpt/tensor/dtype.hpp": header("tensor/dtype.hpp", "#include <ckpt/core/error.hpp>\n"),
    "include/ckpt/tensor/shape.hpp": header("tensor/shape.hpp", "#include <ckpt/tensor/dtype.hpp>\n"),
    "include/ckpt/wire/varint.hpp": header("wire/varint.hpp", "#include <ckpt/version.hpp>\n"),
    "include/ckpt/format/mindspore.hpp": header("format/mindspore.hpp", "#include <ckpt/tensor/shape.hpp>\n"),
    "tests/unit/main.cpp": "int main() {}\n",
    "tests/unit/core/error.cpp": "#include <ckpt/core/error.hpp>\n",
    "scripts/test.sh": 'cd "$(dirname "$0")/../tests" && cat /dev/null /proc/self/maps # http://example.org/a/b s/a/b/\n',
}


def complaints(change: dict[str, str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in (GOOD | change).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return check.check_headers(root) + check.check_mirror(root) + check.check_places(root)


class CheckTest(unittest.TestCase):
    def refuses(self, change: dict[str, str], complaint: str) -> None:
        self.assertEqual(complaints(change), [complaint])

    def test_good_tree_passes(self):
        self.assertEqual(complaints({}), [])

    def test_upward_arrow(self):
        self.refuses(
            {"include/ckpt/core/error.hpp": header("core/error.hpp", "#include <ckpt/wire/varint.hpp>\n")},
            "include/ckpt/core/error.hpp: includes <ckpt/wire/varint.hpp>, which is not in a layer below",
        )

    def test_sideways_arrow(self):
        self.refuses(
            {"include/ckpt/wire/varint.hpp": header("wire/varint.hpp", "#include <ckpt/tensor/dtype.hpp>\n")},
            "include/ckpt/wire/varint.hpp: includes <ckpt/tensor/dtype.hpp>, which is not in a layer below",
        )

    def test_include_of_an_umbrella(self):
        self.refuses(
            {"include/ckpt/wire/varint.hpp": header("wire/varint.hpp", "#include <ckpt/other.hpp>\n"),
             "include/ckpt/other.hpp": header("other.hpp")},
            "include/ckpt/wire/varint.hpp: includes <ckpt/other.hpp>, which is not in a layer below",
        )

    def test_version_includes_nothing_of_the_project(self):
        self.refuses(
            {"include/ckpt/version.hpp": header("version.hpp", "#include <ckpt/core/error.hpp>\n")},
            "include/ckpt/version.hpp: includes <ckpt/core/error.hpp>, which is not in a layer below",
        )

    def test_cycle_within_a_folder(self):
        self.refuses(
            {"include/ckpt/tensor/dtype.hpp": header("tensor/dtype.hpp", "#include <ckpt/tensor/shape.hpp>\n")},
            "include/ckpt: headers include each other: tensor/shape.hpp -> tensor/dtype.hpp -> tensor/shape.hpp",
        )

    def test_header_that_includes_itself(self):
        self.refuses(
            {"include/ckpt/core/error.hpp": header("core/error.hpp", "#include <ckpt/core/error.hpp>\n")},
            "include/ckpt: headers include each other: core/error.hpp -> core/error.hpp",
        )

    def test_include_that_does_not_exist(self):
        self.refuses(
            {"include/ckpt/wire/varint.hpp": header("wire/varint.hpp", "#include <ckpt/core/gone.hpp>\n")},
            "include/ckpt/wire/varint.hpp: includes <ckpt/core/gone.hpp>, which does not exist",
        )

    def test_quoted_include(self):
        self.refuses(
            {"include/ckpt/wire/varint.hpp": header("wire/varint.hpp", '#include "ckpt/core/error.hpp"\n')},
            'include/ckpt/wire/varint.hpp: includes "ckpt/core/error.hpp": write <ckpt/...>',
        )

    def test_heavy_standard_header(self):
        self.refuses(
            {"include/ckpt/core/error.hpp": header("core/error.hpp", "#include <iostream>\n")},
            "include/ckpt/core/error.hpp: includes <iostream>, which is slow to compile for every user",
        )

    def test_folder_without_a_layer(self):
        self.refuses(
            {"include/ckpt/misc/stuff.hpp": header("misc/stuff.hpp")},
            "include/ckpt/misc/stuff.hpp: its folder is none of the layers: " + ", ".join(check.RANK),
        )

    def test_header_of_601_lines(self):
        text = header("core/long.hpp", "\n" * 596)
        self.assertEqual(text.count("\n"), 601)
        self.refuses({"include/ckpt/core/long.hpp": text}, "include/ckpt/core/long.hpp: 601 lines, 600 are the most")

    def test_header_of_600_lines_passes(self):
        self.assertEqual(complaints({"include/ckpt/core/long.hpp": header("core/long.hpp", "\n" * 595)}), [])

    def test_guard_of_another_path(self):
        self.refuses(
            {"include/ckpt/core/error.hpp": "#ifndef CKPT_ERROR_HPP\n#define CKPT_CORE_ERROR_HPP\n#endif\n"},
            "include/ckpt/core/error.hpp: the include guard is not CKPT_CORE_ERROR_HPP",
        )

    def test_no_guard(self):
        self.refuses(
            {"include/ckpt/core/error.hpp": "#pragma once\n"},
            "include/ckpt/core/error.hpp: the include guard is not CKPT_CORE_ERROR_HPP",
        )

    def test_guard_after_a_comment_passes(self):
        self.assertEqual(complaints({"include/ckpt/core/error.hpp": "// What it is.\n\n" + header("core/error.hpp")}), [])

    def test_macro(self):
        self.refuses(
            {"include/ckpt/core/error.hpp": header("core/error.hpp", "#define CKPT_MAX(a, b) a\n")},
            "include/ckpt/core/error.hpp: defines the macro CKPT_MAX",
        )

    def test_unit_test_of_no_header(self):
        self.refuses(
            {"tests/unit/core/other.cpp": ""},
            "tests/unit/core/other.cpp: there is no include/ckpt/core/other.hpp that it could test",
        )

    def test_absolute_place(self):
        place = "/".join(["", "home", "me", "models"])
        self.refuses(
            {"scripts/run.sh": f"set -e\nls {place}\n"},
            f"scripts/run.sh:2: names a place outside the project: {place}",
        )

    def test_place_above_the_root(self):
        place = "../" * 2 + "data/x"
        self.refuses({"tests/a.py": f"open('{place}')\n"}, f"tests/a.py:1: names a place outside the project: {place}')")

    def test_empty_tree(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(check.check_headers(pathlib.Path(folder)), ["include/ckpt: no header at all"])

    def test_exit_code_and_count(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
            argv, sys.argv = sys.argv, ["check.py", folder]
            try:
                self.assertEqual(check.main(), 1)
            finally:
                sys.argv = argv
        self.assertEqual(out.getvalue(), "include/ckpt: no header at all\n2 passed, 1 failed\n")


if __name__ == "__main__":
    result = unittest.TextTestRunner(verbosity=0).run(unittest.defaultTestLoader.loadTestsFromTestCase(CheckTest))
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    sys.exit(1 if bad else 0)
