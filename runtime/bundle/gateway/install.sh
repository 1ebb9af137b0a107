#!/bin/sh
# Installs the gateway into a directory of its own, without a network:
#   sudo sh install.sh [DIRECTORY]       /opt/custody by default
# Run again, also from a newer bundle, it replaces what is there. Events and settings lie elsewhere.
# PYTHON=/path/to/python3 names the Python to use.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${1:-/opt/custody}

fail() {
  echo "error: $1" >&2
  echo "  expected: $2" >&2
  echo "  next: $3" >&2
  exit 3
}

fits() {
  "$1" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] not in sys.argv[1:])' \
    @PYTHON_LIST@ 2> /dev/null
}

python=${PYTHON:-}
if [ -z "$python" ]; then
  for version in @PYTHON_LIST@ ""; do
    name=python${version:-3}
    if command -v "$name" > /dev/null 2>&1 && fits "$name"; then
      python=$name
      break
    fi
  done
fi
if [ -z "$python" ] || ! fits "$python"; then
  fail "no Python this bundle is for was found" "Python @PYTHONS@" \
    "install one, or PYTHON=/path/to/python3 sh install.sh"
fi
"$python" -c 'import ensurepip, venv' 2> /dev/null || fail \
  "$python cannot make virtual environments" "its modules venv and ensurepip" \
  "install the package python3-venv of this system"
if [ -e "$target" ] && [ ! -e "$target/pyvenv.cfg" ] && [ -n "$(ls -A "$target")" ]; then
  fail "$target holds something else" "an empty directory, or an earlier gateway" \
    "sh install.sh /another/directory"
fi

"$python" -m venv --clear "$target"
"$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
  --require-hashes --find-links "$here/wheels" --requirement "$here/requirements.txt"
# What installed it is a fifth of all, and never used again: an update makes the directory anew.
"$target/bin/python" -m pip uninstall --quiet --yes setuptools pip 2> /dev/null
"$target/bin/custody" --version
echo "installed into $target; README.txt says how to run it as a service"
