"""Runs the ckpt command in a scratch directory, as a shell or a terminal would."""
import fcntl
import os
import pathlib
import pty
import select
import struct
import subprocess
import tempfile
import termios
import unittest

COMMAND: list[str] = []  # set by run.py


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="ckpt-tools-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)

    def write(self, name: str, content: bytes) -> None:
        (self.directory / name).write_bytes(content)

    def read(self, name: str) -> bytes:
        return (self.directory / name).read_bytes()

    def names(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())

    def run_ckpt(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        """Both outputs are bytes; standard error must be UTF-8."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
        return subprocess.run([*COMMAND, *arguments], cwd=self.directory, timeout=120, **options)

    def ckpt(self, *arguments: str, code: int = 0) -> str:
        """What a run that ends in `code` prints to standard output; it prints nothing else."""
        run = self.run_ckpt(*arguments)
        self.assertEqual((run.returncode, run.stderr.decode()), (code, ""))
        return run.stdout.decode()

    def assert_fails(self, arguments: list[str], code: int, message: str) -> None:
        """The run prints nothing but this one line to standard error."""
        run = self.run_ckpt(*arguments)
        self.assertEqual((run.returncode, run.stdout, run.stderr.decode()), (code, b"", f"ckpt: {message}\n"))

    def on_terminal(self, *arguments: str, columns: int = 80, term: str = "xterm") -> tuple[int, str]:
        """The exit code, and what both outputs wrote to a terminal of that width; line ends are \\n."""
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = {**os.environ, "TERM": term}
        with subprocess.Popen(
            [*COMMAND, *arguments], cwd=self.directory, stdin=subprocess.DEVNULL, stdout=follower, stderr=follower, env=environment
        ) as process:
            os.close(follower)
            shown = b""
            while select.select([leader], [], [], 120)[0]:
                try:
                    piece = os.read(leader, 65536)
                except OSError:  # how Linux says that the other side was closed
                    break
                if not piece:
                    break
                shown += piece
            os.close(leader)
            code = process.wait(120)
        return code, shown.decode().replace("\r\n", "\n")
