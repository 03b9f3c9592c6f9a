#!/bin/sh
# Gives each fuzz target its turn, of so much time as 30s, and ends with the first that fails.
set -eu
cd "$(dirname "$0")/.."

[ $# -eq 1 ] || {
	echo "usage: fuzz.sh TIME" >&2
	exit 2
}

found=$(scripts/functions.sh Fuzz)
for target in $found; do
	go test -run '^$' -fuzz "^${target#*:}\$" -fuzztime "$1" -fuzzminimizetime 10x "${target%:*}"
done
