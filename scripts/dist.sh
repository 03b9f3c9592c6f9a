#!/usr/bin/env bash
# Makes what a release consists of, in dist/: for each platform an archive of the programs, with
# lists of the modules in them (CycloneDX), and the checksums of all archives. PLATFORMS names
# fewer platforms, DIST another directory, which is empty or has an earlier release to replace.
# WITHOUT_SBOM leaves the lists out.
# Where this machine has a C compiler and the Pact library, pact-verify is in the archive of its
# own platform, with the library beside it.
set -euo pipefail

dist=${DIST:-$(dirname "$0")/../dist}
mkdir -p -- "$dist"
dist=$(cd -- "$dist" && pwd)
if [[ -n $(ls -A "$dist") && ! -e $dist/checksums.txt ]]; then
	echo "dist: $dist has files that are of no release: name an empty directory in DIST" >&2
	exit 1
fi
rm -f "$dist"/node-registration_*
: >"$dist/checksums.txt" # marks the directory, should this be interrupted
cd "$(dirname "$0")/.."

version=${1:-$(git describe --tags --match 'v*' --always --dirty 2>/dev/null || echo snapshot)}
version=${version#v}
platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}
host=$(go env GOHOSTOS)/$(go env GOHOSTARCH)
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# pact_verify adds pact-verify to a directory, which looks for its library there.
pact_verify() {
	scripts/pact-ffi.sh
	cp .pact/libpact_ffi.* "$1"
	local origin=\$ORIGIN
	if [[ $host == darwin/* ]]; then origin=@loader_path; fi
	CGO_ENABLED=1 go build -trimpath -tags pact,dist -ldflags "-s -w -extldflags '-Wl,-rpath,$origin'" \
		-o "$1" ./cmd/pact-verify
}

# archive writes the archive of a platform's directory.
archive() {
	if [[ $1 == *_windows_* ]]; then
		(cd "$work" && zip -qr "$dist/$1.zip" "$1")
	else
		tar -C "$work" --owner=0 --group=0 -czf "$dist/$1.tar.gz" "$1"
	fi
}

for platform in $platforms; do
	name=node-registration_${version}_${platform/\//_}
	mkdir "$work/$name"
	GOOS=${platform%/*} GOARCH=${platform#*/} CGO_ENABLED=0 \
		go build -trimpath -ldflags "-s -w" -o "$work/$name/" ./cmd/mock-orchestratord ./cmd/nodesim ./cmd/nodecontract
	if [[ $platform == "$host" ]]; then pact_verify "$work/$name/"; fi
	cp LICENSE README.md CHANGELOG.md "$work/$name"
	if [[ -z ${WITHOUT_SBOM-} ]]; then
		for program in "$work/$name"/{mock-orchestratord,nodesim,nodecontract}*; do
			GOWORK=off go run "$sbom" bin -json -output "$program.cdx.json" "$program"
		done
	fi
	archive "$name"
	echo "dist: $name"
done
cd "$dist"
if ! command -v sha256sum >/dev/null; then sha256sum() { shasum -a 256 "$@"; }; fi
sha256sum node-registration_* >checksums.txt
