package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
)

// retryLater is what Retry-After says when nobody knows better.
const retryLater = 5 * time.Second

// statusAbandoned is logged for requests whose browser went away.
const statusAbandoned = 499

var (
	errPanic     = errors.New("a handler panicked")
	errNoSession = errors.New("nobody is signed in")
)

// fault is an error that knows what to tell people. Headline, Explanation and
// Actions are shown; Err is logged and never shown.
type fault struct {
	Status      int
	Code        string // for JSON
	Headline    string
	Explanation string
	Actions     []templates.Link
	RetryAfter  time.Duration // zero: no Retry-After
	Err         error
}

// Error implements error.
func (f *fault) Error() string {
	if f.Err == nil {
		return http.StatusText(f.Status)
	}
	return fmt.Sprintf("%s: %v", http.StatusText(f.Status), f.Err)
}

// Unwrap returns the private cause.
func (f *fault) Unwrap() error { return f.Err }

var (
	linkSignIn  = templates.Link{Text: "Sign in", Href: "/sign-in"}
	linkAccount = templates.Link{Text: "To your account", Href: "/account"}
	linkHome    = templates.Link{Text: "To the start page", Href: "/"}
)

// explain finds what to tell people about err. It fails closed: what it does
// not know is an internal error, told without a detail.
func explain(r *http.Request, err error) *fault {
	f, ok := errors.AsType[*fault](err)
	if !ok {
		f = classify(r, err)
	}
	f = f.withDefaults()
	if f.Err == nil {
		f.Err = err
	}
	return f
}

func classify(r *http.Request, err error) *fault {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &fault{Status: http.StatusRequestEntityTooLarge, Err: tooLarge}
	}
	if later, ok := errors.AsType[*vault.UnavailableError](err); ok {
		return &fault{
			Status: http.StatusServiceUnavailable, Code: "unavailable", RetryAfter: orLater(later.RetryAfter), Err: err,
			Headline:    "Your token could not be renewed just now",
			Explanation: "The IdentityServer does not answer as it should. You are still signed in: try again in a moment.",
			Actions:     []templates.Link{{Text: "Try again", Href: tryAgain(r)}, linkAccount},
		}
	}
	switch {
	case errors.Is(err, vault.ErrNotFound), errors.Is(err, vault.ErrEnded), errors.Is(err, errNoSession):
		return sessionOver(r, err)
	case errors.Is(err, identity.ErrUnavailable):
		return serverUnavailable(err)
	case errors.Is(err, identity.ErrMisconfigured):
		return &fault{
			Status: http.StatusInternalServerError, Code: "misconfigured", Err: err,
			Headline:    "This client is not set up correctly",
			Explanation: "The IdentityServer does not accept this application as the client it says it is. Signing in again cures nothing: tell whoever runs this site, and give them the request below.",
			Actions:     []templates.Link{{Text: "Sign in with another client", Href: "/sign-in"}},
		}
	case errors.Is(err, identity.ErrUnusableAnswer):
		return &fault{
			Status: http.StatusBadGateway, Code: "unusable_answer", Err: err,
			Headline:    "The IdentityServer's answer cannot be trusted",
			Explanation: "It was not what the standards promise, so it was thrown away and nobody is signed in by it. Try once more; if it happens again, tell whoever runs this site.",
			Actions:     []templates.Link{linkSignIn},
		}
	case errors.Is(err, identity.ErrNotSignedIn), errors.Is(err, identity.ErrGrantRefused):
		return &fault{
			Status: http.StatusForbidden, Code: "sign_in_refused", Err: err,
			Headline:    "The IdentityServer refused this sign-in",
			Explanation: "Your password was accepted, but this account may not use the client you chose, or the sign-in took too long. Sign in again, or choose another client.",
			Actions:     []templates.Link{linkSignIn},
		}
	}
	return &fault{Status: http.StatusInternalServerError, Err: err}
}

// serverUnavailable is for a sign-in that the IdentityServer did not answer.
func serverUnavailable(err error) *fault {
	f := &fault{
		Status: http.StatusServiceUnavailable, Code: "unavailable", RetryAfter: retryLater, Err: err,
		Headline:    "The IdentityServer cannot be reached",
		Explanation: "It is down, or slower than it may be. Nothing is wrong with your password. Try again in a moment.",
		Actions:     []templates.Link{{Text: "Try again", Href: "/sign-in"}},
	}
	if e, ok := errors.AsType[*identity.Error](err); ok {
		f.RetryAfter = orLater(e.RetryAfter)
	}
	return f
}

// sessionOver asks to sign in again and leads back to the page asked for.
func sessionOver(r *http.Request, err error) *fault {
	return &fault{
		Status: http.StatusUnauthorized, Code: "no_session", Err: err,
		Headline:    "Your session has ended",
		Explanation: "You signed out, were away for too long, or the IdentityServer ended it. Sign in again to go on.",
		Actions:     []templates.Link{{Text: "Sign in again", Href: signInPath(r)}},
	}
}

// signInPath is the sign-in page that comes back to the page r asks for.
func signInPath(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "/sign-in"
	}
	back := returnTo(r.URL.RequestURI())
	if back == afterSignIn {
		return "/sign-in"
	}
	return "/sign-in?return_to=" + url.QueryEscape(back)
}

// tryAgain is the page to load again: the one asked for, if it can be asked for by GET.
func tryAgain(r *http.Request) string {
	if r.Method == http.MethodGet {
		return returnTo(r.URL.RequestURI())
	}
	return returnTo(r.URL.Path)
}

func orLater(d time.Duration) time.Duration {
	if d <= 0 {
		return retryLater
	}
	return d
}

// withDefaults fills in the words of faults that have no better ones.
func (f *fault) withDefaults() *fault {
	filled := *f
	f = &filled
	words, known := usualWords[f.Status]
	if !known {
		words = usualWords[http.StatusInternalServerError]
	}
	if f.Code == "" {
		f.Code = words.code
	}
	if f.Headline == "" {
		f.Headline = words.headline
	}
	if f.Explanation == "" {
		f.Explanation = words.explanation
	}
	if f.Actions == nil {
		f.Actions = []templates.Link{linkHome}
	}
	return f
}

var usualWords = map[int]struct{ code, headline, explanation string }{
	http.StatusBadRequest: {"bad_request", "This request cannot be understood",
		"A form came in that no page of this site sends. Go back, load the page again and repeat what you did."},
	http.StatusUnauthorized: {"no_session", "You are not signed in", "Sign in to see this page."},
	http.StatusForbidden:    {"forbidden", "This is not for you", "Your account may not do this."},
	http.StatusNotFound: {"not_found", "There is no such page",
		"The address may be mistyped, or the page may have moved. The start page leads everywhere."},
	http.StatusMethodNotAllowed: {"method_not_allowed", "This cannot be done here",
		"The page exists, but not for this kind of request. Open it from the start page instead."},
	http.StatusRequestEntityTooLarge: {"too_large", "That was too much",
		"The request is larger than any form of this site. Shorten what you entered and send it again."},
	http.StatusInternalServerError: {"internal", "Something went wrong here",
		"It is not your fault. Try again; if it happens again, tell whoever runs this site, and give them the request below."},
	http.StatusServiceUnavailable: {"unavailable", "Not available just now", "Try again in a moment."},
}

// abandoned reports whether err only says that the browser went away.
func abandoned(r *http.Request, err error) bool {
	return errors.Is(r.Context().Err(), context.Canceled) && err != nil
}
