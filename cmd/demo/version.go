package main

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// version returns what the Go toolchain noted of the build, a line each: the
// module's version, the revision and its time, and the version of Go. A build
// outside of a checkout has no revision.
func version(info *debug.BuildInfo) string {
	lines := []string{info.Main.Path + " " + info.Main.Version}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" {
		if settings["vcs.modified"] == "true" {
			revision += " with uncommitted changes"
		}
		lines = append(lines, "revision "+revision, "committed "+settings["vcs.time"])
	}
	return fmt.Sprintln(strings.Join(append(lines, info.GoVersion), "\n"))
}
