#!/bin/sh
# Runs go mod tidy in each module of the workspace. With -diff, nothing is written, and a
# module that is not tidy is a failure. The modules require each other in versions that may not
# be released yet, so that each is replaced by its directory meanwhile.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go list -m -f '{{.Path}}={{.Dir}}' >"$work/modules"
status=0
while IFS= read -r module; do
	dir=${module#*=}
	cp "$dir/go.mod" "$dir/go.sum" "$work"
	sed 's/^/-replace=/' "$work/modules" | tr '\n' '\0' | xargs -0 sh -c 'go mod edit "$@" "$0"' "$work/go.mod"
	(cd "$dir" && GOWORK=off go mod tidy -modfile="$work/go.mod")
	sed 's/=.*//; s/^/-dropreplace=/' "$work/modules" | xargs sh -c 'go mod edit "$@" "$0"' "$work/go.mod"
	if [ "${1:-}" = -diff ]; then
		diff -u "$dir/go.mod" "$work/go.mod" && diff -u "$dir/go.sum" "$work/go.sum" || status=1
	else
		cp "$work/go.mod" "$work/go.sum" "$dir"
	fi
done <"$work/modules"
exit $status
