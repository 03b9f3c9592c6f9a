#!/bin/sh
# Compares what the benchmarks allocate with bench/allocations.txt, or writes that file with
# -update. They run on one processor, where goroutines take turns alike, and three times,
# since chance only adds to what they allocate.
set -eu
cd "$(dirname "$0")/.."

output=$(scripts/bench.sh -benchtime 100x -count 3 -cpu 1) || {
	echo "$output"
	exit 1
}
echo "$output" |
	GOWORK=off go -C bench run ./allocs -module github.com/llama-orch/node-registration "$@" allocations.txt
