package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
)

// platformWords are what errors of platforms mean for people, the first that
// fits. All clients use the same sentinels; %s is the platform's name.
var platformWords = []struct {
	err    error
	status int
	words  string
}{
	{vault.ErrEnded, http.StatusConflict, "%s ended this sign-in. Sign in again."},
	{vault.ErrNotFound, http.StatusConflict, "You are not signed in to %s any more. Sign in again."},
	{identity.ErrBadCredentials, http.StatusUnprocessableEntity, "%s does not accept this account's credentials. Correct the configured ones; no restart is needed."},
	{identity.ErrMisconfigured, http.StatusInternalServerError, "%s does not accept this application as it is configured, or its configured address is wrong. Signing in again cures nothing: tell whoever runs this site."},
	{identity.ErrUnusableAnswer, http.StatusBadGateway, "The answer of %s is not what it promises, so it was thrown away. Try once more; if it happens again, tell whoever runs this site."},
	{identity.ErrNotSignedIn, http.StatusForbidden, "%s refused this sign-in: the account may not use this application."},
	{identity.ErrGrantRefused, http.StatusForbidden, "%s does not accept what was to be exchanged for a token. Sign in again."},
	{identity.ErrUnavailable, http.StatusServiceUnavailable, "%s does not answer: it is down, too slow, or its address is wrong."},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "%s did not answer in time."},
}

// platformProblem is an error of a platform, in words.
type platformProblem struct {
	Status      int
	Explanation string
	RetryAfter  time.Duration
	Err         error
}

func (f *platformProblem) level() slog.Level {
	return answer.Level(&answer.Error{Status: f.Status, Err: f.Err})
}

// platformFault is explain for an error of a platform, and names it: its
// Explanation is all that is shown. A sign-in that is kept is said to be.
func platformFault(p Platform, err error) *platformProblem {
	f := &platformProblem{
		Status: http.StatusInternalServerError, Err: err,
		Explanation: "Something went wrong here, not at " + p.Name + ". Tell whoever runs this site: its log says more.",
	}
	later, kept := errors.AsType[*vault.UnavailableError](err)
	if kept {
		f.Explanation = "The token of " + p.Name + " could not be had just now."
	}
	for _, w := range platformWords {
		if errors.Is(err, w.err) {
			f.Status, f.Explanation = w.status, fmt.Sprintf(w.words, p.Name)
			break
		}
	}
	if e, ok := errors.AsType[*identity.Error](err); ok && errors.Is(e, identity.ErrMisconfigured) && !e.Sent {
		f.Explanation = "This server cannot sign in to " + p.Name + " as it is configured: the password's file may be missing. " +
			"Nothing was sent. Tell whoever runs this site: its log says what is wrong."
	}
	if e, ok := errors.AsType[*identity.Error](err); ok && errors.Is(e, identity.ErrUnavailable) {
		f.RetryAfter = answer.OrLater(e.RetryAfter)
		switch {
		case errors.Is(e, tokenapi.ErrNoBearer) && e.RetryAfter > 0:
			f.Explanation = p.Name + " wants to see another system's token first, which could not be had just now."
		case errors.Is(e, tokenapi.ErrNoBearer):
			f.Explanation = p.Name + " wants to see another system's token first. The one that this server was given is missing, or has expired: " +
				"whoever runs this site must put a new one where the configuration says. No restart is needed."
		case e.StatusCode != 0:
			f.Explanation = fmt.Sprintf("%s could not give out a token just now: it answered %s.", p.Name, statusText(e.StatusCode))
		case !e.Sent:
			f.Explanation = p.Name + " could not be asked for a token: it cannot be reached, or its certificate is not trusted. The log says which."
		}
	}
	if paused, ok := errors.AsType[*identity.PausedError](err); ok {
		f.Status, f.RetryAfter = http.StatusServiceUnavailable, paused.RetryAfter
		if paused.Err == nil {
			f.Explanation = fmt.Sprintf("This server signed in to %s a moment ago, and leaves time between two sign-ins.", p.Name)
		} else {
			f.Explanation += " This server waits before it asks again, so that the account is not locked."
		}
	}
	if kept {
		f.Status, f.RetryAfter = http.StatusServiceUnavailable, later.RetryAfter
	}
	if f.RetryAfter > 0 && waitingHelps(err) {
		f.Explanation += " Try again in " + inWords(f.RetryAfter) + "."
	}
	if kept {
		f.Explanation += " The sign-in is kept."
	}
	return f
}

// waitingHelps reports whether an error may pass without anybody doing something.
func waitingHelps(err error) bool {
	e, ok := errors.AsType[*identity.Error](err)
	stale := ok && errors.Is(e, tokenapi.ErrNoBearer) && e.RetryAfter == 0
	return !stale && !errors.Is(err, identity.ErrMisconfigured)
}

// vendorCode is the platform's own code for what went wrong, or empty.
func vendorCode(err error) string {
	if e, ok := errors.AsType[*identity.Error](err); ok {
		return e.Code
	}
	return ""
}
