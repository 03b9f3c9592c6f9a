//go:build pact

package libpact

import (
	"cmp"
	"os"
	"slices"
	"strings"
)

// bypassProxy keeps the library from sending the requests for a host through a
// proxy that the environment names. The library heeds NO_PROXY before no_proxy, and
// others the other way round: each stands in for the other where that is empty.
func bypassProxy(host string) error {
	upper, lower := os.Getenv("NO_PROXY"), os.Getenv("no_proxy")
	if err := os.Setenv("NO_PROXY", with(host, cmp.Or(upper, lower))); err != nil {
		return err
	}
	return os.Setenv("no_proxy", with(host, cmp.Or(lower, upper)))
}

// with adds a host to a list of hosts that has it not.
func with(host, list string) string {
	if slices.Contains(strings.Split(list, ","), host) {
		return list
	}
	return strings.Trim(list+","+host, ",")
}
