#!/bin/sh
# Runs the benchmarks of all packages that have some, with the flags of go test that follow.
set -eu
cd "$(dirname "$0")/.."

found=$(scripts/functions.sh Benchmark)
# shellcheck disable=SC2046 # one word each
go test -run '^$' -bench . -benchmem "$@" $(echo "$found" | cut -d : -f 1 | uniq)
