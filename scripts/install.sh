#!/bin/sh
# Installs packages of the system, as chromium, where it has apt-get and they are ours to
# install, as in CI. Elsewhere it says what to install.
set -eu

[ $# -gt 0 ] || {
	echo "usage: install.sh PACKAGE..." >&2
	exit 2
}

fail() {
	echo "install: $*" >&2
	exit 1
}

command -v apt-get >/dev/null || fail "$1 is missing: install it with the system's packages"
as_root=
if [ "$(id -u)" -ne 0 ]; then
	sudo -n true 2>/dev/null || fail "$1 is missing, install it: sudo apt-get install $*"
	as_root="sudo -n"
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq || true # an old list may do
$as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null || fail "apt-get cannot install $*"
