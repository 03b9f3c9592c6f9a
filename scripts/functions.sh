#!/bin/sh
# Prints package:function for the test functions whose names begin with the argument, such as
# Fuzz or Benchmark, and fails where a package does not compile.
set -eu
cd "$(dirname "$0")/.."

[ $# -eq 1 ] || {
	echo "usage: functions.sh PREFIX" >&2
	exit 2
}

go test -list "^$1" work | awk -v prefix="^$1" '
	$0 ~ prefix { names[++n] = $1 }
	/^ok/ { for (i = 1; i <= n; i++) print $2 ":" names[i]; n = 0 }
	/^FAIL/ { failed = 1 }
	END { exit failed }'
