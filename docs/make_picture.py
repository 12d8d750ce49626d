#!/usr/bin/env python3
"""Draws docs/terminal.svg: runs the example network and the ckpt command, and shows what they print.

usage: docs/make_picture.py BUILD_FOLDER     (one that has tools/ckpt and examples/lenet: scripts/demo.sh makes build/demo)
"""

import html
import pathlib
import shlex
import subprocess
import sys
import tempfile

COMMANDS = [
    "ckpt ls lenet.ckpt",
    "ckpt convert lenet.ckpt copy.safetensors --rename '^fc=dense'",
    "ckpt convert copy.safetensors back.ckpt --rename '^dense=fc'",
    "ckpt diff lenet.ckpt back.ckpt",
]
SIZE, LINE, LEFT, TOP = 14, 19, 18, 44
WIDTH = 86


def lines_of(build, folder):
    subprocess.run([build / "examples" / "lenet", "."], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for command in COMMANDS:
        yield "$ " + command
        words = [str(build / "tools" / "ckpt"), *shlex.split(command)[1:]]
        run = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        yield from run.stdout.splitlines()


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        lines = list(lines_of(build, folder))
    longest = max(map(len, lines))
    if longest > WIDTH:
        sys.exit(f"a line has {longest} characters; the picture is {WIDTH} wide")
    width, height = 2 * LEFT + WIDTH * 8.43, TOP + LINE * len(lines) + 6
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" viewBox="0 0 {width:.0f} {height}">',
        f'<rect width="100%" height="100%" rx="8" fill="#1b1f27"/>',
        *(f'<circle cx="{20 + 18 * i}" cy="17" r="5.5" fill="{c}"/>' for i, c in enumerate(("#e06c75", "#e5c07b", "#98c379"))),
        f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,\'DejaVu Sans Mono\',monospace" font-size="{SIZE}" '
        f'xml:space="preserve" fill="#d7dae0">',
    ]
    for number, line in enumerate(lines):
        style = ' fill="#98c379" font-weight="bold"' if line.startswith("$ ") else ""
        out.append(f'<text x="{LEFT}" y="{TOP + LINE * number}"{style}>{html.escape(line, quote=False)}</text>')
    out += ["</g>", "</svg>", ""]
    (pathlib.Path(__file__).parent / "terminal.svg").write_text("\n".join(out), encoding="utf-8")


main()
