#!/usr/bin/env bash
# Runs the tests, with the flags of go test that follow. Packages whose goroutines meet run
# under the race detector, and their heavy tests without it (internal/race), like the tests
# of the other packages. There is no vet, since `make lint` vets, and runs the tests that do no more
# than hold files to others.
# shellcheck disable=SC2086 # lists of packages are to be split into words
set -euo pipefail
cd "$(dirname "$0")/.."

heavy="./contracts/conformance ./mockserver ./pkg/registration
	$(grep -rl --include='*_test.go' --exclude-dir=node_modules '^func Test.*_heavy(' . | xargs dirname | sort -u)"

# No result is taken from an earlier run: go test looks for changes in a test's own module alone,
# and many tests read files of others, such as the documentation.
set -- -count=1 -skip '_lint$' "$@"
# One package more than there are cores is tested at once, on either side, since many tests wait.
set -- -p "$(($(getconf _NPROCESSORS_ONLN) + 1))" "$@"
# The binaries are kept, so that Go links again only those that change. They have no symbols, like
# those that it does not keep. It makes them beside, where one is moved into place as a whole: of one
# that is copied, and cut off, it would not know.
set -- -ldflags='-s -w' -exec 'env -u GOTMPDIR' "$@"
export GOTMPDIR=$PWD/bin/tmp
mkdir -p "$GOTMPDIR"
# Where scripts/promtool.sh unpacks it.
PATH=$PATH:$PWD/bin
# The race detector need not wait for a second at the end of each package.
export GORACE=atexit_sleep_ms=0
# Tests have small heaps, and the collector takes less of their time when it lets them grow.
export GOGC=1600

# For the race detector, foreign packages are compiled without inlining: they hardly run, and that
# takes a fifth off their time. Plain ones stay as they are, since lint and check use them too.
foreign=(-gcflags='all=-dwarf=false -l' -gcflags=std=-dwarf=false -gcflags=work=-dwarf=false)

# Side by side, since many tests wait, and the last package of either leaves cores idle. Heavy tests
# come first: their list is there at once. Small packages come last, since those that run long leave
# a core idle at the end.
go test -vet=off -tags pact -o bin/test/plain/ -run '_heavy$' "$@" $heavy &
plain=$!

# Packages that take long come first: they are tested in this order.
concurrent=$(go list -tags pact ./contracts/conformance ./mockserver ./contracts/provider ./cmd/pact-verify \
	./examples/pool-managerd ./pkg/registration ./cmd/internal/fleet ./cmd/mock-orchestratord ./cmd/nodesim \
	./contracts/consumer ./mockserver/... ./pkg/capabilities ./pkg/registration/telemetry |
	grep -vE '/(bind|dashboard|glob|har|masking|recorded|spec)$') # which start no goroutine
# Packages without tests are left out, since go test -o refuses two with the same name. So are two that
# need a lot compiled: `make lint` runs all tests of the manifests, and `make shipped` those of shipped.
others=$(go list -tags pact -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' \
	./mockserver/dashboard/browser ./cmd/internal/usage work |
	grep -vxF "$concurrent" | grep -vE '/(manifests|shipped)$')
go test -vet=off -tags pact -race "${foreign[@]}" -o bin/test/raced/ "$@" $concurrent &
raced=$!

failed=0
wait $plain || failed=1
go test -vet=off -tags pact -o bin/test/plain/ "$@" $others || failed=1
wait $raced || failed=1
exit $failed
