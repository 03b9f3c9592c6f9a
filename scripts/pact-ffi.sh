#!/bin/sh
# Puts libpact_ffi, the library that pact-go links, into .pact/, from the npm
# package that carries it. With the right one in place it needs no network.
set -eu
cd "$(dirname "$0")/.."

version=20.2.0   # of @pact-foundation/pact-core, which holds FFI 0.5.8
pact_go=v2.7.0   # links this FFI; where there is no npm, its installer has to do
dir=.pact

# What npm says of each package, `npm view PACKAGE@VERSION dist.integrity`, in hex.
pins='
linux-x64-glibc   b23da01b00a4ab540f217ad75bb8da18a0269f978920080d51128056a13dcf6fae1195aa2278bf069d8987ac6de0bfa7c87399e45fe967f27517129ffff8a513
linux-x64-musl    68c296100b8b3871306e27d2532ad0088054388779b085633a8c486a302c443ed8080574b93d99b6eebccc43c551b748501e7a34897968d8d76710ea3bc09c7f
linux-arm64-glibc 4eb4defbc43af01d3c980bd65884c45e43100d190b46dbb4c893be13f75be6264af21b9b8a07c5cd325a19a98c7aed546c1bd47f72d4bf4945feec5cdd863912
linux-arm64-musl  0328507191f442c3543dc0474401a96ec7f4a24124e4b894b5376d38702b6ad4cd2c6b88988fc441f166a3372b982f59aa2dc0e0c8e262d6bf4ab0756b150a79
darwin-x64        135760c59f98d68d3846ad5db611cdbf55f0738d53356a66116b9eaeb821f6c14c9333dfe4aa1cccac376ebbdd4b2b8764f5dbd2e39e0ed4d4df9c0f7f2f1e1b
darwin-arm64      a0a492e9009bc4d853578bff4e9b7bd33b0f53950deb456c74747526f5428c9d58cb107720d125218cc17b2c183f34750b5027d527f1d4a38d08f785ca485f98
windows-x64       08f0d0754c72f9b2d9da99e2e305360c1a47ab71a334fe3d9a887daa8249e87641405751ebcc914ad381e716ad8d99de1997627121b71177f1755a314e7dd860
'

fail() {
	echo "pact-ffi: $*" >&2
	exit 1
}

sha512() {
	if command -v sha512sum >/dev/null; then sha512sum "$1"; else shasum -a 512 "$1"; fi | cut -d ' ' -f 1
}

# name_platform prints what the package of this platform is named after: what Go
# builds for, not the machine, which may run a toolchain of another kind.
name_platform() {
	case $(go env GOOS)/$(go env GOARCH) in
	linux/amd64) echo "linux-x64-$(name_libc)" ;;
	linux/arm64) echo "linux-arm64-$(name_libc)" ;;
	darwin/amd64) echo darwin-x64 ;;
	darwin/arm64) echo darwin-arm64 ;;
	windows/amd64) echo windows-x64 ;;
	*) fail "there is no libpact_ffi for $(go env GOOS)/$(go env GOARCH)" ;;
	esac
}

# name_libc asks the C compiler, which may be musl's on a machine of glibc. musl defines no macro.
name_libc() {
	case $(printf '#include <features.h>\n__GLIBC__' | $(go env CC) -E -P - 2>/dev/null) in
	*__GLIBC__) echo musl ;;
	*) echo glibc ;;
	esac
}

fetch_with_npm() {
	package=@pact-foundation/pact-core-$platform@$version
	pin=$(echo "$pins" | awk -v platform="$platform" '$1 == platform { print $2 }')
	# npm's own patience with a network that is not there is more than a minute.
	(cd "$new" && npm pack --prefer-offline --fetch-retry-mintimeout=1000 --loglevel=error "$package" >log 2>&1) ||
		fail "npm cannot fetch $package: $(sed -n 's/^npm [^ ]* code //p' "$new/log")"
	[ "$(sha512 "$new"/*.tgz)" = "$pin" ] || fail "$package is not the one that is pinned: its sha512 differs"
	tar -xzf "$new"/*.tgz -C "$new"
	# That of musl says so in its name; the linker looks for the plain one.
	mv "$new"/package/prebuilds/*/*pact_ffi*".${library##*.}" "$new/$library"
}

# pact-go's installer checks no sum: the library is what TLS vouches for.
fetch_with_pact_go() {
	go run "github.com/pact-foundation/pact-go/v2@$pact_go" install --force --libDir "$new" >"$new/log" 2>&1 || true
	[ -s "$new/$library" ] && return
	why=$(sed '/^exit status/d; s/.*\[ERROR\] //' "$new/log" | tail -n 1)
	fail "npm is missing, and pact-go cannot fetch the library: $why"
}

platform=$(name_platform)
case $platform in
darwin-*) library=libpact_ffi.dylib ;;
windows-*) library=pact_ffi.dll ;;
*) library=libpact_ffi.so ;;
esac

stamp() {
	echo "$version $platform $(sha512 "$1")"
}

if [ -f "$dir/$library" ] && [ "$(cat "$dir/stamp" 2>/dev/null)" = "$(stamp "$dir/$library")" ]; then
	exit
fi

mkdir -p "$dir"
new=$(mktemp -d "$dir/new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 1' INT TERM HUP

if command -v npm >/dev/null; then fetch_with_npm; else fetch_with_pact_go; fi
if [ "$library" = libpact_ffi.dylib ]; then
	# A bare name is not looked up along the rpath. Renaming breaks the signature,
	# and without one an arm64 Mac loads nothing.
	install_name_tool -id "@rpath/$library" "$new/$library" 2>/dev/null
	codesign --force --sign - "$new/$library" 2>/dev/null
fi

# By renaming, so that whoever runs at the same time sees a whole library, old or
# new; the stamp last, so that it never vouches for a library to come.
stamp "$new/$library" >"$new/stamp"
mv -f "$new/$library" "$dir/$library"
mv -f "$new/stamp" "$dir/stamp"
echo "pact-ffi: $dir/$library is ready"
