#!/usr/bin/env bash
# The ways to use the library that the README names: a copy of include/, a meson subproject, installed with pkg-config, and
# a build that chooses the policies; and what is said where Crypto++ and ISA-L or C++20 are missing.
# Each builds its programs in a folder of its own and runs them. Last line: N passed, N failed
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: "${CXX:=c++}"

try() { # try FUNCTION : runs it in a folder of its own
  mkdir -p "$work/$1"
  (set -e; cd "$work/$1"; cp "$root/tests/consumers/"*.cpp .; "$1") >"$work/$1.log" 2>&1
  echo $? >"$work/$1.status"
}

copied() {
  cp -r "$root/include" third_party
  "$CXX" -std=c++20 -Ithird_party consumer.cpp -o consumer
  ./consumer
}

too_old() { # the first error says what is missing, whichever header comes first
  local header
  for header in ckpt async manager crypto; do
    echo "#include <ckpt/$header.hpp>" >old.cpp
    if "$CXX" -std=c++17 -I"$root/include" -fsyntax-only old.cpp 2>said; then return 1; fi
    grep -m 1 'error' said | tee first
    grep -q 'ckpt needs C++20: compile with -std=c++20' first
  done
}

as_subproject() {
  mkdir -p subprojects/ckpt
  cp -r "$root"/{include,meson.build,meson_options.txt} subprojects/ckpt/ # its other folders are not looked at
}

subproject() {
  as_subproject
  cat >meson.build <<'MESON'
project('consumer', 'cpp', default_options: ['cpp_std=c++20'])
executable('consumer', 'consumer.cpp', dependencies: dependency('ckpt', fallback: 'ckpt'))
executable('sealed', 'sealed.cpp', dependencies: dependency('ckpt-crypto', fallback: 'ckpt'))
executable('summed', 'summed.cpp', dependencies: dependency('ckpt-crc32', fallback: 'ckpt'))
MESON
  meson setup build
  ninja -C build
  build/consumer
  build/sealed
  build/summed
  if grep -e -Wconversion build/compile_commands.json; then return 1; fi # our warnings stay with us
}

installed() {
  meson setup build "$root" --prefix="$PWD/prefix" -D{tests,tools,examples,benchmarks}=disabled
  meson install -C build
  diff -r "$root/include/ckpt" prefix/include/ckpt
  local program package
  PKG_CONFIG_PATH=$(dirname "$(find "$PWD/prefix" -name ckpt.pc)")
  export PKG_CONFIG_PATH
  while read -r program package; do
    "$CXX" -std=c++20 $program.cpp $(pkg-config --cflags --libs "$package") -o $program
    ./$program
  done <<<"consumer ckpt
    sealed ckpt-crypto
    summed ckpt-crc32"
}

bare() { # where neither Crypto++ nor ISA-L is installed
  export PKG_CONFIG_LIBDIR=$PWD/nothing
  local name package
  while read -r name package; do
    rm -rf "$name"
    mkdir "$name"
    cd "$name"
    as_subproject
    printf '%s\n' "project('consumer', 'cpp')" "dependency('$name', fallback: 'ckpt')" >meson.build
    if meson setup build >said; then return 1; fi
    grep "apt-get install $package" said
    cd ..
  done <<<"ckpt-crypto libcrypto++-dev
    ckpt-crc32 libisal-dev"
  meson setup build "$root" --prefix="$PWD/prefix" -D{tests,tools,benchmarks}=disabled -Dexamples=enabled >said
  grep 'the examples encrypted and own_policies are not built' said
  ninja -C build examples/lenet
  (cd build/examples && ./lenet)
  meson install -C build --no-rebuild
  find prefix -name 'ckpt*.pc' | tee packages
  [ "$(wc -l <packages)" -eq 1 ]
}

configured() { # the example whose build chooses the policies
  cp -r "$root/examples/configured_build/." .
  as_subproject
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

ways=(copied too_old subproject installed bare configured)
for way in "${ways[@]}"; do
  try "$way" & # each is one program at a time for the most part
done
wait
passed=0 failed=0
for way in "${ways[@]}"; do
  if [ "$(cat "$work/$way.status")" = 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED $way"
    cat "$work/$way.log"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
