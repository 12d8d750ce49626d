#!/usr/bin/env bash
# Builds the programs and runs the side-by-side comparison. Takes minutes, 8 GiB of memory (all but async: 3 GiB) and 7 GiB of disk
# (encrypted: three files of each side, and the one that is being written; without MindSpore 4 GiB).
#
# usage: benchmarks/run.sh [--python PATH] [--folder DIR] [--rounds N] [--only QUESTION]... [--check] [--realtime] [--quick]
#
#   --python PATH    an interpreter with mindspore and safetensors (tests/interop/environment.sh makes one); what it lacks is skipped
#   --folder DIR     the file system to measure; else the one that this folder is on
#   --rounds N       how often each question is measured, the contestants in turn; the medians count (default: 11)
#   --only QUESTION  save, many, load, memory, encrypted, async or compile
#   --check          exit code 1 where a goal was missed
#   --realtime       as root: keeps other programs from interrupting, and takes a core from them as long as it runs
#   --quick          once, with 64 MiB in place of 1 GiB: shows that it all works; its figures mean nothing
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit ;; esac
caller=$PWD
cd "$(dirname "$0")/.."
. scripts/prepare.sh

prepare_build
build build/benchmarks --buildtype=release -D{tests,tools,examples}=disabled -Dbenchmarks=enabled
root=$PWD
cd "$caller"  # what the options name counts from there
exec python3 "$root/benchmarks/run.py" "$root/build/benchmarks/benchmarks" --folder "$root/build" "$@"
