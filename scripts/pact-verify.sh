#!/bin/sh
# Puts what the release has of pact-verify for this platform into bin/release/OS_ARCH/: the
# program, its library, which it looks for beside itself, and the pact. It needs a C compiler, so
# that each platform builds its own, and Linux that of Windows (GOOS=windows GOARCH=amd64
# CC=x86_64-w64-mingw32-gcc). What is built for musl (CC=musl-gcc) goes into OS_ARCH_musl/.
set -eu
cd "$(dirname "$0")/.."

scripts/pact-ffi.sh
platform=$(go env GOOS)_$(go env GOARCH)
if grep -q musl .pact/stamp; then platform=${platform}_musl; fi
case $platform in
darwin_*) library=libpact_ffi.dylib beside=-Wl,-rpath,@loader_path ;;
windows_*) library=pact_ffi.dll beside= ;; # it always looks there first
*) library=libpact_ffi.so beside=-Wl,-rpath,\$ORIGIN ;;
esac
rm -rf "bin/release/$platform"
mkdir -p "bin/release/$platform"
CGO_ENABLED=1 go build -trimpath -tags pact,dist -ldflags "-s -w -extldflags '$beside'" \
	-o "bin/release/$platform/" ./cmd/pact-verify
cp ".pact/$library" contracts/pacts/*.json "bin/release/$platform/"
