#!/usr/bin/env bash
# This library against MindSpore 2.10.0 and safetensors 0.8.0 themselves, on CPython 3.11; the first run installs them into a virtual
# environment (see environment.sh). Needs 4 GB of memory and 3 GB in /tmp for the large tensors. Last line: N passed, N failed
#
# usage: tests/interop/run.sh [TEST...]     test_checksums, test_dtypes, test_values, test_nets, test_models, test_large, test_encryption,
#                                           test_manager;
#                                           without arguments all, and the golden files and the safetensors differential
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit ;; esac
cd "$(dirname "$0")/../.."
. scripts/prepare.sh
. tests/interop/environment.sh

prepare_build
prepare_reference
build_demo
mkdir -p build/interop
"$CXX" -std=c++20 -O2 -I include tests/interop/helper.cpp -pthread -lcryptopp -lisal -o build/interop/helper
export CKPT_INTEROP_HELPER=$PWD/build/interop/helper CKPT_INTEROP_TOOL=$PWD/build/demo/tools/ckpt

passed=0 failed=0
# suite COMMAND... : runs it and adds what its last line counts
suite() {
  local log=build/interop/log status=0 good bad
  PYTHONPYCACHEPREFIX=build/interop/pycache "$REFERENCE" -W ignore "$@" 2>build/interop/errors | tee "$log" || status=$?
  if read -r good _ bad _ < <(tail -n 1 "$log" | grep -xE '[0-9]+ passed, [0-9]+ failed'); then
    passed=$((passed + good)) failed=$((failed + bad))
  else
    cat build/interop/errors
    status=1 bad=0
  fi
  [ $status -eq 0 ] || [ "$bad" -gt 0 ] || failed=$((failed + 1))
}

suite tests/interop/run_tests.py "$@"
if [ $# -eq 0 ]; then
  suite tests/golden/make_golden.py --check
  suite tests/interop/safetensors_differential.py
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
