# Sourced by the other scripts, not run: what a bare Debian 12 or Ubuntu (22.04 or newer) needs to build this project.

fail() {
  echo "error: $*" >&2
  exit 1
}

# install_missing PACKAGE... : installs those Debian packages that are not there yet; silent and quick when none is missing.
# On a system without apt-get it does nothing: what is missing then shows up as an error of what needs it.
install_missing() {
  command -v apt-get >/dev/null || return 0
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing, and without sudo only root can install them: ${missing[*]}"
    as_root=(sudo)
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  local problem="could not install: ${missing[*]}; install these yourself"
  echo "Installing with apt-get${as_root[*]:+ as root (by sudo)}: ${missing[*]}"
  for package in "${missing[@]}"; do
    apt-cache show "$package" >/dev/null 2>&1 && continue
    "${apt[@]}" update || fail "$problem"
    break
  done
  # Lists that are older than the mirror name files that are gone: then once more with fresh ones.
  "${apt[@]}" install --no-install-recommends -y "${missing[@]}" >/dev/null </dev/null ||
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends -y "${missing[@]}" >/dev/null </dev/null; } ||
    fail "$problem"
}

# prepare_build [PACKAGE...] : installs what it takes to build all but the tests, and these packages, and sets CXX to a compiler that
# is new enough, unless the caller chose one.
prepare_build() {
  install_missing g++ meson ninja-build pkg-config python3 libcli11-dev libisal-dev libcrypto++-dev "$@"
  if [ -z "${CXX:-}" ]; then
    CXX=g++
    if command -v g++ >/dev/null && [ "$(g++ -dumpversion | cut -d. -f1)" -lt 12 ]; then  # Ubuntu 22.04
      install_missing g++-12
      CXX=g++-12
    fi
  fi
  command -v "${CXX%% *}" >/dev/null || fail "there is no compiler $CXX: install g++ 12 or newer, or name another in the variable CXX"
  export CXX
}

# build FOLDER OPTION... : configures (once, again when the options or the list of files changed, and anew for another compiler) and
# compiles. Prints the compiler's words only when something is wrong.
build() {
  local folder=$1
  shift
  local log=$folder.log chosen=$folder.compiler action=()
  mkdir -p "$(dirname "$folder")"
  if [ -e "$folder/build.ninja" ]; then
    if [ "$(cat "$chosen" 2>/dev/null)" = "$CXX" ]; then action=(--reconfigure); else action=(--wipe); fi
  fi
  echo "Building in $folder with $CXX"
  meson setup "${action[@]}" "$folder" "$@" >"$log" 2>&1 || { cat "$log" >&2; fail "meson could not configure $folder"; }
  echo "$CXX" >"$chosen"
  ninja -C "$folder" >"$log" 2>&1 || { grep -vE '^\[[0-9]+/[0-9]+\]' "$log" >&2; fail "the build in $folder failed (all of it: $log)"; }
}

# build_demo : the ckpt command and the examples in build/demo, as a user wants them.
build_demo() { build build/demo --buildtype=release -D{tests,benchmarks}=disabled -D{tools,examples}=enabled; }
