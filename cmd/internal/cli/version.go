package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// version says what a program was built from: the version of its module, the commit where
// the build knows it, Go's version and the platform.
func version(build *debug.BuildInfo) string {
	parts := []string{build.Main.Version}
	if parts[0] == "" {
		parts[0] = "(devel)"
	}
	settings := map[string]string{}
	for _, setting := range build.Settings {
		settings[setting.Key] = setting.Value
	}
	if commit := settings["vcs.revision"]; commit != "" {
		changed := ""
		if settings["vcs.modified"] == "true" {
			changed = " with changes"
		}
		parts = append(parts, fmt.Sprintf("commit %.12s of %s%s", commit, settings["vcs.time"], changed))
	}
	parts = append(parts, build.GoVersion, runtime.GOOS+"/"+runtime.GOARCH)
	return strings.Join(parts, ", ")
}

// versionOfThis is the version of the running program.
func versionOfThis() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	return version(build)
}
