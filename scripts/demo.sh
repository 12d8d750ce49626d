#!/usr/bin/env bash
# Installs what is missing, builds the library's example and the ckpt command, and shows the main job: a small network is
# saved, loaded, listed, verified, converted and compared. Given a ckpt or safetensors file, the same with that file.
#
# usage: scripts/demo.sh [FILE]
set -euo pipefail
[ $# -le 1 ] || { echo "usage: scripts/demo.sh [FILE]" >&2; exit 2; }
file=${1:+$(realpath -m -- "$1")}
cd "$(dirname "$0")/.."
. scripts/prepare.sh
[ -z "$file" ] || [ -f "$file" ] || fail "there is no file $file"

prepare_build
build build/demo --buildtype=release -D{tests,benchmarks}=disabled -D{tools,examples}=enabled
ckpt=build/demo/tools/ckpt out=build/demo/out
mkdir -p "$out"

show() { # show COMMAND ARGUMENT... : prints the command and what it prints
  echo
  printf '$'
  printf ' %q' "$@"
  echo
  "$@"
}

# tour FILE : lists, verifies, converts and compares one file
tour() {
  local name format
  show "$ckpt" ls "$1"
  show "$ckpt" verify "$1"
  format=$("$ckpt" ls --json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["format"])')
  name=$(basename -- "$1")
  converted=$out/${name%.*}.converted.$([ "$format" = ckpt ] && echo safetensors || echo ckpt)
  show "$ckpt" convert "$1" "$converted"
  show "$ckpt" diff "$1" "$converted"
}

show build/demo/examples/lenet "$out"
tour "$out/lenet.ckpt"
done=("saved and loaded a LeNet-5 ($out/lenet.ckpt), and converted it: $converted")
if [ -n "$file" ]; then
  tour "$file"
  done+=("verified $file, and converted it: $converted")
fi

echo
echo "Done:"
printf '  %s\n' "${done[@]}"
echo "  the command for other files: $ckpt --help"
[ -n "$file" ] || echo "  the same with a model of yours: scripts/demo.sh FILE"
