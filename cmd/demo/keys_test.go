package main

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"
)

func TestKeys(t *testing.T) {
	var stdout bytes.Buffer
	if err := run(t.Context(), []string{"-generate-session-key"}, nil, &stdout, io.Discard); err != nil {
		t.Fatal(err)
	}
	made := stdout.String()
	other := newKeyLine(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC))
	if !strings.HasPrefix(other, "2026-01-02-") || strings.Count(made, "\n") != 1 || made == other {
		t.Errorf("made %q and %q", made, other)
	}
	keys, err := readKeys(secretFile(t, "# the keys\n\n"+made+"\r\n"+other))
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(made, ":")
	if len(keys) != 2 || keys[0].ID != id || len(keys[0].Secret) != 32 || bytes.Equal(keys[0].Secret, keys[1].Secret) {
		t.Errorf("read %v", keys)
	}
}

// Every bad line is named with its file, and none is shown. req 123
func TestBadKeys(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("s"), 32))
	file := secretFile(t, "a:"+secret+"\n"+secret+"\na:"+secret)
	_, err := readKeys(file)
	if err == nil {
		t.Fatal("bad keys are accepted")
	}
	for _, want := range []string{"-session-keys-file " + file + ": line 2 ", "-session-keys-file " + file + ": line 3 "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), secret[:20]) {
		t.Error("the error shows a key")
	}
	if _, err := readKeys("/does/not/exist"); err == nil || !strings.Contains(err.Error(), "-session-keys-file") {
		t.Errorf("got %v", err)
	}
}
