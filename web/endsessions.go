package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sync/errgroup"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/session"
)

const (
	remoteSignOutWait  = 5 * time.Second // for a request to wait for the sign-out at the IdentityServer
	remoteSignOutLimit = time.Minute     // for each one in the background
	remoteSignOuts     = 8               // at the same time, for one request
	timeOuts           = 16              // at the same time, of sessions that have timed out
	deletions          = 32              // of sessions at the same time
)

// revocation is what the IdentityServer is asked to revoke.
type revocation int

const (
	revokeSession      revocation = iota // the refresh token of the session
	revokeAll                            // all refresh tokens of the user for the session's client
	revokeInBackground                   // as revokeSession, but without a renewal; the IdentityServer itself ended the session and waits for the answer
)

// sessionEnder ends sessions: first the session itself, then its tokens, which
// ends its streams in every process, and then what the IdentityServer knows of
// it.
type sessionEnder struct {
	*site

	work    context.Context    //nolint:containedctx // of the work in the background
	cut     context.CancelFunc // ends work
	running sync.WaitGroup
}

func newSessionEnder(s *site) *sessionEnder {
	e := &sessionEnder{site: s}
	e.work, e.cut = context.WithCancel(context.Background())
	return e
}

// end ends sessions in every process, several at the same time. It goes on past
// failures.
//
// Errors: *answer.Error, which says how many sessions are left.
func (e *sessionEnder) end(ctx context.Context, list []session.Session, what revocation) error {
	left := e.deleteSessions(ctx, list, what)
	return leftError(left, len(list))
}

// endAll ends all sessions of a user but those of the group except, in every
// process at once, and returns how many there were. The first write ends them.
// What follows deletes them and their tokens. Of the session of own, it deletes
// the tokens only.
//
// Errors: *[session.StoreError], and those of end.
func (e *sessionEnder) endAll(ctx context.Context, owner, except string, what revocation, own ...user) (int, error) {
	list, err := e.sessions.Stored(ctx, owner)
	if err != nil {
		return 0, err
	}
	if err := e.sessions.EndAll(ctx, owner, except); err != nil {
		return 0, err
	}
	list = slices.DeleteFunc(list, func(s session.Session) bool {
		return except != "" && s.User.Group == except ||
			slices.ContainsFunc(own, func(u user) bool { return u.VaultKey == s.User.VaultKey })
	})
	left := e.deleteSessions(ctx, list, what, own...)
	left = slices.DeleteFunc(left, func(f failedEnd) bool { return f.session.User.Group != "" }) // it has ended
	return len(list), leftError(left, len(list))
}

// failedEnd is a session that could not be deleted.
type failedEnd struct {
	session session.Session
	err     error
}

// deleteSessions deletes sessions, each together with its tokens, and returns
// those that it could not delete. Of the sessions of own, it deletes the tokens
// only.
func (e *sessionEnder) deleteSessions(ctx context.Context, list []session.Session, what revocation, own ...user) []failedEnd {
	ctx = context.WithoutCancel(ctx)
	errs, entries := make([]error, len(list)), make([]*vault.Entry, len(list), len(list)+len(own))
	var group errgroup.Group
	group.SetLimit(deletions)
	for i, s := range list {
		group.Go(func() error {
			errs[i] = e.sessions.EndAt(ctx, s.ID)
			entries[i] = e.deleteTokens(ctx, s.User)
			return nil
		})
	}
	_ = group.Wait()
	for _, u := range own {
		entries = append(entries, e.deleteTokens(ctx, u))
	}
	e.revokeBehind(ctx, what, entries...)
	var left []failedEnd
	for i, err := range errs {
		if err != nil {
			e.events.record(ctx, eventSessionNotDeleted, "user", list[i].User.Owner, "error", err)
			left = append(left, failedEnd{list[i], err})
		}
	}
	return left
}

// leftError returns the error of an end of sessions that left some, or nil.
func leftError(left []failedEnd, of int) error {
	if len(left) == 0 {
		return nil
	}
	return &answer.Error{
		Status: http.StatusServiceUnavailable, Code: "unavailable.sessions_left", Args: []any{len(left), of},
		RetryAfter: answer.RetryLater, Err: left[0].err,
	}
}

