package tokenapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/tokenapi"
)

// The text is the behaviour: operators read it in logs.
func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		e    tokenapi.Error
		want string
	}{
		{
			tokenapi.Error{Path: "/token/refresh/", StatusCode: 401, Code: "2007", Description: "No active account", TraceID: "00-1", Sent: true, Err: tokenapi.ErrGrantRefused},
			"b2binpay: refresh token: the grant was refused (HTTP 401 from /token/refresh/): 2007: No active account; sign in again [trace 00-1]",
		},
		{
			tokenapi.Error{Path: "/token/", Description: "connection refused", Err: tokenapi.ErrUnavailable},
			"b2binpay: refresh token: the server is unavailable (no answer from /token/): connection refused; try again later",
		},
		{tokenapi.Error{StatusCode: 404, Err: tokenapi.ErrMisconfigured}, "b2binpay: refresh token: the client does not match the server's configuration (HTTP 404); check the Config"},
		{tokenapi.Error{Err: errors.New("another")}, "b2binpay: refresh token: another"},
	} {
		c.e.System, c.e.Op = "b2binpay", "refresh token"
		if got := c.e.Error(); got != c.want {
			t.Errorf("Error() = %q, want %q", got, c.want)
		}
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
		t.Errorf("printed %s, %v, want every secret redacted", text, err)
	}
	if s.Reveal() != hidden || s.IsZero() || !tokenapi.NewSecret("").IsZero() {
		t.Errorf("Reveal() = %q, want %q, and IsZero only for an empty secret", s.Reveal(), hidden)
	}
	if fixed, err := tokenapi.Fixed(hidden)(t.Context()); err != nil || fixed.Reveal() != hidden || errors.Is(err, tokenapi.ErrUnavailable) {
		t.Errorf("Fixed() = %v, %v, want the secret", fixed, err)
	}
}
