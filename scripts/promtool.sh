#!/bin/sh
# Unpacks promtool into bin/, for the tests of the alerts. Its package would start a server too.
set -eu
cd "$(dirname "$0")/.."

command -v apt-get >/dev/null || {
	echo "promtool: install it, it is a part of Prometheus" >&2
	exit 1
}
mkdir -p bin
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
(cd "$unpacked" && apt-get -qq -o APT::Sandbox::User=root download prometheus && dpkg -x prometheus_*.deb .)
install -m 755 "$unpacked/usr/bin/promtool" bin/