// endOne ends one session of an owner, and returns how many that are: none if
// there is no such session.
func (e *sessionEnder) endOne(ctx context.Context, owner, id string) (int, error) {
	list, err := e.sessions.Of(ctx, owner)
	if err != nil {
		return 0, err
	}
	list = slices.DeleteFunc(list, func(s session.Session) bool { return s.ID != id })
	e.events.record(ctx, eventSessionsEnded, "user", owner, "sessions", len(list))
	return len(list), e.end(ctx, list, revokeSession)
}

// endOthers ends the sessions of an owner, one by one, but the one with the ID,
// and returns how many there were.
func (e *sessionEnder) endOthers(ctx context.Context, owner, id string) (int, error) {
	list, err := e.others(ctx, owner, id)
	if err != nil {
		return 0, err
	}
	return len(list), e.end(ctx, list, revokeSession)
}

// others returns the sessions of an owner but the one with the ID.
func (e *sessionEnder) others(ctx context.Context, owner, id string) ([]session.Session, error) {
	list, err := e.sessions.Of(ctx, owner)
	return slices.DeleteFunc(list, func(s session.Session) bool { return s.ID == id }), err
}

// keepToLimit ends the user's oldest sessions beyond Config.MaxSessionsPerUser.
// The session with the ID is the newest, whatever the clocks say.
func (e *sessionEnder) keepToLimit(ctx context.Context, u user, id string) error {
	limit := e.config.MaxSessionsPerUser
	if limit == 0 {
		return nil
	}
	others, err := e.others(ctx, u.Owner, id)
	if err != nil || len(others) < limit {
		return err
	}
	oldest := others[limit-1:]
	e.events.record(ctx, eventSessionLimit, "user", u.Owner, "sessions", len(oldest))
	return e.end(ctx, oldest, revokeSession)
}

// endTokens deletes the tokens of a session from the vault and revokes them. A
// failure is logged: the session has ended on this site in any case.
func (e *sessionEnder) endTokens(ctx context.Context, what revocation, u user) {
	ctx = context.WithoutCancel(ctx)
	e.revokeBehind(ctx, what, e.deleteTokens(ctx, u))
}

// deleteTokens deletes the tokens of a session from the vault, and returns the
// entry if there is something to revoke.
func (e *sessionEnder) deleteTokens(ctx context.Context, u user) *vault.Entry {
	if u.VaultKey == "" {
		return nil
	}
	entry, err := e.vault.Delete(ctx, u.VaultKey)
	switch {
	case errors.Is(err, vault.ErrNotFound):
	case err != nil:
		e.events.record(ctx, eventTokensNotDeleted, "client", u.Client, "user", u.Owner, "error", err)
	case entry.Token != nil && entry.Token.AccessToken != "" && e.clients[entry.Client] != nil: // else the entry was unreadable or had ended
		return &entry
	}
	return nil
}

// revokeBehind revokes the tokens of entries in the background, and waits for
// that, but not long. Entries may be nil.
func (e *sessionEnder) revokeBehind(ctx context.Context, what revocation, entries ...*vault.Entry) {
	entries = slices.DeleteFunc(entries, func(entry *vault.Entry) bool { return entry == nil })
	if len(entries) == 0 {
		return
	}
	done := make(chan struct{})
	e.running.Go(func() {
		defer close(done)
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(e.work, cancel)()
		e.revoke(ctx, what, entries)
	})
	wait := remoteSignOutWait
	if what == revokeInBackground {
		wait = 0
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// revoke revokes the tokens of entries at the IdentityServer, several at the
// same time, each with a time of its own. A sign-out there needs a live access
// token: for revokeAll, revoke renews all expired ones first, because none could
// be renewed afterwards.
func (e *sessionEnder) revoke(ctx context.Context, what revocation, entries []*vault.Entry) {
	e.each(ctx, entries, func(ctx context.Context, entry *vault.Entry) {
		switch what {
		case revokeAll:
			entry.Token = e.renewed(ctx, *entry)
		case revokeInBackground:
			e.revokeAlone(ctx, *entry)
		default:
			e.renewAndSignOut(ctx, *entry)
		}
	})
	if what != revokeAll {
		return
	}
	e.each(ctx, entries, func(ctx context.Context, entry *vault.Entry) {
		if entry.Token != nil {
			e.signOutRemotely(ctx, revokeAll, *entry, entry.Token)
		}
	})
}

// each calls do for each entry, several at the same time, each with a time of
// its own.
func (e *sessionEnder) each(ctx context.Context, entries []*vault.Entry, do func(context.Context, *vault.Entry)) {
	var group errgroup.Group
	group.SetLimit(remoteSignOuts)
	for _, entry := range entries {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, remoteSignOutLimit)
			defer cancel()
			do(ctx, entry)
			return nil
		})
	}
	_ = group.Wait()
}

