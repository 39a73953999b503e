package main

import (
	"bytes"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) { // field 4
	var printed bytes.Buffer
	if err := run(t.Context(), []string{"-version"}, []string{"B2TRADER_STORE=redis://127.0.0.1"}, &printed, io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := printed.String(); !strings.HasPrefix(got, "b2trader.identity.auth ") || !strings.Contains(got, "\n"+runtime.Version()) {
		t.Errorf("-version = %q, want the module and %s", got, runtime.Version())
	}
	info := &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Path: "b2trader.identity.auth", Version: "v1.2.3"}}
	for _, c := range []struct {
		settings []debug.BuildSetting
		want     string
	}{
		{nil, "b2trader.identity.auth v1.2.3\ngo1.26.0\n"},
		{
			[]debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-26T10:00:00Z"}, {Key: "vcs.modified", Value: "false"}},
			"b2trader.identity.auth v1.2.3\nrevision abc\ncommitted 2026-11-26T10:00:00Z\ngo1.26.0\n",
		},
		{
			[]debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-26T10:00:00Z"}, {Key: "vcs.modified", Value: "true"}},
			"b2trader.identity.auth v1.2.3\nrevision abc with uncommitted changes\ncommitted 2026-11-26T10:00:00Z\ngo1.26.0\n",
		},
	} {
		info.Settings = c.settings
		if got := version(info); got != c.want {
			t.Errorf("version(%v) = %q, want %q", c.settings, got, c.want)
		}
	}
}
