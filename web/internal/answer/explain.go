package answer

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
)

// Explain returns the Error to answer err with. An unknown error becomes an
// internal one, which tells no detail.
func Explain(r *http.Request, err error) *Error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = classify(r, err)
	}
	return e.withDefaults(err)
}

func classify(r *http.Request, err error) *Error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &Error{Status: http.StatusRequestEntityTooLarge, Err: tooLarge}
	}
	if later, ok := errors.AsType[*vault.UnavailableError](err); ok {
		return &Error{
			Status: http.StatusServiceUnavailable, Code: "unavailable.renewal", RetryAfter: OrLater(later.RetryAfter),
			Actions: []templates.Action{templates.ActionTryAgain.To(tryAgainPath(r)), templates.ActionAccount},
		}
	}
	switch {
	case errors.Is(err, ErrNoSession), sessionOver(err):
		return &Error{
			Status: http.StatusUnauthorized, Code: "no_session",
			Actions: []templates.Action{templates.ActionSignInAgain.To(signInPath(r, false))},
		}
	case errors.Is(err, tokenapi.ErrUnavailable):
		return &Error{
			Status: http.StatusServiceUnavailable, Code: "unavailable.identity", RetryAfter: delayAskedFor(err),
			Actions: []templates.Action{templates.ActionTrySignInAgain},
		}
	case errors.Is(err, tokenapi.ErrMisconfigured):
		return &Error{
			Status: http.StatusInternalServerError, Code: "misconfigured", Actions: []templates.Action{templates.ActionOtherClient},
		}
	case errors.Is(err, tokenapi.ErrUnusableAnswer):
		return &Error{Status: http.StatusBadGateway, Code: "unusable_answer", Actions: []templates.Action{templates.ActionSignIn}}
	case errors.Is(err, tokenapi.ErrNotSignedIn), errors.Is(err, tokenapi.ErrGrantRefused):
		return &Error{Status: http.StatusForbidden, Code: "sign_in_refused", Actions: []templates.Action{templates.ActionSignIn}}
	}
	return &Error{Status: http.StatusInternalServerError}
}

// sessionOver reports whether err says that the session's entry in the vault
// has ended or was deleted.
func sessionOver(err error) bool {
	return errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrEnded)
}

func delayAskedFor(err error) time.Duration {
	if e, ok := errors.AsType[*tokenapi.Error](err); ok {
		return OrLater(e.RetryAfter)
	}
	return RetryLater
}

// OrLater returns d, or [RetryLater] if d is not positive.
func OrLater(d time.Duration) time.Duration { return cmp.Or(max(d, 0), RetryLater) }

// signInPath returns the sign-in page that leads back to the page that r asks
// for. If ended is set, the page says that the session has ended.
func signInPath(r *http.Request, ended bool) string {
	query := url.Values{}
	if ended {
		query.Set("done", "ended")
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		if back := ReturnTo(r.URL.RequestURI()); back != AfterSignIn {
			query.Set("return_to", back)
		}
	}
	return (&url.URL{Path: "/sign-in", RawQuery: query.Encode()}).String()
}

// tryAgainPath returns the page to load again: the one that r asks for.
func tryAgainPath(r *http.Request) string {
	if r.Method == http.MethodGet {
		return ReturnTo(r.URL.RequestURI())
	}
	return ReturnTo(r.URL.Path)
}