func (e *sessionEnder) renewAndSignOut(ctx context.Context, entry vault.Entry) {
	if live := e.renewed(ctx, entry); live != nil {
		e.signOutRemotely(ctx, revokeSession, entry, live)
	}
}

// revokeAlone revokes the refresh token of an entry without renewing it, if the
// access token has expired and the server allows that. It is for sessions that
// end without a request, of which there may be many.
func (e *sessionEnder) revokeAlone(ctx context.Context, entry vault.Entry) {
	if e.live(entry) {
		e.signOutRemotely(ctx, revokeSession, entry, entry.Token)
		return
	}
	err := e.clients[entry.Client].RevokeToken(ctx, entry.Token.RefreshToken)
	if errors.Is(err, errors.ErrUnsupported) {
		e.renewAndSignOut(ctx, entry)
		return
	}
	e.logRevocation(ctx, entry, err)
}

func (e *sessionEnder) logRevocation(ctx context.Context, entry vault.Entry, err error) {
	if err != nil {
		e.events.record(ctx, eventRemoteSignOutFailed, "client", entry.Client, "user", entry.Owner, "error", err)
		return
	}
	e.events.record(ctx, eventTokensRevoked, "client", entry.Client, "user", entry.Owner)
}

// live reports whether the access token of an entry is alive for long enough to
// sign out with it.
func (e *sessionEnder) live(entry vault.Entry) bool {
	const margin = 2 * time.Second // a JWT's exp has whole seconds, and the request takes time
	return entry.Token.Expiry.IsZero() || e.config.Now().Add(margin).Before(entry.Token.Expiry)
}

// timeOut revokes the tokens of sessions that have timed out, entry by entry. It
// stops when ctx ends, and leaves the rest in the vault.
func (e *sessionEnder) timeOut(ctx context.Context, users []user) {
	var group errgroup.Group
	group.SetLimit(timeOuts)
	for _, u := range users {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			ctx := context.WithoutCancel(ctx)
			e.events.record(ctx, eventSessionTimedOut, "client", u.Client, "user", u.Owner)
			if entry := e.deleteTokens(ctx, u); entry != nil {
				ctx, cancel := context.WithTimeout(ctx, remoteSignOutLimit)
				defer cancel()
				defer context.AfterFunc(e.work, cancel)()
				e.revokeAlone(ctx, *entry)
			}
			return nil
		})
	}
	_ = group.Wait()
}

// renewed returns a live token of an entry that was deleted from the vault, or
// nil.
func (e *sessionEnder) renewed(ctx context.Context, entry vault.Entry) *oauth2.Token {
	if e.live(entry) {
		return entry.Token
	}
	token, err := e.clients[entry.Client].Refresh(ctx, entry.Token)
	if err != nil {
		e.events.record(ctx, eventRemoteSignOutFailed, "client", entry.Client, "user", entry.Owner, "error", err)
		return nil
	}
	return token
}

// revokeDiscarded signs out a token that the vault received after its session
// had ended.
func (e *sessionEnder) revokeDiscarded(ctx context.Context, entry vault.Entry) {
	if e.clients[entry.Client] != nil {
		e.signOutRemotely(ctx, revokeSession, entry, entry.Token)
	}
}

// signOutRemotely signs the live token of an entry out at the IdentityServer, or
// all tokens of its user. It ends the session there if its state was kept.
func (e *sessionEnder) signOutRemotely(ctx context.Context, what revocation, entry vault.Entry, live *oauth2.Token) {
	var options []identity.SignOutOption
	var state identity.State
	if state.UnmarshalBinary(entry.State) == nil && !state.IsZero() {
		options = append(options, identity.WithState(state))
	}
	client := e.clients[entry.Client]
	signOut := func() error { return client.SignOut(ctx, live.AccessToken, live.RefreshToken, options...) }
	if what == revokeAll {
		signOut = func() error { return client.SignOutEverywhere(ctx, live.AccessToken, options...) }
	}
	e.logRevocation(ctx, entry, signOut())
}
