#!/usr/bin/env bash
# Runs go mod tidy in each module of the workspace. With -diff, nothing is written, and a
# module that is not tidy is a failure. The modules require each other in versions that may not
# be released yet, so that each is replaced by its directory meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
replace=() drop=()
while read -r module version dir; do
	replace+=("-replace=$module@$version=$PWD/$dir")
	drop+=("-dropreplace=$module@$version")
done < <(sed -n 's/^\t\(.*\) => /\1 /p' go.work)
status=0
while IFS= read -r dir; do
	cp "$dir/go.mod" "$dir/go.sum" "$work"
	go mod edit "${replace[@]}" "$work/go.mod"
	(cd "$dir" && GOWORK=off go mod tidy -modfile="$work/go.mod")
	go mod edit "${drop[@]}" "$work/go.mod"
	if [[ ${1-} == -diff ]]; then
		for file in go.mod go.sum; do diff -u "$dir/$file" "$work/$file" || status=1; done
	else
		cp "$work/go.mod" "$work/go.sum" "$dir"
	fi
done < <(go list -m -f '{{.Dir}}')
exit $status
