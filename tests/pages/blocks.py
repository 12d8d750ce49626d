#!/usr/bin/env python3
"""Makes one program of the C++ in pages of Markdown: each block between ```cpp and ``` is compiled as it stands, and run.

usage: blocks.py OUT.cpp PAGE.md...

A block that begins with `struct` or `template` is a declaration, and comes before all others. Of these each is the body of a function,
called in the order of the pages. The #includes of the pages, in their text too, stand at the beginning. The names that the pages take for granted are declared in
types.hpp, and in objects.hpp what is made of the declarations.
"""
import pathlib
import re
import sys

BLOCK = re.compile(r"^```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main() -> int:
    out, *pages = map(pathlib.Path, sys.argv[1:])
    includes, declarations, functions, calls = set(), [], [], []
    for page in pages:
        text = page.read_text("utf-8")
        includes.update(re.findall(r"#include <.*?>", text))
        for block in BLOCK.finditer(text):
            number = text.count("\n", 0, block.start(1)) + 1
            place = f'#line {number} "{page}"\n'
            code = re.sub(r"^#include <.*?>", "", block[1], flags=re.MULTILINE)
            if code.lstrip().startswith(("struct ", "template ")):
                declarations.append(place + code)
            else:
                functions.append(f"void block_{len(calls)}() {{\n{place}{code}}}\n")
                calls.append(f'run("{page.name}:{number}", block_{len(calls)});\n')
    if not calls:
        sys.exit(f"no block of C++ in {', '.join(map(str, pages))}")
    out.write_text(
        "\n".join(sorted(includes)) + '\n#include "types.hpp"\n' + "".join(declarations) + '#include "objects.hpp"\n'
        + "".join(functions) + "void run_blocks() {\n" + "".join(calls) + "}\n",
        "utf-8",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
