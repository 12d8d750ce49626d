#!/usr/bin/env python3
"""Reads and converts files larger than the address space that is left. Last line: N passed, N failed

usage: low_memory.py LOW_MEMORY_CHILD [CKPT]

The files are sparse: 64 GiB take a few blocks of the disk. Exits with 77 (skipped) where the file system has no such files.
"""
import os
import pathlib
import resource
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
import files

SKIPPED = 77
MIB, GIB = 1 << 20, 1 << 30
ALLOWED = 128 * MIB  # of address space, the program's own included
PROGRAMS: list[str] = []  # absolute paths, set by main

# name, size in bytes and last bytes; the rest are zeros
PARTS = [("front", 40 * GIB, (9, 8, 7, 6)), ("small.a", 16, (1, 2, 3, 4)), ("back", 24 * GIB, (5, 6, 7, 8)), ("small.b", 16, (-1, -2, -3, -4))]


def write_safetensors(path: pathlib.Path, parts: list[tuple[str, int, tuple[int, ...]]]) -> None:
    at, rows = 0, []
    for name, size, _ in parts:
        rows.append(f'"{name}":{{"dtype":"I32","shape":[{size // 4}],"data_offsets":[{at},{at + size}]}}')
        at += size
    text = ("{" + ",".join(rows) + "}").encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, size, last in parts:
            file.seek(size - 16, os.SEEK_CUR)
            file.write(struct.pack("<4i", *last))


def write_ckpt(path: pathlib.Path, parts: list[tuple[str, int, tuple[int, ...]]]) -> None:
    """In chunks of 512 MiB, as MindSpore does."""
    with path.open("wb") as file:
        for name, size, last in parts:
            for begin in range(0, size, 512 * MIB):
                count = min(512 * MIB, size - begin)
                tensor_size = len(files.tensor_proto("Int32", [size // 4], b"")) - 1 + len(files.varint(count)) + count
                tag = files.field(1, name.encode())
                head = files.varint(2 << 3 | 2) + files.varint(tensor_size)
                value_size = len(tag) + len(head) + tensor_size
                inner = files.tensor_proto("Int32", [size // 4], b"")[:-1] + files.varint(count)
                file.write(files.varint(1 << 3 | 2) + files.varint(value_size) + tag + head + inner)
                file.seek(count - 16, os.SEEK_CUR)
                file.write(struct.pack("<4i", *last) if begin + count == size else bytes(16))


def can_be_sparse(folder: pathlib.Path) -> bool:
    try:
        with (folder / "probe").open("wb") as file:
            file.truncate(64 * GIB)
            return os.stat(file.fileno()).st_blocks * 512 < MIB
    except OSError:  # the largest file is smaller
        return False
    finally:
        (folder / "probe").unlink(missing_ok=True)


class LowMemory(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="ckpt-low-memory-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)

    def limited(self, *command: str, allowed: int = ALLOWED) -> tuple[int, str]:
        done = subprocess.run(
            command,
            cwd=self.directory,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed)),
            env=dict(os.environ, LC_ALL="C"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
        )
        return done.returncode, done.stdout.decode()

    def command(self) -> str:
        if len(PROGRAMS) < 2:
            self.skipTest("the ckpt command is not built")
        return PROGRAMS[1]

    def write_both(self) -> list[str]:
        write_safetensors(self.directory / "huge.safetensors", PARTS)
        write_ckpt(self.directory / "huge.ckpt", PARTS)
        return ["huge.safetensors", "huge.ckpt"]

    def test_load_of_what_is_chosen(self):
        for name in self.write_both():
            self.assertEqual(self.limited(PROGRAMS[0], "copy", name), (0, "small.a: 1 2 3 4\nsmall.b: -1 -2 -3 -4\n"))

    def test_reader(self):
        ends = "front: 9 8 7 6\nsmall.a: 1 2 3 4\nback: 5 6 7 8\nsmall.b: -1 -2 -3 -4\n"
        for name in self.write_both():
            self.assertEqual(self.limited(PROGRAMS[0], "read", name), (0, ends))

    def test_the_limit_is_one(self):
        for name in self.write_both():
            size = (self.directory / name).stat().st_size
            self.assertEqual(self.limited(PROGRAMS[0], "map", name), (1, f"{name}: cannot map {size} bytes: Cannot allocate memory\n"))
            self.assertEqual(self.limited(PROGRAMS[0], "copy-all", name), (1, "std::bad_alloc\n"))

    def test_commands(self):
        command = self.command()
        for name in self.write_both():
            code, said = self.limited(command, "ls", name)
            self.assertEqual((code, said.splitlines()[1].split()), (0, ["front", "int32", "[10737418240]", "40.0", "GiB"]))
            self.assertEqual(self.limited(command, "cat", name, "small.b", "-o", "b.npy"), (0, ""))
            self.assertEqual((self.directory / "b.npy").read_bytes()[-16:], struct.pack("<4i", -1, -2, -3, -4))
            for target in ("part.safetensors", "part.ckpt"):
                wrote = f"wrote {target}: {target[5:]}, 2 tensors, 32 B\n"
                self.assertEqual(self.limited(command, "convert", name, target, "--only", "^small"), (0, wrote))
                self.assertEqual(self.limited(PROGRAMS[0], "copy", target), (0, "small.a: 1 2 3 4\nsmall.b: -1 -2 -3 -4\n"))

    def test_convert_of_the_whole_file(self):
        parts = [("a", 150 * MIB, (1, 2, 3, 4)), ("b", 150 * MIB, (5, 6, 7, 8))]
        write_safetensors(self.directory / "large.safetensors", parts)
        for source, target in (("large.safetensors", "large.ckpt"), ("large.ckpt", "again.safetensors")):
            self.assertEqual(self.limited(self.command(), "convert", source, target)[0], 0)
        self.assertEqual(self.limited(PROGRAMS[0], "read", "large.ckpt"), (0, "a: 1 2 3 4\nb: 5 6 7 8\n"))
        self.assertEqual(self.limited(PROGRAMS[0], "read", "again.safetensors"), (0, "a: 1 2 3 4\nb: 5 6 7 8\n"))


def main() -> int:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="ckpt-low-memory-") as folder:
        if not can_be_sparse(pathlib.Path(folder)):
            print(f"skipped: the file system of {folder} has no sparse files of 64 GiB")
            return SKIPPED
    PROGRAMS[:] = [os.path.abspath(path) for path in sys.argv[1:]]
    result = unittest.TextTestRunner(sys.stdout, verbosity=1).run(unittest.defaultTestLoader.loadTestsFromTestCase(LowMemory))
    failed = len({getattr(test, "test_case", test) for test, _ in result.failures + result.errors})
    for test, reason in result.skipped:
        print(f"skipped: {test.id()}: {reason}")
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed")
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
