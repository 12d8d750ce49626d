#!/usr/bin/env python3
"""Cuts the power while checkpoints are saved, on a real kernel, and looks at what is left. Root only; run by run.sh.

An ext4 file system in a file, mounted through a loop device, holds a good checkpoint. A new version is saved over it, and at a random
moment, or as soon as save has returned, the file system is shut down with FS_IOC_SHUTDOWN, without a flush of its log: what had not
been sent to the disk is gone. It is unmounted, mounted again (the kernel replays the journal), and the checkpoint is loaded: it must be
the whole old version or the whole new one, and the new one when save had returned. Every second time a neighbour is at work on the same
file system, a program that syncs a small log of its own every few milliseconds, and with it the journal.

And a save by a process is given a deadline on a file system that is frozen, as by a disk that does not answer.

The same is done to MindSpore's save and to safetensors', as a control: cuts that find nothing wrong there would prove nothing here.

usage: power_cut.py SAVER [--reference PYTHON] [--moments N] [--seed N]
Last line: N passed, N failed
"""

import argparse
import ctypes
import fcntl
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

FS_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = struct.pack("=I", 2)  # EXT4_GOING_FLAGS_NOLOGFLUSH
SYSCALL = ctypes.CDLL(None, use_errno=True)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Disk:
    """An ext4 file system on a loop device, which can lose its power."""

    def __init__(self, folder):
        self.image, self.root = folder / "image", folder / "mounted"
        self.root.mkdir()
        with open(self.image, "wb") as file:
            file.truncate(256 << 20)
        run("mkfs.ext4", "-q", "-F", self.image)
        self.mounted = False

    def mount(self):
        run("mount", "-o", "loop", self.image, self.root)
        self.mounted = True

    def unmount(self):
        run("umount", self.root)
        self.mounted = False

    def sync(self):
        root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        if SYSCALL.syncfs(root) != 0:
            raise OSError(ctypes.get_errno(), "syncfs")
        os.close(root)

    def is_sound(self):
        return subprocess.run(["e2fsck", "-fn", self.image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


class Neighbour:
    """Another program on the same file system: appends a line to its log and syncs it, again and again, until the power is gone."""

    def __init__(self, root):
        self.path = root / "neighbour.log"
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        try:
            with open(self.path, "ab", buffering=0) as log:
                while not self.stopped.is_set():
                    log.write(b"one more line\n")
                    os.fsync(log)
                    self.stopped.wait(0.003)
        except OSError:
            pass  # the power is gone

    def stop(self):
        self.stopped.set()
        self.thread.join()


class Worker:
    """A process that saves and loads at our orders; see saver.cpp."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def order(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[0]} ended with {self.process.wait()}")
        return line.strip()

    def load(self, path):
        self.order("load", path)
        return self.answer()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Contender:
    """One way to save, and what became of its files."""

    def __init__(self, label, worker, order, name, disk):
        self.label, self.worker, self.order, self.path, self.disk = label, worker, order, disk.root / name, disk
        self.version = 0
        self.durations = {False: [], True: []}

    def good_file(self):
        """Mounts, with the version `self.version` whole and on the disk as the only file."""
        self.disk.mount()
        for entry in self.disk.root.iterdir():
            if entry != self.path and entry.is_file():
                entry.unlink()
        if self.worker.load(self.path) != f"version {self.version}":
            self.path.unlink(missing_ok=True)
            self.save(self.version)
        self.disk.sync()

    def save(self, version, cut="-"):
        """Orders a save and waits until it begins."""
        self.worker.order(self.order, self.path, version, cut)
        if self.worker.answer() != "saving":
            raise RuntimeError("the saver does not save")
        return self.worker.answer() if cut == "-" else None

    def measure(self, with_neighbour):
        """Seconds that an undisturbed save over a good file takes."""
        self.durations[with_neighbour] = []
        for _ in range(5):
            self.good_file()
            neighbour = Neighbour(self.disk.root) if with_neighbour else None
            self.version += 1
            self.worker.order(self.order, self.path, self.version, "-")
            self.worker.answer()
            start = time.perf_counter()
            result = self.worker.answer()
            self.durations[with_neighbour].append(time.perf_counter() - start)
            if neighbour:
                neighbour.stop()
            self.disk.unmount()
            if result != "done":
                raise RuntimeError(f"{self.label}: an undisturbed save {result}")

    def cut(self, when, with_neighbour):
        """Saves the next version over the old one, cuts, and looks: (whether save had returned without an error, and "new", "old" or what else)."""
        self.good_file()
        old, new = self.version, self.version + 1
        root = os.open(self.disk.root, os.O_RDONLY | os.O_DIRECTORY)
        neighbour = Neighbour(self.disk.root) if with_neighbour else None
        if when is None:
            self.save(new, self.disk.root)
        else:
            self.worker.order(self.order, self.path, new, "-")
            self.worker.answer()
            end = time.perf_counter() + when
            while time.perf_counter() < end:
                pass
            fcntl.ioctl(root, FS_IOC_SHUTDOWN, NO_LOG_FLUSH)
        result = self.worker.answer()
        if neighbour:
            neighbour.stop()
        os.close(root)
        self.disk.unmount()
        if when is None and result != "done":
            raise RuntimeError(f"{self.label}: save {result}")

        self.disk.mount()
        found = self.worker.load(self.path)
        self.disk.unmount()
        # An unknown version can only be good luck for a broken file: then the next round starts from a fresh one.
        if found == f"version {new}":
            self.version, found = new, "new"
        elif found == f"version {old}":
            found = "old"
        else:
            self.version = new
        return result == "done", found


def tally(contender, label, count, chance):
    """A row of the table: `count` cuts; right after save returned where `chance` is None, else at moments drawn from it."""
    row = {"label": label, "cuts": count, "inside": 0, "new": 0, "old": 0, "neither": 0, "returned_old": 0, "what": []}
    for number in range(count):
        with_neighbour = number % 2 == 1
        when = None
        if chance:
            if number % 20 < 2:
                contender.measure(with_neighbour)
            when = chance.uniform(0, 1.2 * statistics.median(contender.durations[with_neighbour]))
        returned, found = contender.cut(when, with_neighbour)
        row["inside"] += not returned
        row[found if found in ("new", "old") else "neither"] += 1
        row["returned_old"] += returned and found != "new"
        if found not in ("new", "old"):
            row["what"].append(found)
    return row


def frozen(contender):
    """A save by a process that the kernel holds up, with a deadline: what it said, what is loaded then, and the temporary files left."""
    contender.good_file()
    contender.worker.order("frozen", contender.path, contender.version + 1, contender.disk.root)
    result, found = contender.worker.answer(), contender.worker.load(contender.path)
    end = time.monotonic() + 20  # the process ends when it comes back from the kernel
    while (left := list(contender.disk.root.glob(".*.tmp"))) and time.monotonic() < end:
        time.sleep(0.01)
    contender.disk.unmount()
    return result, found == f"version {contender.version}", left


def show(label, *rows):
    for row in rows:
        print(f"{label:<22} {row['label']:<26} {row['cuts']:>4} {row['inside']:>7} {row['new']:>5} {row['old']:>5} {row['neither']:>8}")
    sys.stdout.flush()
    return rows


def main():
    options = argparse.ArgumentParser()
    options.add_argument("saver")
    options.add_argument("--reference")
    options.add_argument("--moments", type=int, default=100)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = options.parse_args()
    chance = random.Random(options.seed)
    folder = tempfile.TemporaryDirectory(prefix="ckpt_power_cut.", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    disk = Disk(pathlib.Path(folder.name))
    checks = []

    def check(good, text):
        checks.append(bool(good))
        if not good:
            print(f"FAILED: {text}")

    ours = Worker([options.saver])
    workers = [ours]
    try:
        print(f"Saves of 20 MiB over a good file, on ext4, Linux {os.uname().release}; seed {options.seed}")
        print(f"{'':<49} {'cuts':>4} {'inside*':>7} {'new':>5} {'old':>5} {'neither':>8}")

        def of(worker, order, name):
            return Contender(name, worker, order, name, disk)

        random_moment, returned, few = "at a random moment", "right after save returned", max(20, options.moments // 5)
        ckpt = of(ours, "save", "model.ckpt")
        durable = show("ckpt", tally(ckpt, random_moment, options.moments, chance),
                       tally(of(ours, "late", "late.ckpt"), "in the sync and rename", options.moments // 2, chance),
                       tally(ckpt, returned, options.moments // 2, None))
        for row in durable:
            checks += [True] * (row["new"] + row["old"] - row["returned_old"])
            for what in row["what"]:
                check(False, f"{row['label']} a cut left neither file: {what}")
            check(row["returned_old"] == 0, f"{row['returned_old']} times a saved file was gone after save had returned")
        check(durable[0]["inside"] > 0 and durable[1]["inside"] > 0, "no cut fell inside a save")
        check(sum(row["new"] for row in durable[:2]) > 0 and sum(row["old"] for row in durable[:2]) > 0,
              "the cuts fell only before, or only after the moment when the new file takes the old one's place")

        result, is_old, left = frozen(ckpt)
        check("the saving process made no progress for 100 ms, and does not end although it was killed" in result,
              f"a save on a frozen file system, with a deadline: {result}")
        check(is_old and not left, "a save on a frozen file system left something else than the old file")

        hasty = of(ours, "hasty", "hasty.ckpt")
        show("ckpt, durability::none", tally(hasty, random_moment, few, chance), tally(hasty, returned, few, None))

        if options.reference:
            reference = Worker([options.reference, str(pathlib.Path(__file__).with_name("reference_saver.py"))])
            workers.append(reference)
            theirs = of(reference, "save", "model.ckpt")
            rows = show("MindSpore 2.10.0", tally(theirs, random_moment, few, chance), tally(theirs, returned, few, None))
            check(sum(row["neither"] for row in rows) > 0, "the cuts do not show that MindSpore's save loses both files")
            theirs = of(reference, "save", "model.safetensors")
            rows = show("safetensors 0.8.0", tally(theirs, random_moment, few, chance), tally(theirs, returned, few, None))
            check(rows[1]["old"] > 0, "the cuts do not show that safetensors' file is not durable when save_file has returned")
        check(disk.is_sound(), "e2fsck finds the file system damaged")
        print("* the cut made the save fail; the others came when it had just returned")
    finally:
        for worker in workers:
            worker.stop()
        if disk.mounted:
            run("umount", "-l", disk.root)
        folder.cleanup()
    print(f"{sum(checks)} passed, {len(checks) - sum(checks)} failed")
    return not all(checks)


if __name__ == "__main__":
    sys.exit(main())
