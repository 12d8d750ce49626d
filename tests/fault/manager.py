#!/usr/bin/env python3
"""Lets every file call of a checkpoint manager go wrong in every way, one at a time, and checks what is left.

usage: manager.py MANAGER_CHILD LIBFAULT_INJECT

A manager that keeps two checkpoints is opened in a directory with the steps 1 and 2, and a temporary file of a process that is gone; it
saves step 3, and deletes step 1. Whichever call fails, or is the last of the process:
* step 2 is there, whole; step 1, too, unless step 3 is there, whole, and was durable before step 1 went;
* the error reaches the caller: thrown, and then nothing has been deleted, or among those of the report, and then step 3 is there;
* the newest checkpoint that is there is restored, with its metrics, and another save in the same directory, without a fault, leaves two
  checkpoints and nothing else.
The same for the first save, into a directory that is to be made.
"""
import json
import os
import pathlib
import shutil
import sys
import tempfile

from run import HARMLESS, KILLED, NEVER_INTERRUPTED, OPTIONAL, PARTIAL, WORDS, Suite

DEAD = ".net-1_9.ckpt.0123456789abcdef.tmp"
NEVER = NEVER_INTERRUPTED | {"opendir", "readdir"}
READ_ONLY = {"close"}  # of a file that was only read, it fails without a word


def steps_of(directory: pathlib.Path) -> dict[int, bytes]:
    return {int(path.stem.rpartition("_")[2]): path.read_bytes() for path in directory.glob("net-1_*.ckpt")}


class Scenario:
    def __init__(self, suite: Suite, old: list[int], new: int):
        self.suite, self.old, self.new = suite, old, new
        self.directory = suite.root / "case" / "runs"
        self.template = suite.root / f"after {len(old)}"
        for step in old:
            suite.good(["save", str(step)], self.template)
        if old:
            (self.template / DEAD).write_bytes(b"half a file")
        self.fresh()
        said, self.calls = suite.good(["save", str(new)], self.directory)
        self.right = {**(steps_of(self.template) if old else {}), **steps_of(self.directory)}
        suite.check("without a fault", [(said, ""), (sorted(steps_of(self.directory)), (old + [new])[-2:])])

    def fresh(self):
        shutil.rmtree(self.directory.parent, ignore_errors=True)
        self.directory.parent.mkdir()
        if self.old:
            shutil.copytree(self.template, self.directory)

    def one(self, at: int, kind: str, onwards=False):
        self.fresh()
        call = self.calls[at - 1]
        code, said, _ = self.suite.run(["save", str(self.new)], self.directory, at, kind, onwards)
        text = said.partition(", at byte ")[0]
        there = steps_of(self.directory)
        found = [(step, there[step] == self.right[step]) for step in sorted(there)]
        missing = set(self.old + [self.new]) - set(there)
        checks = [([step for step, whole in found if not whole], [])]
        if kind in KILLED:
            checks.append((code, KILLED[kind]))
        elif kind in ("EINTR", "short", "EOPNOTSUPP") or self.is_harmless(at):
            checks.append(((code, said), (0, "")))
        elif code == 0 and said:
            checks.append((text.startswith("not deleted: ") and text.endswith(WORDS[kind]), True))
        elif code == 0:
            checks.append((call in READ_ONLY, True))
        else:
            checks.append(((code, text.endswith(WORDS[kind])), (3, True)))
            checks.append((missing - {self.new}, set()))
        if code == 0:
            checks.append((self.new in there, True))
        allowed = set(self.old[:-1]) if self.new in there else {self.new}
        checks.append((missing - allowed, set()))
        if there:
            code, said, _ = self.suite.run(["restore"], self.directory)
            checks.append(((code, said), (0, f"{max(there)}, value {max(there)}")))
        code, said, _ = self.suite.run(["save", "4"], self.directory)
        checks.append(((code, said), (0, "")))
        last = sorted(set(there) | {4})[-2:]
        checks.append((sorted(os.listdir(self.directory)), sorted([".lock", "net-metrics.json"] + [f"net-1_{step}.ckpt" for step in last])))
        metrics = json.loads((self.directory / "net-metrics.json").read_text())
        checks.append(([metrics[f"net-1_{step}.ckpt"]["value"] for step in last], last))
        self.suite.check(f"step {self.new}: {kind}{' from' if onwards else ' at'} call {at} ({call})", checks)

    def is_harmless(self, at: int) -> bool:
        """Of locks only the manager's own must succeed. What a dead process has left goes, or is left for the next manager."""
        locks = [place for place, call in enumerate(self.calls, 1) if call == "flock"]
        if self.calls[at - 1] == "flock":
            return at != locks[0]
        of_the_dead = range(locks[1] - 1, locks[1] + 3) if self.old else ()  # opened, locked, removed, closed
        return self.calls[at - 1] in HARMLESS or at in of_the_dead

    def all(self) -> int:
        for at, call in enumerate(self.calls, 1):
            for kind in ("ENOSPC", "EIO"):
                self.one(at, kind)
            if call not in READ_ONLY and not self.is_harmless(at):
                self.one(at, "EIO", onwards=True)
            if call not in NEVER:
                self.one(at, "EINTR")
            if call in PARTIAL:
                self.one(at, "short")
            if call in OPTIONAL:
                self.one(at, "EOPNOTSUPP")
            for kind in KILLED:
                self.one(at, kind)
        return len(self.calls)


def main() -> int:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="ckpt-fault-") as root:
        suite = Suite(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), pathlib.Path(root))
        later = Scenario(suite, [1, 2], 3)
        calls = later.calls
        deletion = len(calls) - calls[::-1].index("unlink")
        renamed = len(calls) - calls[::-1].index("rename")
        durable = calls.index("fsync directory", renamed) + 1
        suite.check(f"step 1 goes when step 3 is durable: {calls}", [(renamed < durable < deletion, True)])
        later.fresh()
        _, quick = suite.good(["save-quickly", "3"], later.directory)
        deletion = len(quick) - quick[::-1].index("unlink")
        renamed = len(quick) - quick[::-1].index("rename")
        between = [call for call in quick[renamed:deletion] if call.startswith("fsync")]
        suite.check(f"with durability::none, too: {quick}", [(between, ["fsync", "fsync directory"])])
        first = Scenario(suite, [], 3)
        made, metrics, file = first.calls.index("mkdir"), *(at for at, call in enumerate(first.calls) if call == "rename")
        suite.check(f"a directory that was made lasts before there is a file in it: {first.calls}",
                    [("fsync directory" in first.calls[made : first.calls.index("openat")], True)])
        suite.check(f"the metrics last before their file is there: {first.calls}",
                    [("fsync" in first.calls[made:metrics], True), ("fsync directory" in first.calls[metrics:file], True)])
        later.fresh()
        _, discarded = suite.good(["discard", "1"], later.directory)
        gone = len(discarded) - discarded[::-1].index("unlink")
        suite.check(f"what is discarded is gone for good: {discarded}",
                    [(sorted(steps_of(later.directory)), [1]), ("fsync directory" in discarded[gone:], True)])
        for scenario in (later, first):
            before = suite.cases
            print(f"step {scenario.new} after {scenario.old}: {scenario.all()} calls, {suite.cases - before} cases", flush=True)
        return suite.result(least=300)


if __name__ == "__main__":
    sys.exit(main())
