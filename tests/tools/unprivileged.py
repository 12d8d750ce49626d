#!/usr/bin/env python3
"""Runs `ckpt convert` and a save as a user with no rights but its own. Needs root to become one; exits with 77 (skipped) without.

usage: unprivileged.py CKPT FAULT_CHILD LIBFAULT_INJECT      Last line: N passed, N failed

Root may read and write everything, so that tests run as root never see a permission that is missing.
"""
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

import files

SKIPPED = 77
USER = 65534  # nobody
PROGRAMS: list[str] = []  # absolute paths, set by main


class Unprivileged(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="ckpt-unprivileged-")
        self.addCleanup(scratch.cleanup)
        root = pathlib.Path(scratch.name)
        root.chmod(0o755)
        self.programs = []
        for number, program in enumerate(PROGRAMS):  # they may lie where that user cannot go
            self.programs.append(shutil.copy(program, root / f"program{number}"))
            os.chmod(self.programs[-1], 0o755)
        self.own = self.folder(root / "own", USER)
        self.roots = self.folder(root / "roots", 0)
        self.write(self.own / "net.ckpt", files.NET_CKPT, USER)

    def folder(self, path: pathlib.Path, owner: int, mode: int = 0o755) -> pathlib.Path:
        path.mkdir()
        os.chown(path, owner, owner)
        path.chmod(mode)
        return path

    def write(self, path: pathlib.Path, content: bytes, owner: int, mode: int = 0o644) -> None:
        path.write_bytes(content)
        os.chown(path, owner, owner)
        path.chmod(mode)

    def run_as_user(self, *command: str, **options) -> tuple[int, str]:
        done = subprocess.run(
            command, cwd=self.own, user=USER, group=USER, extra_groups=[], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120, **options
        )
        return done.returncode, done.stderr.decode()

    def convert(self, source: str, target: str) -> tuple[int, str]:
        return self.run_as_user(self.programs[0], "convert", source, target)

    def names(self, folder: pathlib.Path) -> list[str]:
        return sorted(path.name for path in folder.iterdir())

    def facts(self, path: pathlib.Path) -> tuple[int, int]:
        status = path.stat()
        return status.st_uid, stat.S_IMODE(status.st_mode)

    def test_own_directory(self):
        before = os.umask(0o022)
        self.addCleanup(os.umask, before)
        self.assertEqual(self.convert("net.ckpt", "new.ckpt"), (0, ""))
        self.assertEqual((self.own / "new.ckpt").read_bytes(), files.NET_CKPT)
        self.assertEqual(self.facts(self.own / "new.ckpt"), (USER, 0o644))

    def test_directory_that_may_not_be_written_to(self):
        self.write(self.roots / "old.ckpt", b"old", 0, 0o666)  # that the file itself may be written to does not help
        for name in ("new.ckpt", "old.ckpt"):
            message = f"ckpt: {self.roots}/{name}: cannot create a temporary file beside it: Permission denied\n"
            self.assertEqual(self.convert("net.ckpt", f"{self.roots}/{name}"), (3, message))
        self.assertEqual((self.roots / "old.ckpt").read_bytes(), b"old")
        self.assertEqual(self.names(self.roots), ["old.ckpt"])

    def test_directory_that_may_not_be_entered(self):
        self.roots.chmod(0o700)
        target = f"{self.roots}/new.ckpt"
        self.assertEqual(self.convert("net.ckpt", target), (3, f"ckpt: {target}: cannot write there: Permission denied\n"))

    def test_directory_that_may_be_written_to_but_not_read(self):
        # Such a one cannot be opened, and so not be synced.
        blind = self.folder(self.own / "blind", USER, 0o300)
        message = f'ckpt: {blind}/new.ckpt: cannot open the directory "{blind}": Permission denied\n'
        self.assertEqual(self.convert("net.ckpt", f"{blind}/new.ckpt"), (3, message))
        self.assertEqual(self.names(blind), [])

    def test_file_of_another_owner_in_an_own_directory(self):
        self.write(self.own / "old.ckpt", b"old", 0, 0o640)
        self.assertEqual(self.convert("net.ckpt", "old.ckpt"), (0, ""))
        self.assertEqual((self.own / "old.ckpt").read_bytes(), files.NET_CKPT)
        self.assertEqual(self.facts(self.own / "old.ckpt"), (USER, 0o640))

    def test_file_of_another_owner_in_a_sticky_directory(self):
        shared = self.folder(self.own.parent / "shared", 0, 0o1777)
        self.write(shared / "old.ckpt", b"old", 0)
        message = f"ckpt: {shared}/old.ckpt: cannot rename the temporary file to it: Operation not permitted\n"
        self.assertEqual(self.convert("net.ckpt", f"{shared}/old.ckpt"), (3, message))
        self.assertEqual((shared / "old.ckpt").read_bytes(), b"old")
        self.assertEqual(self.names(shared), ["old.ckpt"])
        self.assertEqual(self.convert("net.ckpt", f"{shared}/new.ckpt"), (0, ""))

    def test_input_that_may_not_be_read(self):
        self.write(self.roots / "secret.ckpt", files.NET_CKPT, 0, 0o600)
        secret = f"{self.roots}/secret.ckpt"
        for command in (["convert", secret, "new.ckpt"], ["ls", secret], ["verify", secret], ["cat", secret, "note"], ["diff", "net.ckpt", secret]):
            with self.subTest(command[0]):
                message = f"ckpt: {secret}: cannot open: Permission denied\n"
                self.assertEqual(self.run_as_user(self.programs[0], *command), (3, message))
        self.assertEqual(self.names(self.own), ["net.ckpt"])

    def test_save_over_a_file_without_write_permission(self):
        # MindSpore's mode is 0400: its own files are replaced all the same.
        self.write(self.own / "old.ckpt", b"old", USER, 0o400)
        self.assertEqual(self.convert("net.ckpt", "old.ckpt"), (0, ""))
        self.assertEqual(self.facts(self.own / "old.ckpt"), (USER, 0o400))

    def test_save_of_the_library(self):
        _, child, library = self.programs
        environment = dict(os.environ, LD_PRELOAD=str(library), LC_ALL="C")

        def save(path: pathlib.Path) -> tuple[int, str]:
            done = subprocess.run(
                [child, "small", "ckpt", "full", path], cwd=self.own, env=environment, user=USER, group=USER, extra_groups=[], capture_output=True, timeout=120
            )
            return done.returncode, done.stdout.decode()

        self.write(self.own / "old.ckpt", b"old", 0, 0o400)
        self.assertEqual(save(self.own / "old.ckpt"), (0, ""))
        self.assertEqual(self.facts(self.own / "old.ckpt"), (USER, 0o600))
        message = f"{self.roots}/new.ckpt: cannot create a temporary file beside it: Permission denied\n"
        self.assertEqual(save(self.roots / "new.ckpt"), (3, message))
        self.assertEqual(self.names(self.roots), [])


def main() -> int:
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    if os.geteuid() != 0:
        print("skipped: needs root, to become another user")
        return SKIPPED
    PROGRAMS[:] = [os.path.abspath(path) for path in sys.argv[1:]]
    result = unittest.TextTestRunner(sys.stdout, verbosity=1).run(unittest.defaultTestLoader.loadTestsFromTestCase(Unprivileged))
    failed = len({getattr(test, "test_case", test) for test, _ in result.failures + result.errors})
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
