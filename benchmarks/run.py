#!/usr/bin/env python3
"""Sets ckpt beside the raw system calls and, where they are installed, MindSpore and safetensors: all take turns in one
run on one file system, so that what disturbs the machine meets all of them. Prints a table a question and then the
ratios that the project promises, each with its goal. See README.md on how to read them.

usage: run.py BUILD_FOLDER [--python PATH] [--folder DIR] [--rounds N] [--only QUESTION]... [--check] [--realtime] [--quick]
"""
import argparse
import dataclasses
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

import compile_cost

HERE = pathlib.Path(__file__).resolve().parent
SLOW = 2.0  # seconds; who takes longer competes in the first SLOW_ROUNDS rounds only
SLOW_ROUNDS = 3
VERY_SLOW = 20.0  # and who takes that long, in the first one only
COMPILERS = ["g++", "clang++-19"]


class Served:
    """A program that measures what it is told to, a line each."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.contestants: list[str] = []
        while (line := self.answer()) != "ready":
            self.contestants.append(line.removeprefix("contestant "))

    def answer(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[0]} ended with exit code {self.process.wait()}")
        return line.rstrip("\n")

    def measure(self, contestant: str) -> float:
        self.process.stdin.write(contestant + "\n")
        answer = self.answer()
        if answer.startswith("error "):
            raise RuntimeError(f"{contestant}: {answer.removeprefix('error ')}")
        return float(answer)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


Figures = dict[str, list[float | None]]  # of each contestant, a round each; None where it sat out


def median(values: list[float | None]) -> float:
    return statistics.median(value for value in values if value is not None)


def ratio(figures: Figures, over: str, under: str) -> float | None:
    """The median of what the rounds say, each for itself; None where one of the two did not compete."""
    if over not in figures or under not in figures:
        return None
    each = [a / b for a, b in zip(figures[over], figures[under]) if a is not None and b is not None]
    return statistics.median(each) if each else None


@dataclasses.dataclass
class Run:
    options: argparse.Namespace
    folder: pathlib.Path
    rows: list[tuple[str, str, str, str]] = dataclasses.field(default_factory=list)
    verdicts: list[str] = dataclasses.field(default_factory=list)  # of the goals

    def command(self, question: str, count: int) -> list[str]:
        return [str(self.options.build / f"benchmark_{question}"), "--folder", str(self.folder), "--mib", str(self.options.mib),
                "--count", str(count), "--serve"]

    def compete(self, question: str, wanted=lambda name: True, count: int = 0, peers: bool | str = True,
                times: int = 1) -> Figures:
        """All contestants of the C++ program and of the peers, round by round. `peers`: their question, where it is
        another. `times`: how many times the rounds that were asked for, where single ones wander."""
        count = count or self.options.count
        ours = Served(self.command(question, count))
        programs = {name: ours for name in ours.contestants if wanted(name)}
        theirs = None
        if peers and self.options.python:
            theirs = Served([self.options.python, str(HERE / "peers.py"), question if peers is True else peers, str(self.folder),
                             str(self.options.mib), str(count)])
            programs |= {name: theirs for name in theirs.contestants}
        figures: Figures = {name: [] for name in programs}
        shuffled = random.Random(1)
        for number in range(times * self.options.rounds):
            for name in shuffled.sample(list(programs), len(programs)):
                limit = VERY_SLOW if number < SLOW_ROUNDS else SLOW
                slow = number > 0 and median(figures[name]) > limit and question != "memory"
                if programs[name] is not ours and not slow:
                    ours.measure("warm")
                figures[name].append(None if slow else programs[name].measure(name))
        for program in filter(None, [ours, theirs]):
            program.close()
        return figures

    def promise(self, what: str, value: float | None, relation: str, goal: float | None, unit: str = "") -> None:
        """One line of the last table; without a goal it is there to compare with."""
        verdict = ""
        if goal is not None and not self.options.quick:
            verdict = "-" if value is None else "yes" if (value >= goal if relation == ">=" else value <= goal) else "NO"
            self.verdicts.append(verdict)
        self.rows.append((what, "not measured" if value is None else f"{value:.2f}{unit}",
                          "" if goal is None else f"{relation} {goal:g}{unit}", verdict))

    def conclude(self) -> bool:
        """Prints the last table. Returns whether no goal was missed."""
        width = max((len(row[0]) for row in self.rows), default=0)
        print(f"\n{'What is promised':{width}}  {'measured':>13}  {'goal':>12}")
        for what, value, goal, verdict in self.rows:
            print(f"{what:{width}}  {value:>13}  {goal:>12}  {verdict}".rstrip())
        if self.options.quick:
            print("no verdicts: with --quick the figures mean nothing")
            return True
        kept, missed, unknown = (self.verdicts.count(verdict) for verdict in ["yes", "NO", "-"])
        print(f"{kept} goals kept, {missed} missed, {unknown} not measured")
        return missed == 0


def print_figures(title: str, figures: Figures, unit: str, scale) -> None:
    print(f"\n{title}\n  {'':28}{'median':>10}  {unit:>10}      (least .. most)")
    for name, values in figures.items():
        known = [value for value in values if value is not None]
        print(f"  {name:28}{median(values):10.4f}  {scale(median(values)):10.2f}      "
              f"({min(known):.4f} .. {max(known):.4f}, {len(known)} rounds)")


def ask_save(run: Run) -> None:
    gigabytes = run.options.mib * 2**20 / 1e9
    for title, prefix in [("page cache", ""), ("durable; the peers never sync", "durable ")]:
        # Plain and durable apart: a disk that still writes for one contestant is no place for the next.
        figures = run.compete("save", lambda name: name.startswith("durable ") == bool(prefix))
        print_figures(f"Save {run.options.mib} MiB in 64 tensors, {title} (seconds)", figures, "GB/s",
                      lambda seconds: gigabytes / seconds)
        raw = "durable raw 8 MiB" if prefix else "raw 16 MiB"
        for ours in ["ckpt", "safetensors"]:
            run.promise(f"{prefix}save {ours}, speed of {raw}", ratio(figures, raw, prefix + ours), ">=", 0.9)
        for ours in ["ckpt", "safetensors"]:
            run.promise(f"{prefix}save {ours} with a CRC-32, speed of one without",
                        ratio(figures, prefix + ours, f"{prefix}{ours} crc32"), ">=", 0.9)
        for other in [f"{prefix}raw 2 MiB", f"{prefix}raw tensors"]:
            run.promise(f"{prefix}save ckpt, speed of {other}", ratio(figures, other, prefix + "ckpt"), ">=", None)
        run.promise(f"{prefix}save ckpt, times MindSpore ckpt", ratio(figures, "MindSpore ckpt", prefix + "ckpt"), ">=",
                    None if prefix else 5)
        run.promise(f"{prefix}save safetensors, times safetensors (Python)",
                    ratio(figures, "safetensors (Python)", prefix + "safetensors"), ">=", None)


def ask_many(run: Run) -> None:
    counts = [run.options.count, 10 * run.options.count]
    per_tensor = []
    for count in counts:
        figures = run.compete("many", count=count, peers=count == counts[0])
        per_tensor.append({name: median(values) / count * 1e6 for name, values in figures.items()})
        print_figures(f"{count} tensors of 16 bytes (seconds)", figures, "us/tensor",
                      lambda seconds: seconds / count * 1e6)
    for what, goal in [("ckpt save", 0.6), ("safetensors save", 0.6), ("ckpt index", 0.2), ("safetensors index", 0.4)]:
        run.promise(f"{counts[0]} tensors: {what}, each", per_tensor[0][what], "<=", goal, " us")
    for what in ["ckpt save", "safetensors save", "ckpt index", "safetensors index"]:
        run.promise(f"{counts[1]} tensors: {what}, each, times that", per_tensor[1][what] / per_tensor[0][what], "<=", 2)


def ask_load(run: Run) -> None:
    gigabytes = run.options.mib * 2**20 / 1e9
    figures = run.compete("load")
    print_figures(f"Load {run.options.mib} MiB in 64 tensors from the page cache (seconds)", figures, "GB/s",
                  lambda seconds: gigabytes / seconds)
    for ours in ["ckpt", "safetensors"]:
        run.promise(f"load {ours} mapped, every byte seen, speed of raw", ratio(figures, "raw map", f"{ours} map"), ">=",
                    None)
        run.promise(f"load {ours} copied, speed of raw", ratio(figures, "raw read", f"{ours} copy"), ">=", None)
    run.promise("load ckpt mapped, times MindSpore ckpt", ratio(figures, "MindSpore ckpt", "ckpt map"), ">=", None)
    run.promise("load safetensors mapped, times safetensors (Python)",
                ratio(figures, "safetensors (Python)", "safetensors map"), ">=", None)


def ask_memory(run: Run) -> None:
    figures = run.compete("memory")
    mebibytes: Figures = {name: [bytes_ / 2**20 for bytes_ in values] for name, values in figures.items()}
    print_figures(f"Memory beside {run.options.mib} MiB of tensors while they are saved, or loaded (MiB)", mebibytes, "",
                  lambda value: value)
    for name in ["ckpt", "ckpt durable", "safetensors"]:
        run.promise(f"save {name}: extra memory", max(mebibytes[name]), "<=", 16, " MiB")
    most = 2 * os.cpu_count() * 64 + 16  # two blocks a thread
    for name in ["AES-GCM", "AES-CBC"]:
        run.promise(f"save {name}: extra memory", max(mebibytes[name]), "<=", most, " MiB")
        run.promise(f"load {name}: extra memory", max(mebibytes[f"{name} load"]), "<=", most, " MiB")


def ask_encrypted(run: Run) -> None:
    gigabytes = run.options.mib * 2**20 / 1e9
    figures = run.compete("encrypted")
    print_figures(f"Encrypted: save and load {run.options.mib} MiB in 64 tensors, page cache (seconds)", figures, "GB/s",
                  lambda seconds: gigabytes / seconds)
    # No file can be both encrypted and written faster than the slower of the two.
    figures["bound"] = [None if None in both else max(both) for both in zip(figures["raw 16 MiB"], figures["Crypto++ AES-GCM"])]
    run.promise("save AES-GCM, speed of the slower of raw and Crypto++ alone", ratio(figures, "bound", "AES-GCM save"),
                ">=", 0.8)
    # Nor faster than all cores that do nothing but both.
    cores = len(os.sched_getaffinity(0))
    for cipher in ["AES-GCM", "AES-CBC", "SM4-CBC"]:
        figures["bound"] = [None if None in both else both[0] / cores + both[1]
                            for both in zip(figures["raw 16 MiB"], figures[f"Crypto++ {cipher}"])]
        run.promise(f"save {cipher}, speed of all cores in the raw write and Crypto++",
                    ratio(figures, "bound", f"{cipher} save"), ">=", None)
    for cipher, goal in [("AES-GCM", 6), ("AES-CBC", 7), ("SM4-CBC", 10)]:
        run.promise(f"save {cipher}, times MindSpore",
                    ratio(figures, f"MindSpore {cipher} save", f"{cipher} save"), ">=", goal)
    for cipher in ["AES-GCM", "AES-CBC", "SM4-CBC"]:
        run.promise(f"load {cipher}, times MindSpore",
                    ratio(figures, f"MindSpore {cipher} load", f"{cipher} load"), ">=", 8)


def ask_async(run: Run) -> None:
    size = f"{run.options.mib} MiB in 64 tensors"
    stalls = run.compete("async", lambda name: name.startswith("stall "), peers="stall")
    print_figures(f"Save {size} in the background: until the call returns (seconds)", stalls, "ms",
                  lambda seconds: seconds * 1e3)
    for ours, bare, others, limits in [
            ("thread", "memcpy", "MindSpore thread", (1.1, 0.5)),
            ("thread first", "memcpy", "MindSpore thread", (None, 0.5)),
            ("thread first", "memcpy fresh", None, (None, None)),
            ("process", "fork", "MindSpore process", (1.3, 0.5)),
            ("process small pages", "fork small pages", None, (1.3, None)),
            ("borrow", "memcpy", None, (None, None))]:
        run.promise(f"stall {ours}, times {bare}", ratio(stalls, f"stall {ours}", f"stall {bare}"), "<=", limits[0])
        if others:
            run.promise(f"stall {ours}, times {others}", ratio(stalls, f"stall {ours}", others), "<=", limits[1])
    for title, prefix in [("page cache", ""), ("durable", "durable ")]:
        formats = [prefix + "ckpt", prefix + "safetensors"]
        totals = run.compete("async", lambda name: name.startswith(tuple(formats)), peers=False, times=1 if prefix else 2)
        print_figures(f"Save {size} in the background: until the file is there, {title} (seconds)", totals, "GB/s",
                      lambda seconds: run.options.mib * 2**20 / 1e9 / seconds)
        for ours in formats:
            for mode in ["thread", "process", "borrow"]:
                run.promise(f"save {ours} by {mode}, times that without", ratio(totals, f"{ours} {mode}", ours), "<=", 1.1)
    steps = run.compete("async", lambda name: name.startswith("step"), peers="step")
    print_figures(f"A step of a training that changes {size}, while a durable save runs (seconds)", steps, "ms",
                  lambda seconds: seconds * 1e3)
    for whose in ["step", "MindSpore step"]:
        for mode in ["thread", "process"]:
            run.promise(f"{whose} while a {mode} saves, times one alone", ratio(steps, f"{whose} {mode}", whose), "<=", None)


def ask_compile(run: Run) -> None:
    if run.options.quick:
        print("\nskipped: compile, which --quick leaves out")
        return
    print("\nCompile an empty program that includes ckpt.hpp, or the standard headers it needs (processor seconds)")
    for compiler in COMPILERS:
        if shutil.which(compiler) is None:
            print(f"  {compiler} is not installed: skipped")
            continue
        for mode in compile_cost.MODES:
            rounds = 4 * run.options.rounds  # of a second each, of which single ones wander
            ours, standard, both = compile_cost.measure(compiler, mode, rounds)
            print(f"  {compiler} {' '.join(compile_cost.MODES[mode][:2]):18} {ours:6.3f} and {standard:6.3f}")
            run.promise(f"{compiler}, {mode}: ckpt.hpp, times the standard headers", both, "<=", 1.4)


QUESTIONS = {"save": ask_save, "many": ask_many, "load": ask_load, "memory": ask_memory,
             "encrypted": ask_encrypted, "async": ask_async, "compile": ask_compile}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="ckpt beside raw system calls, MindSpore and safetensors")
    parser.add_argument("build", type=pathlib.Path, help="where the programs were built")
    parser.add_argument("--python", help="an interpreter that has mindspore or safetensors (default: this one)")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path.cwd(), help="the file system to measure")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--only", action="append", choices=QUESTIONS, help="this question alone; repeatable")
    parser.add_argument("--check", action="store_true", help="exit code 1 where a goal was missed")
    parser.add_argument("--realtime", action="store_true", help="as root: take a core for this run alone")
    parser.add_argument("--quick", action="store_true", help="small and once: shows that it works, measures nothing")
    options = parser.parse_args()
    options.build = options.build.resolve()  # else a program in "." would be looked for in PATH
    if not any(options.build.glob("benchmark_*")):
        parser.error(f"{options.build} has no programs named benchmark_*: benchmarks/run.sh builds them")
    if not options.folder.is_dir():
        parser.error(f"there is no folder {options.folder}")
    if options.rounds < 1:
        parser.error("there is at least one round")
    options.mib, options.count = (64, 1000) if options.quick else (1024, 100000)
    options.rounds = 1 if options.quick else options.rounds
    options.python = options.python or sys.executable
    if shutil.which(options.python) is None:
        parser.error(f"there is no interpreter {options.python}")
    if options.realtime and os.geteuid() != 0:
        parser.error("--realtime is for root")
    return options


def reports_free_pages() -> bool:
    """Whether Linux does that, from a size on that blocks of memory have."""
    order = pathlib.Path("/sys/module/page_reporting/parameters/page_reporting_order")
    return order.exists() and int(order.read_text()) <= 10


def main() -> int:
    options = parse()
    if options.realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    for module in ["numpy", "mindspore", "safetensors"]:
        found = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
        if subprocess.run([options.python, "-c", found, module], check=False).returncode != 0:
            print(f"skipped: {options.python} has no {module}")
    if reports_free_pages():
        print("free pages are reported to the host of this virtual machine: figures will wander (README.md, Warm memory)")
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=options.folder) as folder:
        run = Run(options, pathlib.Path(folder))
        for question in options.only or QUESTIONS:
            QUESTIONS[question](run)
    kept = run.conclude()
    return 1 if options.check and not kept else 0


if __name__ == "__main__":
    sys.exit(main())
