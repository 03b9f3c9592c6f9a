#!/bin/sh
# What there is to do with a Pact Broker besides verifying, by Pact's standard
# command line, pact-broker, which has to be installed. It reads the broker's address
# and token from PACT_BROKER_BASE_URL and PACT_BROKER_TOKEN.
set -eu
cd "$(dirname "$0")/.."

usage() {
	cat >&2 <<-END
	usage: pact-broker.sh publish VERSION BRANCH
	       pact-broker.sh can-i-deploy PARTICIPANT VERSION ENVIRONMENT
	       pact-broker.sh record-deployment PARTICIPANT VERSION ENVIRONMENT

	A participant is pool-managerd or orchestratord.
	END
	exit 2
}

[ $# -ge 1 ] || usage
command -v pact-broker >/dev/null || {
	echo "pact-broker.sh: pact-broker is missing: install Pact's command line" >&2
	exit 2
}
[ -n "${PACT_BROKER_BASE_URL:-}" ] || {
	echo "pact-broker.sh: PACT_BROKER_BASE_URL is not set" >&2
	exit 2
}

case $1 in
publish)
	[ $# -eq 3 ] || usage
	exec pact-broker publish contracts/pacts --consumer-app-version "$2" --branch "$3"
	;;
can-i-deploy)
	[ $# -eq 4 ] || usage
	exec pact-broker can-i-deploy --pacticipant "$2" --version "$3" --to-environment "$4"
	;;
record-deployment)
	[ $# -eq 4 ] || usage
	exec pact-broker record-deployment --pacticipant "$2" --version "$3" --environment "$4"
	;;
*) usage ;;
esac
