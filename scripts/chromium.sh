#!/bin/sh
# Sees to it that there is a browser for the dashboard's tests. It installs one only where
# the system's packages have it and are ours to install, as in CI: the headless shell, which
# needs half the time of a browser with windows, and Chromium where there is no other.
set -eu

find_browser() {
	for name in "${CHROME_BIN:-}" chromium-headless-shell headless-shell \
		chromium chromium-browser google-chrome google-chrome-stable chrome \
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
		/Applications/Chromium.app/Contents/MacOS/Chromium; do
		if command -v "$name"; then return; fi
	done
}

found=$(find_browser)
if command -v "${CHROME_BIN:-}" >/dev/null; then exit; fi
case $found in *headless-shell) exit ;; esac

install=$(dirname "$0")/install.sh
if "$install" chromium-headless-shell fonts-liberation 2>/dev/null; then exit; fi
[ -n "$found" ] || "$install" chromium fonts-liberation || {
	echo "browser: install Chromium or Chrome, or name one in CHROME_BIN" >&2
	exit 1
}
