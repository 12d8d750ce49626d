#!/usr/bin/env bash
# Fuzzes the readers of both formats and of encrypted files. Last line: N passed, N failed
#
# usage: tests/fuzz/run.sh [SECONDS [TARGET]]      60 seconds each of fuzz_ckpt, fuzz_safetensors and fuzz_encrypted, side by side, unless
#                                          told
#
# What was found interesting stays in build/fuzz/corpus and is where the next run starts; an input that ends a target stays in
# build/fuzz/found. Such an input becomes a unit test of the reader it breaks.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
targets=(${2:-fuzz_ckpt fuzz_safetensors fuzz_encrypted})
: "${FUZZ_CXX:=clang++-19}"
out=build/fuzz
mkdir -p "$out/found"

python3 tests/fuzz/make_seeds.py "$out/seeds"

# run TARGET : builds, replays all seeds, then fuzzes
run() {
  local target=$1 format=${1#fuzz_} corpus=$out/corpus/$1 golden=()
  mkdir -p "$corpus"
  [ -d tests/golden ] && mapfile -t golden < <(find tests/golden -name "*.$format" -size -64k)
  [ ${#golden[@]} -eq 0 ] || cp "${golden[@]}" "$out/seeds/$format/"
  "$FUZZ_CXX" -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Iinclude \
    "tests/fuzz/$target.cpp" -pthread -lcryptopp -o "$out/$target"
  if [ "$format" = encrypted ]; then
    rm -rf "$out/seeds/$format" && mkdir "$out/seeds/$format"
    CKPT_SEEDS=$out/seeds/$format "$out/$target"
  fi
  # An allocation over 64 MiB is an error: no input here is longer than 64 KiB.
  "$out/$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=64 \
    -use_value_profile=1 -print_final_stats=1 -dict="tests/fuzz/$format.dict" -artifact_prefix="$out/found/$target-" \
    "$corpus" "$out/seeds/$format"
}

jobs=()
for target in "${targets[@]}"; do
  run "$target" >"$out/$target.log" 2>&1 &
  jobs+=($!)
done
passed=0 failed=0
for index in "${!targets[@]}"; do
  target=${targets[index]}
  if wait "${jobs[index]}"; then
    passed=$((passed + 1))
    echo "$target: $(grep -oE 'stat::number_of_executed_units: *[0-9]+' "$out/$target.log" | grep -oE '[0-9]+$') inputs in $seconds s, nothing found"
  else
    failed=$((failed + 1))
    echo "FAILED $target; the end of $out/$target.log:"
    tail -n 60 "$out/$target.log"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
