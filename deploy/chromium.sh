#!/usr/bin/env bash
# Gets a browser for the tests of pages where this machine can have one. Without one they are
# skipped, and it is said: never an error, because everything else can be tested.
set -euo pipefail

for name in chromium chromium-browser google-chrome google-chrome-stable; do
  command -v "$name" > /dev/null 2>&1 && exit 0
done

if [[ "$(id -u)" == 0 ]] && command -v apt-get > /dev/null; then
  echo "installing chromium for the tests of pages" >&2
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium > /dev/null && exit 0
  why="apt-get could not install it; it says why above"
else
  why="this needs root and apt-get"
fi
echo "note: no browser, so the tests of pages are skipped: $why" >&2
echo "  next: install chromium (Debian: sudo apt-get install chromium), then make test again" >&2
