#!/bin/sh
# Runs goreleaser, which makes the releases. Unless PATH has it in this version, it is built first,
# which takes minutes.
set -eu
cd "$(dirname "$0")/.."

version=v2.12.0
if goreleaser --version 2>/dev/null | grep -Eqx "GitVersion: +v?${version#v}"; then
	exec goreleaser "$@"
fi
exec go run "github.com/goreleaser/goreleaser/v2@$version" "$@"
