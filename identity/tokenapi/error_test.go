package tokenapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

func TestErrorSays(t *testing.T) {
	e := &tokenapi.Error{
		System: "b2binpay", Op: "refresh token", StatusCode: 401, Code: "2007", Description: "No active account", TraceID: "00-1",
		RetryAfter: 3 * time.Second, Sent: true, Err: tokenapi.ErrGrantRefused,
	}
	if got, want := e.Error(), "b2binpay: refresh token: the grant was refused (HTTP 401): 2007: No active account [trace 00-1]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSecretHides(t *testing.T) {
	const hidden = "pa55w0rd"
	s := tokenapi.NewSecret(hidden)
	raw, err := json.Marshal(struct{ S tokenapi.Secret }{s})
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "s", s)
	text := fmt.Sprintf("%v %+v %#v %s %x %v %+v", s, s, s, s, s, struct{ s tokenapi.Secret }{s}, []any{&s}) + string(raw) + log.String()
	if err != nil || strings.Contains(text, hidden) || strings.Contains(text, fmt.Sprintf("%x", hidden)) || !strings.Contains(text, tokenapi.Redacted) {
		t.Errorf("got %s, %v", text, err)
	}
	if s.Reveal() != hidden || s.IsZero() || !tokenapi.NewSecret("").IsZero() {
		t.Error("a secret is what it hides")
	}
	if fixed, err := tokenapi.Fixed(hidden)(t.Context()); err != nil || fixed.Reveal() != hidden || errors.Is(err, tokenapi.ErrUnavailable) {
		t.Errorf("got %v, %v", fixed, err)
	}
}
