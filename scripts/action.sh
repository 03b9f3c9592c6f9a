#!/usr/bin/env bash
# The work of action.yml: builds the verifier, has it verify PROVIDER_URL, and leaves
# annotations, a summary and a JUnit report. The token is in LLORCH_API_TOKEN.
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
export GOFLAGS=-buildvcs=false # the action's files may be no repository

echo "::group::Build"
case $PACT in
true)
	"$source/scripts/pact-ffi.sh"
	CGO_ENABLED=1 go build -C "$source" -trimpath -tags pact -o "$bin/verify" ./cmd/pact-verify
	verify=("$bin/verify" --pact "$source/contracts/pacts/pool-managerd-orchestratord.json"
		--conform "$LEVEL" --timeout "$TIMEOUT")
	;;
false)
	CGO_ENABLED=0 go build -C "$source" -trimpath -o "$bin/verify" ./cmd/nodecontract
	verify=("$bin/verify" conform --level "$LEVEL" --time "$TIMEOUT")
	;;
*)
	echo "::error::pact is true or false"
	exit 2
	;;
esac
echo "::endgroup::"

if [[ -n $CA_CERT ]]; then verify+=(--ca-cert "$CA_CERT"); fi
status=0
"${verify[@]}" --provider-url "$PROVIDER_URL" --report "junit=$REPORT" --report "text=$bin/text" \
	--report "markdown=$bin/markdown" --report "github=$bin/annotations" 2>"$bin/errors" || status=$?

# Between these two lines the runner takes nothing for a command, whatever orchestratord says.
word=$RANDOM$RANDOM$RANDOM
echo "::stop-commands::$word"
cat "$bin/errors" "$bin/text" 2>/dev/null || true
echo "::$word::"
if [[ -f $bin/annotations ]]; then
	cat "$bin/annotations"
	cat "$bin/markdown" >>"$GITHUB_STEP_SUMMARY"
else
	echo "::error title=node-registration::orchestratord could not be verified: the log says why"
fi
printf 'report<<%s\n%s\n%s\n' "$word" "$REPORT" "$word" >>"$GITHUB_OUTPUT"
exit $status
