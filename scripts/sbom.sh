#!/bin/sh
# Writes a list of the modules in a program, with Go's standard library, in CycloneDX's format.
# The same program gives the same list.
set -eu

[ $# -eq 2 ] || {
	echo "usage: sbom.sh PROGRAM FILE" >&2
	exit 2
}
go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0 bin \
	-json -std -noserial -notimestamp -output "$2" "$1"
