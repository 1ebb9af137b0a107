#!/usr/bin/env bash
# Makes .venv from the locked requirements: deploy/venv.sh PYTHON. Run by make.
# Exits with 3 where something outside is missing; make itself then ends with 2, as always.
set -euo pipefail

python="${1:-}"
if [[ -z "$python" ]]; then
  echo "error: no Python 3.11, 3.12 or 3.13 found" >&2
  echo "  expected: one of them on the PATH as python3.11, python3.12, python3.13 or python3" >&2
  echo "  next: install one, or make PYTHON=/path/to/python" >&2
  exit 3
fi

if ! "$python" -c 'import ensurepip, venv' 2> /dev/null; then
  version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
  if [[ "$(id -u)" == 0 ]] && command -v apt-get > /dev/null; then
    apt-get update -qq
    apt-get install -y -qq "python$version-venv"
  else
    echo "error: $python cannot make virtual environments" >&2
    echo "  expected: its module ensurepip, which Debian packs on its own" >&2
    echo "  next: sudo apt-get install python$version-venv" >&2
    exit 3
  fi
fi

# Half an environment, of a run that was stopped, has a Python and no pip.
.venv/bin/python -m pip --version > /dev/null 2>&1 || "$python" -m venv .venv

not_installed() {
  rm -f .venv/.stamp # make takes its presence for a whole environment
  echo "error: the locked Python packages are not installed; pip says why above" >&2
  echo "  expected: pypi.org, or the index of pip's settings, within reach; 1.6 GB of free disk" >&2
  echo "  next: check the network and its proxy (HTTPS_PROXY), then make demo again" >&2
  exit 3
}

# pip draws its progress on a terminal only; elsewhere its hundreds of lines help nobody.
[[ -t 1 ]] && quiet=() || quiet=(--quiet)
echo "installing the locked requirements into .venv (the first time: downloads about 410 MB," \
  "takes 1.6 GB of disk)" >&2
.venv/bin/python -m pip install --disable-pip-version-check "${quiet[@]}" --require-hashes \
  -r requirements.lock || not_installed
.venv/bin/python -m pip install --disable-pip-version-check --quiet --no-deps \
  --no-build-isolation -e . || not_installed
