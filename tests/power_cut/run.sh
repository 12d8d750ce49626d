#!/usr/bin/env bash
# Cuts the power of a real file system while it is being saved to; power_cut.py says how. As root. Last line: N passed, N failed
#
# usage: tests/power_cut/run.sh [--moments N] [--seed N] [--without-reference]
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/prepare.sh
. tests/interop/environment.sh

[ "$(id -u)" -eq 0 ] || fail "only root can mount a file system and shut it down"
prepare_build
install_missing e2fsprogs mount
options=() reference=yes
for option in "$@"; do
  if [ "$option" = --without-reference ]; then reference=; else options+=("$option"); fi
done
if [ -n "$reference" ]; then
  prepare_reference
  options+=(--reference "$REFERENCE")
fi

mkdir -p build/power_cut
"$CXX" -std=c++20 -O2 -Wall -Wextra -I include tests/power_cut/saver.cpp -o build/power_cut/saver
python3 tests/power_cut/power_cut.py build/power_cut/saver "${options[@]}"
