#!/usr/bin/env python3
"""Lets every call of a save in the background go wrong in every way, one at a time, and checks what is left.

usage: run_async.py ASYNC_CHILD LIBFAULT_INJECT

* By a thread: as with a save that is waited for (run.py): the error is that of the job.
* By a process, every call of the saving process: an error is that of the job, with path and cause; killed at any call, the job says so, or,
  when the file was in place already, that it is done.
* Without a thread that the system has to give for the queue: the call itself says so. Without the others: it does without.
* By a process, every call of the program: an error is thrown or is the job's; nothing is left, no process and no descriptor. Killed at any
  call, the saving process completes the file by itself from the moment when there is one.

The target is the old file or the new one, whole, and no temporary file stays behind but that of a program that was killed without a process.
"""
import ctypes
import os
import pathlib
import re
import shutil
import sys
import tempfile

from run import KILLED, OPTIONAL, PARTIAL, SAVE_TEXTS, Suite, WORDS, describe

PROCESS_TEXTS = {  # of the program's calls
    "openat to know": "cannot look at it",
    "socketpair": "cannot make a connection to a saving process",
    "pidfd_open": "cannot open a descriptor of the process",
    "clone": "cannot fork a saving process",
}
# Nothing is lost when one of these fails: what is said by the target itself is looked up there.
HARMLESS = {"close directory", "close afterwards", "fstatfs", "flock", "fstat of temporary", "poll", "recv", "send", "waitid", "unlink"}
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


def reap() -> None:
    """Returns when all processes have ended that a killed program has left: they are children of this one then."""
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass


