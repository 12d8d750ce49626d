#!/usr/bin/env bash
# Installs what is missing, builds everything and runs all tests that need no Python package. Last line: N passed, N failed
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/prepare.sh

prepare_build doctest-dev
build build/test --buildtype=plain -Dtests=enabled -Dtools=enabled -Dexamples=enabled
rm -f build/test/meson-logs/testlog.json
meson test -C build/test --no-rebuild --print-errorlogs || true # what failed is counted below
python3 scripts/count_tests.py build/test
