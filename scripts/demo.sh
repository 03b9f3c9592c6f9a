#!/usr/bin/env bash
# The mock orchestratord and three nodes in one terminal, until Ctrl-C: then the
# nodes deregister, and the mock, which has to see them go, stops last.
set -euo pipefail
cd "$(dirname "$0")/.."

# Ctrl-C interrupts the terminal's whole foreground process group, make included,
# and make would fail however well we end. With -m from the start, bash moves to a
# group of its own and takes the terminal along until it exits. It looks for it on
# stderr, which may be elsewhere, as in `make run 2>&1 | tee log`. Only a process
# in the foreground, which ps marks with a +, has a terminal to take.
if [[ -n ${DEMO_HAS_TERMINAL-} ]]; then
	exec 2>&3 3>&-
elif [[ $(ps -o stat= -p $$ 2>/dev/null) == *+* ]]; then
	trap '' TSTP # make would not stop with us
	DEMO_HAS_TERMINAL=yes exec "$BASH" -m scripts/demo.sh 3>&2 2>/dev/tty
fi

# Each program gets a group of its own too: Ctrl-C stops none behind our back.
set -m

# halt interrupts processes and waits for them to end, two seconds at most.
halt() {
	local tenths
	kill -INT "$@" || return 0
	for ((tenths = 0; tenths < 20; tenths++)); do
		kill -0 "$@" || return 0
		sleep 0.1
	done
	echo 'not every program has stopped in time: killed'
	kill -KILL "$@" || true
}

stop() {
	local status=$?
	trap '' INT TERM HUP QUIT
	exec 2>/dev/null # bash would report every job that a signal ends
	# shellcheck disable=SC2046 # one word each
	halt $(jobs -p | grep -vxF -e "$mock" -e "$reader")
	halt "$mock"
	wait # for the last of their output
	((status)) || echo 'the nodes and the mock have stopped'
}

reader=
pipe=$(mktemp -d)/mock
mkfifo "$pipe"
bin/mock-orchestratord --addr "${ADDR:-127.0.0.1:8080}" \
	--heartbeat-interval 2s --node-timeout 6s --log-level debug --log-format short >"$pipe" 2>&1 &
mock=$!
trap stop EXIT
trap 'exit 0' INT TERM HUP QUIT
exec 3<"$pipe"
rm -r "${pipe%/*}"

# The nodes wait until the mock has said where it listens. Without that line it
# has failed, and said why.
line=
until [[ $line == *' listens on '* ]]; do
	IFS= read -r line <&3 || exit 1
	echo "$line"
done
cat <&3 &
reader=$!
exec 3<&-

# The mock says what happens to nodes; they themselves only what goes wrong.
url=${line#* listens on }
for n in 1 2 3; do
	bin/nodesim run --orchestratord-url "${url%% *}" --interval 2s --log-level warn --log-format short \
		--node-id "gpu-node-$n" --machine-id "machine-$n" --address "http://127.0.0.1:920$n" --pool pool-0 2>&1 &
done

wait "$mock"
