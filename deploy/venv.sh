#!/usr/bin/env bash
# Makes .venv from the locked requirements: deploy/venv.sh PYTHON. Run by make.
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

[[ -x .venv/bin/python ]] || "$python" -m venv .venv
# pip draws its progress on a terminal only; elsewhere its hundreds of lines help nobody.
[[ -t 1 ]] && quiet=() || quiet=(--quiet)
echo "installing the locked requirements into .venv (downloads some 500 MB the first time)" >&2
.venv/bin/python -m pip install --disable-pip-version-check "${quiet[@]}" --require-hashes \
  -r requirements.lock
.venv/bin/python -m pip install --disable-pip-version-check --quiet --no-deps \
  --no-build-isolation -e .
