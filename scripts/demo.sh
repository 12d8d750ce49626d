#!/usr/bin/env bash
# Installs what is missing, builds the library's example and the ckpt command, and shows the main job: a small network is
# saved, loaded, listed, verified, converted and compared. Given a ckpt or safetensors file, the same with that file.
#
# usage: scripts/demo.sh [FILE]
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit ;; esac
[ $# -le 1 ] || { echo "usage: scripts/demo.sh [FILE]" >&2; exit 2; }
file=${1:+$(realpath -m -- "$1")} script=$0 caller=$PWD
cd "$(dirname "$0")/.."
. scripts/prepare.sh
[ -z "$file" ] || [ -f "$file" ] || fail "there is no file $file"

prepare_build
build_demo
mkdir -p build/demo/out

# What is shown works from where the caller is.
root=$PWD
cd "$caller"
case $root/ in
  "${caller%/}"/*) built=$(realpath --relative-to=. "$root/build/demo") ;;
  *) built=$root/build/demo ;;
esac
ckpt=$built/tools/ckpt out=$built/out

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

show "$built/examples/lenet" "$out"
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
[ -n "$file" ] || echo "  the same with a model of yours: $script FILE"
