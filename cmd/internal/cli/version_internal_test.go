package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	vcs := []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.time", Value: "2026-11-27T10:11:12Z"},
	}
	changed := append(vcs[:2:2], debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	for want, build := range map[string]debug.BuildInfo{
		"(devel), go1.26.8, " + platform: {GoVersion: "go1.26.8"},
		"v0.1.0, go1.26.8, " + platform:  {GoVersion: "go1.26.8", Main: debug.Module{Version: "v0.1.0"}},
		"v0.1.0, commit 0123456789ab of 2026-11-27T10:11:12Z, go1.26.8, " + platform: {
			GoVersion: "go1.26.8", Main: debug.Module{Version: "v0.1.0"}, Settings: vcs,
		},
		"v0.1.0, commit 0123456789ab of 2026-11-27T10:11:12Z with changes, go1.26.8, " + platform: {
			GoVersion: "go1.26.8", Main: debug.Module{Version: "v0.1.0"}, Settings: changed,
		},
	} {
		if got := version(&build); got != want {
			t.Errorf("version is %q, want %q", got, want)
		}
	}
}