class Saves:
    """One kind of save over a good old file, in a fresh directory each time."""

    def __init__(self, suite: Suite, command: list[str], old: bytes):
        self.suite, self.command, self.old = suite, command, old
        self.directory = suite.root / "case"
        self.name = "net.safetensors" if command[1] == "safetensors" else "net.ckpt"
        self.path = self.directory / self.name
        self.fresh()
        suite.good(command, self.path)
        self.new = self.path.read_bytes()
        assert self.new != old

    def fresh(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir()
        self.path.write_bytes(self.old)

    def is_new(self) -> bool:
        content = self.path.read_bytes()
        if self.command[1] != "aes_gcm":
            return content == self.new
        return len(content) == len(self.new) and content[:4] == self.new[:4]  # no two of them are the same bytes

    def run(self, at: int, kind: str, inside: str, onwards: bool = False, thread: int = 0):
        """The exit code, what was said, the calls, what the target is and what is beside it."""
        self.fresh()
        code, said, calls = self.suite.run(self.command, self.path, at, kind, onwards, inside, thread)
        reap()
        content = self.path.read_bytes() if self.path.exists() else None
        others = sorted(entry.name for entry in self.directory.iterdir() if entry.name != self.name)
        return code, said, calls, describe(content, self.old, self.is_new), others

    def check(self, what: str, is_, should) -> None:
        self.suite.check(f"{' '.join(self.command)}: {what}", [(is_, should)])

    def error(self, call: str, kind: str) -> str:
        text = (SAVE_TEXTS | PROCESS_TEXTS)[call].format(directory=self.directory, size=len(self.new))
        return f"{self.path}: {text}: {WORDS[kind]}"


def without_offset(said: str) -> str:
    return re.sub(r", at byte \d+$", "", said)


def kinds_of(call: str):
    return ["ENOSPC", "EIO", "EINTR"] + ["short"] * (call in PARTIAL) + ["EOPNOTSUPP"] * (call in OPTIONAL)


def fault_child(saves: Saves) -> int:
    _, _, calls, *_ = saves.run(0, "", "child")
    missing = {"close_range", "poll", "recv", "fallocate", "send", "fchmod", "close", "rename"} - set(calls)
    if missing or not {"pwrite", "pwritev"} & set(calls):
        sys.exit(f"never intercepted in the saving process: {sorted(missing)}; there were {calls}")
    renamed = calls.index("rename") + 1
    for at, call in enumerate(calls, 1):
        for kind in kinds_of(call):
            code, said, _, target, others = saves.run(at, kind, "child")
            what = f"{kind} at call {at} of the saving process ({call})"
            if kind in ("EINTR", "short", "EOPNOTSUPP") or call in HARMLESS or call == "close_range":
                saves.check(what, (code, said, target, others), (0, "", "the new file", []))
                continue
            should = "the new file" if call == "fsync directory" else "the old file"
            saves.check(what, (code, without_offset(said), target, others), (3, saves.error(call, kind), should, []))
        if call not in HARMLESS and call not in ("close_range", "close"):  # then it cannot say so either
            code, said, _, target, others = saves.run(at, "EIO", "child", onwards=True)
            # From the rename on the file is there, and what remains to be done for it is done by the program.
            should = (0, "", "the new file") if call == "fsync directory" else \
                (4, f"{saves.path}: the saving process ended with exit code 1; the file is as it was", "the old file")
            saves.check(f"EIO from call {at} of the saving process on ({call})", (code, said, target, others), (*should, []))
        for kind in KILLED:
            code, said, _, target, others = saves.run(at, kind, "child")
            how = "ended with exit code 90" if kind == "exit" else "was killed by signal 9 (Killed)"
            should = (0, "", "the new file") if at > renamed else \
                (4, f"{saves.path}: the saving process {how}; the file is as it was", "the old file")
            saves.check(f"{kind} at call {at} of the saving process ({call})", (code, said, target, others), (*should, []))
    return len(calls)


def fault_parent(saves: Saves) -> int:
    _, _, first, *_ = saves.run(0, "", "parent")
    missing = {"openat", "openat to know", "flock", "socketpair", "pidfd_open", "clone", "send", "poll", "recv", "waitid"} - set(first)
    if missing:
        sys.exit(f"never intercepted in the program: {sorted(missing)}; there were {first}")
    forked = first.index("clone") + 1
    for at in range(1, len(first) + 1):
        for kind in ("ENOSPC", "EIO", "EINTR", *KILLED):
            code, said, calls, target, others = saves.run(at, kind, "parent")
            if len(calls) < at:
                continue  # it heard less often of the progress this time
            call = calls[at - 1]
            if call == "waitid" and kind in WORDS:
                continue  # it never fails so; the unit tests have the one reason there is, that somebody else has reaped the process
            what = f"{kind} at call {at} of the program ({call})"
            if kind in KILLED:
                should = (KILLED[kind], "the new file", True) if at > forked else (KILLED[kind], "the old file", len(others) < 2)
                saves.check(what, (code, target, not others if at > forked else len(others) < 2), should)
            elif kind == "EINTR" and call not in ("close_range", "socketpair", "pidfd_open", "clone") or call in HARMLESS \
                    or call == "close" or call == "readlink" and "openat" in calls[:at]:
                saves.check(what, (code, said, target, others), (0, "", "the new file", []))
            elif call == "close_range":
                needs = f"{saves.path}: .mode = ckpt::async::process needs Linux 5.9: save with .mode = ckpt::async::thread"
                saves.check(what, (code, said, target, others), (5, needs, "the old file", []))
            else:
                words = WORDS | {"EINTR": "Interrupted system call"}
                text = (SAVE_TEXTS | PROCESS_TEXTS)[call].format(directory=saves.directory, size=len(saves.new))
                saves.check(what, (code, said, target, others), (3, f"{saves.path}: {text}: {words[kind]}", "the old file", []))
    return len(first)


def fault_thread(saves: Saves) -> int:
    _, _, calls, *_ = saves.run(0, "", "")
    renamed = calls.index("rename") + 1
    for at, call in enumerate(calls, 1):
        for kind in kinds_of(call):
            code, said, _, target, others = saves.run(at, kind, "")
            what = f"{kind} at call {at} ({call})"
            if kind in ("EINTR", "short", "EOPNOTSUPP") or call in HARMLESS or call == "readlink" and "openat" in calls[:at]:
                saves.check(what, (code, said, target, others), (0, "", "the new file", []))
                continue
            should = "the new file" if call == "fsync directory" else "the old file"
            saves.check(what, (code, without_offset(said), target, others), (3, saves.error(call, kind), should, []))
        for kind in KILLED:
            code, _, _, target, others = saves.run(at, kind, "")
            should = "the old file" if at <= renamed else "the new file"
            saves.check(f"{kind} at call {at} ({call})", (code, target, len(others) < 2), (KILLED[kind], should, True))
    return len(calls)


def fault_without_threads(saves: Saves) -> int:
    missing = f"{saves.path}: cannot start a thread for the save: Resource temporarily unavailable"
    most = 6
    _, form, _, mode = saves.command
    of_queue = 4 if mode == "thread" and form != "ckpt" else 1  # what has a cipher or a checksum is copied first, by four threads
    for first in range(1, most + 1):
        code, said, _, target, others = saves.run(0, "", "", thread=first)
        should = (3, missing, "the old file", []) if first <= of_queue else (0, "", "the new file", [])
        saves.check(f"no thread from the {first}. on", (code, said, target, others), should)
    return most


def main() -> int:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory(prefix="ckpt-fault-") as root:
        suite = Suite(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), pathlib.Path(root))
        process, program, thread, borrow = (fault_child, "process"), (fault_parent, "process"), (fault_thread, "thread"), (fault_thread, "borrow")
        without = [(fault_without_threads, mode) for mode in ("thread", "process", "borrow")]
        for what, form, durable, checks in (
            ("small", "ckpt", "full", (process, program, thread, borrow)),
            ("small", "safetensors", "none", (process, program)),
            ("small", "crc32", "none", (process,)),
            ("small", "aes_gcm", "full", (process, thread)),
            ("large", "ckpt", "full", (process,)),
            ("parallel", "ckpt", "none", without),
            ("parallel", "crc32", "none", without),
            ("parallel", "aes_gcm", "none", without),
        ):
            old = suite.root / ("old.safetensors" if form == "safetensors" else "old.ckpt")
            suite.good(["old", form, "none", "thread"], old)
            for check, mode in checks:
                before = suite.cases
                calls = check(Saves(suite, [what, form, durable, mode], old.read_bytes()))
                print(f"{check.__name__[6:]}, {what} {form} {durable} {mode}: {calls} calls, {suite.cases - before} cases", flush=True)
        return suite.result(least=500)


if __name__ == "__main__":
    sys.exit(main())
