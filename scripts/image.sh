#!/usr/bin/env bash
# Makes the images of the Dockerfile without a registry or a daemon, by umoci: OCI layouts in
# bin/image/, or in the directory that is named, each named after its program.
set -euo pipefail

layouts=${1:-$(dirname "$0")/../bin/image}
mkdir -p -- "$layouts"
layouts=$(cd -- "$layouts" && pwd)
cd "$(dirname "$0")/.."

command -v umoci >/dev/null || {
	echo "image: umoci is missing: apt-get install umoci" >&2
	exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for program in mock-orchestratord nodesim nodecontract; do
	image=$layouts/$program:latest
	rm -rf "${layouts:?}/$program"
	umoci init --layout "$layouts/$program"
	umoci new --image "$image"
	umoci unpack --rootless --image "$image" "$work/$program" >/dev/null
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o "$work/$program/rootfs/program" "./cmd/$program"
	mkdir -p "$work/$program/rootfs/etc/ssl/certs"
	cp /etc/ssl/certs/ca-certificates.crt "$work/$program/rootfs/etc/ssl/certs/"
	umoci repack --image "$image" "$work/$program" >/dev/null
	umoci config --image "$image" --config.user 65532:65532 --config.entrypoint /program
	echo "image: $image"
done
