#!/usr/bin/env python3
"""Lets every file call of a save and of a load go wrong in every way, one at a time, and checks what is left.

usage: run.py FAULT_CHILD LIBFAULT_INJECT ckpt|safetensors|encrypted

For every call of a save over a good old file, in a fresh directory each time:
* it fails with ENOSPC or EIO, alone or with all that follow: the error, its path and its words reach the caller, the target is the old
  file (the new one when only the last step, the sync of the directory, failed), and no temporary file stays behind;
* it fails with EINTR, does half of what it was asked, or does not exist on this file system: the save succeeds;
* the process ends before it: the target is the old file up to the rename and the new one after it.
Where the system has no threads to give, the save does without.
For every call of a load: the same errors reach the caller, the same troubles pass unnoticed, and the content is right.

Encrypted saves and loads likewise, by one thread, so that the calls come in the same order each time; and with two threads, of which one meets
the error: it reaches the caller, and the target is the old file.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WORDS = {"ENOSPC": "No space left on device", "EIO": "Input/output error"}

# What the error of a call says. A call that is not here must not occur in a save or a load.
SAVE_TEXTS = {
    "readlink": "cannot write there",
    "open directory": 'cannot open the directory "{directory}"',
    "fstatat": "cannot write there",
    "getentropy": "cannot draw random bytes",
    "openat": "cannot create a temporary file beside it",
    "fallocate": "cannot reserve {size} bytes",
    "pwrite": "cannot write",
    "pwritev": "cannot write",
    "sync_file_range": "cannot start writing to the disk",
    "fchmod": "cannot set the mode to 0600",
    "fsync": "cannot sync",
    "close": "cannot close",
    "rename": "cannot rename the temporary file to it",
    "fsync directory": "the new file is in place, but a power cut may still bring back the old one: cannot sync the directory",
}
LOAD_TEXTS = {
    "open": "cannot open",
    "fstat": "cannot read the size",
    "mmap": "cannot map {size} bytes",
    "pread": "cannot read",
}
HARMLESS = {"close directory", "close afterwards", "fstatfs", "madvise", "flock", "fstat of temporary"}  # nothing is lost when one of these fails
READS = {"pread", "read"}
PARTIAL = READS | {"pwrite", "pwritev", "write", "writev"}
OPTIONAL = {"fallocate", "sync_file_range", "fsync directory"}  # file systems may lack them
NEVER_INTERRUPTED = {"mmap", "madvise"}
MUST_OCCUR = {  # or the interposer is not between the program and libc
    "full": {"open directory", "openat", "fallocate", "fchmod", "fsync", "close", "rename", "fsync directory"},
    "none": {"open directory", "openat", "fallocate", "fchmod", "close", "rename"},
}
REPORT_SIZE, NAME_SIZE = 32768, 32
KILLED = {"exit": 90, "kill": -9}
CIPHERS = ("aes_gcm", "aes_cbc", "sm4_cbc")


class Suite:
    def __init__(self, child: str, interposer: str, root: pathlib.Path):
        self.child, self.interposer, self.root = child, interposer, root
        self.cases = 0
        self.failures: list[str] = []

    def run(self, arguments, path, at=0, kind="", onwards=False, inside="", thread=0):
        """Runs the child; returns its exit code, what it said, and the names of the calls it made."""
        report = self.root / "report"
        report.write_bytes(bytes(REPORT_SIZE))
        environment = dict(
            os.environ,
            LD_PRELOAD=self.interposer,
            FAULT_REPORT=str(report),
            FAULT_AT=str(at),
            FAULT_KIND=kind,
            FAULT_FROM="1" if onwards else "0",
            FAULT_IN=inside,
            FAULT_THREAD=str(thread),
            ASAN_OPTIONS="verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", ""),
            LC_ALL="C",
        )
        done = subprocess.run(
            [self.child, *arguments, str(path)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False
        )
        data = report.read_bytes()
        count = int.from_bytes(data[:8], sys.byteorder)
        names = [data[8 + i * NAME_SIZE :][:NAME_SIZE].rstrip(b"\0").decode() for i in range(min(count, 1023))]
        # Whether a temporary file is still there is asked when it has been locked.
        names = ["fstat of temporary" if pair == ("flock", "fstat") else pair[1] for pair in zip(["", *names], names)]
        return done.returncode, done.stdout.decode(errors="replace").rstrip("\n"), names

    def result(self, least: int) -> int:
        """Says what was found. The exit code: 1 where something is wrong, or there were too few cases."""
        print(f"{self.cases} cases, {len(self.failures)} wrong")
        for failure in self.failures:
            print("WRONG", failure)
        return 1 if self.failures or self.cases < least else 0

    def good(self, arguments, path):
        code, said, calls = self.run(arguments, path)
        if code != 0:
            sys.exit(f"{' '.join(arguments)} fails without a fault: exit code {code}: {said}")
        return said, calls

    def check(self, what: str, pairs):
        """`pairs` of what is and what should be."""
        self.cases += 1
        for is_, should in pairs:
            if is_ != should:
                self.failures.append(f"{what}: {is_!r} instead of {should!r}")


def shorter(content):
    return content if content is None or len(content) < 60 else f"{len(content)} bytes, digest {hash(content):x}"


def describe(content, old, is_new):
    return "the old file" if content == old else "the new file" if content and is_new() else f"neither: {shorter(content)}"


def suffix_of(form):
    return "ckpt" if form in CIPHERS else form


def fault_save(suite: Suite, command: list[str], old: bytes) -> int:
    name = "net." + suffix_of(command[1])
    encrypted = command[1] in CIPHERS
    durable = command[2]

    def fresh():
        directory = suite.root / "case"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        (directory / name).write_bytes(old)
        return directory

    directory = fresh()
    _, calls = suite.good(command, directory / name)
    new = (directory / name).read_bytes()
    assert new != old
    load_new = ["load-map", command[1]]
    loaded = suite.good(load_new, directory / name)[0] if encrypted else None
    if len(calls) < 8 or len(calls) > 200:
        sys.exit(f"{' '.join(command)}: {len(calls)} calls were intercepted: {calls}")
    if missing := MUST_OCCUR[durable] - set(calls):
        sys.exit(f"{' '.join(command)}: never intercepted: {', '.join(sorted(missing))}; there were: {calls}")
    texts = LOAD_TEXTS | SAVE_TEXTS if command[0] == "resave" else SAVE_TEXTS
    renamed = calls.index("rename") + 1

    def one(at, call, kind, onwards=False):
        where = fresh()
        code, said, _ = suite.run(command, where / name, at, kind, onwards)
        content = (where / name).read_bytes() if (where / name).exists() else None
        # No two encrypted files are the same bytes.
        target = describe(content, old, lambda: suite.run(load_new, where / name)[:2] == (0, loaded) if encrypted else content == new)
        others = sorted(entry.name for entry in where.iterdir() if entry.name != name)
        what = f"{' '.join(command)}: {kind}{' from' if onwards else ' at'} call {at} ({call})"
        if kind in KILLED:
            allowed = len(others) <= 1 and all(re.fullmatch(rf"\.{re.escape(name)}\.[0-9a-f]{{16}}\.tmp", other) for other in others)
            should = "the old file" if at <= renamed else "the new file"
            suite.check(what, [(code, KILLED[kind]), (target, should), ("" if allowed else others, "")])
            return
        passes = kind in ("EINTR", "short", "EOPNOTSUPP") or call in HARMLESS
        if call == "close" and at < renamed and command[0] == "resave" and at == calls.index("close") + 1:
            passes = True  # of the file that was read
        if passes:
            suite.check(what, [(code, 0), (said, ""), (target, "the new file"), (others, [])])
            return
        reason = texts[call].format(directory=where, size=len(new) if call == "fallocate" else len(old)) + ": " + WORDS[kind]
        should = "the new file" if call == "fsync directory" else "the old file"
        said = re.sub(r", at byte \d+$", "", said)
        if onwards:
            others = []  # removing it fails as well
        suite.check(what, [(code, 3), (said, f"{where / name}: {reason}"), (target, should), (others, [])])

    for at, call in enumerate(calls, 1):
        if call not in HARMLESS and call not in texts:
            sys.exit(f"{' '.join(command)} calls {call}, of which this test knows nothing")
        for kind in ("ENOSPC", "EIO"):
            one(at, call, kind)
        if call not in HARMLESS | {"close"}:
            one(at, call, "EIO", onwards=True)
        if call not in NEVER_INTERRUPTED:
            one(at, call, "EINTR")
        if call in PARTIAL:
            one(at, call, "short")
        if call in OPTIONAL:
            one(at, call, "EOPNOTSUPP")
        for kind in KILLED:
            one(at, call, kind)
    return len(calls)


def fault_threads(suite: Suite, command: list[str], old: bytes) -> int:
    """Every call of a save by two threads fails, in whatever order they come, but only writes are looked at."""
    directory = suite.root / "case"

    def fresh():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        (directory / "net.ckpt").write_bytes(old)
        return directory / "net.ckpt"

    _, calls = suite.good(command, fresh())
    writes = 0
    for at in range(1, len(calls) + 1):
        if calls[at - 1] != "pwrite":
            continue
        path = fresh()
        code, said, made = suite.run(command, path, at, "ENOSPC")
        if at > len(made) or made[at - 1] != "pwrite":  # what waits for another thread is written together: some have fewer calls
            continue
        writes += 1
        said = re.sub(r", at byte \d+$", "", said)
        suite.check(f"{' '.join(command)}: ENOSPC at call {at}", [
            (code, 3), (said, f"{path}: cannot write: {WORDS['ENOSPC']}"), (path.read_bytes() == old, True),
            (sorted(entry.name for entry in directory.iterdir()), ["net.ckpt"])])
    if writes < 10:
        sys.exit(f"{' '.join(command)}: only {writes} writes failed")
    return writes


def fault_without_threads(suite: Suite, command: list[str]) -> None:
    """A save that would have several threads does without those that the system has not to give."""
    path = suite.root / f"threads.{suffix_of(command[1])}"
    suite.good(command, path)
    load = ["load-map", command[1]] if command[1] in CIPHERS else ["load-map"]
    loaded, _ = suite.good(load, path)
    path.unlink()
    code, said, _ = suite.run(command, path, thread=1)
    suite.check(f"{' '.join(command)}: no threads", [(code, 0), (said, "")])
    suite.check(f"{' '.join(command)}: no threads, loaded", [(suite.run(load, path)[:2], (0, loaded))])


def fault_load(suite: Suite, command: list[str], path: pathlib.Path) -> int:
    content = path.read_bytes()
    right, calls = suite.good(command, path)
    if not {"open", "fstat"} <= set(calls) or not {"mmap", "pread"} & set(calls):
        sys.exit(f"{' '.join(command)}: open, fstat and mmap or pread were not intercepted, but: {calls}")
    for at, call in enumerate(calls, 1):
        what = f"{' '.join(command)} {path.name}: {{}} at call {at} ({call})"
        for kind in ("ENOSPC", "EIO", "EINTR", "short", "end"):
            if kind == "EINTR" and call in NEVER_INTERRUPTED or kind == "short" and call not in PARTIAL or kind == "end" and call not in READS:
                continue
            code, said, _ = suite.run(command, path, at, kind)
            if kind in ("EINTR", "short") or call in HARMLESS or call == "close":
                suite.check(what.format(kind), [(code, 0), (said, right)])
            elif kind == "end":
                said = re.sub(r", at byte \d+$", "", said)
                cut = f"{path}: was cut short by someone else while it was read: it had {len(content)} bytes"
                suite.check(what.format(kind), [(code, 4), (said, cut)])
            else:
                said = re.sub(r", at byte \d+$", "", said)
                suite.check(what.format(kind), [(code, 3), (said, f"{path}: {LOAD_TEXTS[call].format(size=len(content))}: {WORDS[kind]}")])
    suite.check(" ".join(command), [(path.read_bytes() == content, True)])
    return len(calls)


def main() -> int:
    if len(sys.argv) != 4 or sys.argv[3] not in ("ckpt", "safetensors", "encrypted"):
        sys.exit(__doc__)
    form = sys.argv[3]
    with tempfile.TemporaryDirectory(prefix="ckpt-fault-") as root:
        suite = Suite(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), pathlib.Path(root))
        old = suite.root / "old.ckpt"
        if form != "encrypted":
            old = suite.root / f"old.{form}"
            suite.good(["old", form, "none"], old)
            for what, durable in (("small", "full"), ("small", "none"), ("large", "full"), ("large", "none"), ("resave", "full")):
                before = suite.cases
                calls = fault_save(suite, [what, form, durable], old.read_bytes())
                print(f"save {what} {form} {durable}: {calls} calls, {suite.cases - before} cases", flush=True)
            fault_without_threads(suite, ["large", form, "none"])
            for what in ("load-map", "load-copy", "load-into", "fill", "inspect"):
                before = suite.cases
                calls = fault_load(suite, [what], old)
                print(f"{what} {form}: {calls} calls, {suite.cases - before} cases", flush=True)
            return suite.result(least=500)
        for cipher in CIPHERS:
            suite.good(["old", cipher, "none"], old)
            for what, durable in (("small", "full"), ("small", "none")) + ((("large", "full"),) if cipher == "aes_gcm" else ()):
                before = suite.cases
                calls = fault_save(suite, [what, cipher, durable], old.read_bytes())
                print(f"save {what} {cipher} {durable}: {calls} calls, {suite.cases - before} cases", flush=True)
            for what in ("load-map", "load-copy"):
                before = suite.cases
                calls = fault_load(suite, [what, cipher], old)
                print(f"{what} {cipher}: {calls} calls, {suite.cases - before} cases", flush=True)
        for cipher in CIPHERS:
            fault_without_threads(suite, ["blocks", cipher, "none", "two-threads"])
        writes = fault_threads(suite, ["blocks", "aes_gcm", "none", "two-threads"], old.read_bytes())
        print(f"save blocks aes_gcm none by two threads: {writes} failing writes", flush=True)
        return suite.result(least=300)


if __name__ == "__main__":
    sys.exit(main())
