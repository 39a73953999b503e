package tokenapi_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

func TestErrorOutcome(t *testing.T) {
	for _, c := range []struct {
		e    tokenapi.Error
		want tokenapi.OutcomeKind
	}{
		{tokenapi.Error{Err: tokenapi.ErrGrantRefused}, tokenapi.Refused},
		{tokenapi.Error{Err: fmt.Errorf("%w: because", tokenapi.ErrNotSignedIn)}, tokenapi.Refused},
		{tokenapi.Error{Err: fmt.Errorf("%w: %w", tokenapi.ErrUnusableAnswer, tokenapi.ErrGrantRefused), StatusCode: 200, Sent: true}, tokenapi.Refused},
		{tokenapi.Error{Err: tokenapi.ErrMisconfigured}, tokenapi.Misconfigured},
		{tokenapi.Error{Err: tokenapi.ErrUnavailable}, tokenapi.NotSent},
		{tokenapi.Error{Err: tokenapi.ErrUnavailable, Sent: true}, tokenapi.Unanswered},
		{tokenapi.Error{Err: tokenapi.ErrUnavailable, Sent: true, StatusCode: 503}, tokenapi.Transient},
		{tokenapi.Error{Err: tokenapi.ErrBadCredentials, Sent: true, StatusCode: 400}, tokenapi.Transient},
		{tokenapi.Error{Err: tokenapi.ErrUnusableAnswer, Sent: true, StatusCode: 200}, tokenapi.Transient},
	} {
		c.e.RetryAfter = 3 * time.Second
		want := tokenapi.Outcome{Kind: c.want, RetryAfter: 3 * time.Second}
		if got := tokenapi.OutcomeOf(fmt.Errorf("a caller: %w", &c.e)); got != want {
			t.Errorf("OutcomeOf(%+v) = %v, want %v", c.e, got, want)
		}
	}
}

func TestWithOutcome(t *testing.T) {
	cause := errors.New("cause")
	refused := tokenapi.WithOutcome(cause, tokenapi.Outcome{Kind: tokenapi.Refused})
	if !errors.Is(refused, cause) || refused.Error() != "cause" {
		t.Errorf("WithOutcome(%v) = %v, want an error that wraps it and reads alike", cause, refused)
	}
	for _, c := range []struct {
		err  error
		want tokenapi.OutcomeKind
	}{
		{nil, tokenapi.Transient},
		{cause, tokenapi.Transient},
		{refused, tokenapi.Refused},
		{fmt.Errorf("a caller: %w", refused), tokenapi.Refused},
		{errors.Join(cause, refused), tokenapi.Refused},
		{tokenapi.WithOutcome(refused, tokenapi.Outcome{Kind: tokenapi.NotSent}), tokenapi.NotSent}, // the outermost counts
	} {
		if got := tokenapi.OutcomeOf(c.err).Kind; got != c.want {
			t.Errorf("OutcomeOf(%v) = %v, want %v", c.err, got, c.want)
		}
	}
	if got := tokenapi.OutcomeKind(9).String(); got != "unknown" {
		t.Errorf("OutcomeKind(9).String() = %q, want unknown", got)
	}
}

func ExampleWithOutcome() {
	refusal := errors.New("our own API: the refresh token has expired")
	err := tokenapi.WithOutcome(refusal, tokenapi.Outcome{Kind: tokenapi.Refused})
	fmt.Println(tokenapi.OutcomeOf(err).Kind, "-", err)
	// Output: refused - our own API: the refresh token has expired
}
