#!/bin/sh
# Puts what the release has of pact-verify for this platform into bin/release/OS_ARCH/: the
# program, its library, which it looks for beside itself, and the pact. It needs a C compiler, so
# that each platform builds its own.
set -eu
cd "$(dirname "$0")/.."

scripts/pact-ffi.sh
platform=$(go env GOOS)_$(go env GOARCH)
case $platform in
darwin_*) beside=@loader_path ;;
*) beside=\$ORIGIN ;;
esac
rm -rf "bin/release/$platform"
mkdir -p "bin/release/$platform"
CGO_ENABLED=1 go build -trimpath -tags pact,dist -ldflags "-s -w -extldflags '-Wl,-rpath,$beside'" \
	-o "bin/release/$platform/" ./cmd/pact-verify
cp .pact/libpact_ffi.* contracts/pacts/*.json "bin/release/$platform/"
