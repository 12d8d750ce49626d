#!/usr/bin/env bash
# The ways to use the library that the README names: a copy of include/, a meson subproject, installed with pkg-config, and
# a build that chooses the policies.
# Each builds one program in a folder of its own and runs it. Last line: N passed, N failed
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: "${CXX:=c++}"
passed=0 failed=0

try() { # try FUNCTION
  mkdir -p "$work/$1"
  (set -e; cd "$work/$1"; cp "$root/tests/consumers/consumer.cpp" .; "$1") >"$work/$1.log" 2>&1
  if [ $? -eq 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED $1"
    cat "$work/$1.log"
  fi
}

copied() {
  cp -r "$root/include" third_party
  "$CXX" -std=c++20 -Ithird_party consumer.cpp -o consumer
  ./consumer
}

subproject() {
  mkdir -p subprojects/ckpt
  cp -r "$root"/{include,meson.build,meson_options.txt} subprojects/ckpt/ # its other folders are not looked at
  cat >meson.build <<'MESON'
project('consumer', 'cpp', default_options: ['cpp_std=c++20'])
executable('consumer', 'consumer.cpp', dependencies: dependency('ckpt', fallback: 'ckpt'))
MESON
  meson setup build
  ninja -C build
  build/consumer
  if grep -e -Wconversion build/compile_commands.json; then return 1; fi # our warnings stay with us
}

installed() {
  meson setup build "$root" --prefix="$PWD/prefix" -D{tests,tools,examples,benchmarks}=disabled
  meson install -C build
  diff -r "$root/include/ckpt" prefix/include/ckpt
  local pc flags
  pc=$(find prefix -name ckpt.pc)
  flags=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --cflags --libs ckpt)
  "$CXX" -std=c++20 $flags consumer.cpp -o consumer
  ./consumer
}

configured() { # the example whose build chooses the policies
  cp -r "$root/examples/configured_build/." .
  mkdir -p subprojects/ckpt
  cp -r "$root"/{include,meson.build,meson_options.txt} subprojects/ckpt/
  local choice
  export TRAIN_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
  for choice in plain safetensors encrypted; do
    meson setup "build_$choice" -Dcheckpoints=$choice
    ninja -C "build_$choice"
    (cd "build_$choice" && ./train) | tee said
    case $choice in
      plain) grep -q 'step_1.ckpt: 1 tensors, ckpt, plain' said ;;
      safetensors) grep -q 'step_1.safetensors: 1 tensors, safetensors, plain' said ;;
      encrypted) grep -q 'step_1.ckpt: 1 tensors, ckpt, encrypted and sealed' said ;;
    esac
  done
}

try copied
try subproject
try installed
try configured
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
