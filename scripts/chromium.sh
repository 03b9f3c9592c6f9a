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

"$(dirname "$0")/install.sh" chromium fonts-liberation || {
	echo "browser: install Chromium or Chrome, or name one in CHROME_BIN" >&2
	exit 1
}
