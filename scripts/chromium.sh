#!/bin/sh
# Sees to it that there is a browser for the dashboard's tests. It installs one only where
# the system's packages have it and are ours to install, as in CI. With the argument find
# it only prints the browser's path, and nothing where there is none.
set -eu

for name in "${CHROME_BIN:-}" chromium chromium-browser google-chrome google-chrome-stable chrome headless-shell \
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
	/Applications/Chromium.app/Contents/MacOS/Chromium; do
	path=$(command -v "$name") || continue
	if [ "${1:-}" = find ]; then echo "$path"; fi
	exit 0
done
if [ "${1:-}" = find ]; then exit 0; fi

fail() {
	echo "browser: $*" >&2
	exit 1
}

command -v apt-get >/dev/null || fail "install Chromium or Chrome, or name one in CHROME_BIN"
as_root=
if [ "$(id -u)" -ne 0 ]; then
	sudo -n true 2>/dev/null || fail "install it: sudo apt-get install chromium"
	as_root="sudo -n"
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq || true # an old list may do
$as_root apt-get install -y -qq --no-install-recommends chromium fonts-liberation >/dev/null ||
	fail "apt-get cannot install chromium: install Chromium or Chrome, or name one in CHROME_BIN"
