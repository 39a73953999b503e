package showcase

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web"
)

// meanings are what errors of platforms mean to users; the first that fits is
// used. All clients have the same sentinels. %s is the platform's name.
var meanings = []struct {
	err    error
	status int
	words  string
}{
	{vault.ErrEnded, http.StatusConflict, "%s ended this sign-in. Sign in again."},
	{vault.ErrNotFound, http.StatusConflict, "You are not signed in to %s any more. Sign in again."},
	{tokenapi.ErrBadCredentials, http.StatusUnprocessableEntity, "%s does not accept this account's credentials. Correct the configured ones; no restart is needed."},
	{tokenapi.ErrMisconfigured, http.StatusInternalServerError, "%s does not accept this application as it is configured, or its configured address is wrong. Signing in again does not help: tell the operator of this site."},
	{tokenapi.ErrUnusableAnswer, http.StatusBadGateway, "The answer of %s does not follow its protocol, so this server did not use it. Try once more; if it happens again, tell the operator of this site."},
	{tokenapi.ErrNotSignedIn, http.StatusForbidden, "%s refused this sign-in: the account may not use this application."},
	{tokenapi.ErrGrantRefused, http.StatusForbidden, "%s does not accept what was to be exchanged for a token. Sign in again."},
	{tokenapi.ErrUnavailable, http.StatusServiceUnavailable, "%s does not answer: it is down, too slow, or its address is wrong."},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "%s did not answer in time."},
}

// explain says what an error of a platform means to users, and names the
// platform. If the sign-in is kept, the explanation says so.
func explain(p Platform, err error) *web.Error {
	told := &web.Error{
		Status: http.StatusInternalServerError, Err: err,
		Explanation: "Something went wrong here, not at " + p.Name + ". Tell the operator of this site: the log has the cause.",
	}
	later, kept := errors.AsType[*vault.UnavailableError](err)
	if kept {
		told.Explanation = "The token of " + p.Name + " is not available just now."
	}
	for _, m := range meanings {
		if errors.Is(err, m.err) {
			told.Status, told.Explanation = m.status, fmt.Sprintf(m.words, p.Name)
			break
		}
	}
	if e, ok := errors.AsType[*tokenapi.Error](err); ok {
		explainRequest(told, p, e)
	}
	if paused, ok := errors.AsType[*tokenapi.PausedError](err); ok {
		told.Status, told.RetryAfter = http.StatusServiceUnavailable, paused.RetryAfter
		switch {
		case paused.Err == nil:
			told.Explanation = fmt.Sprintf("This server signed in to %s a moment ago, and leaves time between two sign-ins.", p.Name)
		case errors.Is(paused.Err, tokenapi.ErrBadCredentials):
			told.Explanation += " This server waits before it asks again, so that the account is not locked."
		default:
			told.Explanation += " This server waits before it asks again."
		}
	}
	if kept {
		told.Status, told.RetryAfter = http.StatusServiceUnavailable, later.RetryAfter
	}
	if told.RetryAfter > 0 && waitingHelps(err) {
		told.Explanation += " Try again in " + inSeconds(told.RetryAfter) + "."
	}
	if kept {
		told.Explanation += " The sign-in is kept."
	}
	return told
}

// explainRequest adds what the failed request says beyond its sentinel.
func explainRequest(told *web.Error, p Platform, e *tokenapi.Error) {
	if errors.Is(e, tokenapi.ErrMisconfigured) && !e.Sent {
		told.Explanation = "This server cannot sign in to " + p.Name + " as it is configured: the password's file may be missing. " +
			"Nothing was sent. Tell the operator of this site: the log has the cause."
	}
	if !errors.Is(e, tokenapi.ErrUnavailable) {
		return
	}
	told.RetryAfter = cmp.Or(max(e.RetryAfter, 0), 5*time.Second)
	switch {
	case errors.Is(e, tokenapi.ErrNoBearer) && e.RetryAfter > 0:
		told.Explanation = p.Name + " needs a token of another system first, and that is not available just now."
	case errors.Is(e, tokenapi.ErrNoBearer):
		told.Explanation = p.Name + " needs a token of another system first. The one that this server was given is missing or has expired: " +
			"the operator of this site must put a new one into the configured file. No restart is needed."
	case e.StatusCode != 0:
		told.Explanation = fmt.Sprintf("%s could not give out a token just now: it answered %s.", p.Name, statusLine(e.StatusCode))
	case !e.Sent:
		told.Explanation = "This server could not ask " + p.Name + " for a token: it cannot be reached, or its certificate is not trusted. The log says which."
	}
}

// waitingHelps reports whether an error may pass by itself.
func waitingHelps(err error) bool {
	e, ok := errors.AsType[*tokenapi.Error](err)
	stale := ok && errors.Is(e, tokenapi.ErrNoBearer) && e.RetryAfter == 0
	return !stale && !errors.Is(err, tokenapi.ErrMisconfigured)
}

// vendorCode returns the platform's own code for an error, or "".
func vendorCode(err error) string {
	if e, ok := errors.AsType[*tokenapi.Error](err); ok {
		return e.Code
	}
	return ""
}

// inSeconds formats d in whole seconds, rounded up, and at least one.
func inSeconds(d time.Duration) string {
	if n := max(1, int((d+time.Second-1)/time.Second)); n != 1 {
		return fmt.Sprintf("%d seconds", n)
	}
	return "a second"
}
