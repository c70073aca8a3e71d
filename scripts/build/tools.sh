#!/usr/bin/env bash
# Says which tools are missing or too old, all at once, before anything is fetched or built.
# usage: tools.sh [go|node|python|java|git]...
set -euo pipefail
cd "$(dirname "$0")/../.."
faults=0

# fault WHAT MEND
fault() {
  echo "$1: $2" >&2
  faults=$((faults + 1))
}

# is FOUND WANTED: whether a version is at least another
is() { [[ $1 == [0-9]* ]] && [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n1)" = "$2" ]; }

have() { command -v "$1" >/dev/null 2>&1; }

check_git() { have git || fault "git is missing" "install it (Debian: apt-get install git)"; }

# A Go from 1.21 on fetches the one that go.mod names; asking for its version does so.
check_go() {
  local wanted found
  wanted=$(awk '$1 == "go" { print $2 }' go.mod)
  have go || { fault "go is missing" "install Go $wanted or later from https://go.dev/dl"; return; }
  found=$(go version 2>&1) || { fault "go does not start: ${found##*$'\n'}" "install Go $wanted or later from https://go.dev/dl"; return; }
  found=$(sed -n 's/^go version go\([0-9.]*\).*/\1/p' <<<"$found")
  is "$found" "$wanted" || fault "go is $found" "install Go $wanted or later from https://go.dev/dl"
}

check_node() {
  have node && have npm || { fault "node or npm is missing" "install Node 20.19 or later from https://nodejs.org"; return; }
  local found
  found=$(node --version 2>/dev/null | tr -d v) || found=broken
  is "$found" 20.19 || fault "node is $found" "install Node 20.19 or later from https://nodejs.org"
}

check_python() {
  local python=${PYTHON:-python3} found
  have "$python" || { fault "$python is missing" "install Python 3.11 or later (Debian: apt-get install python3 python3-venv), or set PYTHON"; return; }
  found=$("$python" -c 'import platform; print(platform.python_version())' 2>/dev/null) || found=broken
  is "$found" 3.11 || { fault "$python is $found" "install Python 3.11 or later, or set PYTHON to one"; return; }
  "$python" -c 'import venv, ensurepip' 2>/dev/null || fault "$python has no venv" "install it (Debian: apt-get install python3-venv)"
}

check_java() {
  local mend="install a JDK 17 or later and Maven (Debian: apt-get install openjdk-17-jdk-headless maven)" found
  have java || { fault "java is missing" "$mend"; return; }
  have mvn || fault "mvn is missing" "$mend"
  found=$(java -version 2>&1 | sed -n 's/.* version "\([0-9.]*\).*/\1/p' | head -n1) || true
  is "${found:-unknown}" 17 || fault "java is ${found:-broken}" "$mend"
}

for tool; do "check_$tool"; done
[ "$faults" = 0 ]
