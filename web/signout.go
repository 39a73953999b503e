package web

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/vault"
)

const (
	remoteSignOutWait  = 5 * time.Second // what a request waits for the IdentityServer's side of a sign-out
	remoteSignOutLimit = time.Minute     // what that may take in the background
)

// remoteEnd is what the IdentityServer is to revoke.
type remoteEnd int

const (
	endOne      remoteEnd = iota // the refresh token of the session
	endAll                       // all that it gave to the user by the session's client, whoever holds it
	endByServer                  // as endOne; but it was the IdentityServer that ended the session, and it waits for the answer
)

// holding names an entry of the vault.
type holding struct {
	Owner    string
	VaultKey string
	Client   string
}

func holdingOf(u user) holding {
	return holding{Owner: u.Owner, VaultKey: u.VaultKey, Client: u.Client}
}

// clearSiteData makes the browser forget pages and stored data at sign-out.
// Not "cookies": that would drop those of every other application on the
// domain (Clear Site Data, section 3.1); ours is removed by Set-Cookie.
const clearSiteData = `"cache", "storage"`

// signOut ends this session. Without one it does nothing, and says the same.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	u, ok := s.sessions.User(ctx)
	if err := s.sessions.End(ctx); err != nil {
		return err
	}
	if ok {
		s.events.record(ctx, eventSignedOut, "client", u.Client, "user", u.Owner)
		s.endTokens(ctx, endOne, holdingOf(u))
	}
	w.Header().Set("Clear-Site-Data", clearSiteData)
	http.Redirect(w, r, "/sign-in?done=signed-out", http.StatusSeeOther)
	return nil
}

// signOutEverywhere ends every session of the user, and has the IdentityServer
// revoke every refresh token of the user for the clients of these sessions.
func (s *Server) signOutEverywhere(w http.ResponseWriter, r *http.Request, u user) error {
	ctx := r.Context()
	list, err := s.sessions.Of(ctx, u.Owner)
	if err != nil {
		return err
	}
	if err := s.sessions.End(ctx); err != nil {
		return err
	}
	if err := s.endSessions(ctx, list, endAll); err != nil {
		return err
	}
	if _, err := s.vault.DeleteOwner(context.WithoutCancel(ctx), u.Owner); err != nil { // what no session knows of
		return err
	}
	s.events.record(ctx, eventSignedOutEverywhere, "user", u.Owner, "sessions", len(list))
	w.Header().Set("Clear-Site-Data", clearSiteData)
	http.Redirect(w, r, "/sign-in?done=signed-out-everywhere", http.StatusSeeOther)
	return nil
}

// endTokens takes tokens out of the vault, which ends streams that live by
// them in every process, and then revokes them. It cannot fail: what the
// IdentityServer does not do is logged, and the local end stands.
func (s *Server) endTokens(ctx context.Context, what remoteEnd, held ...holding) {
	ctx = context.WithoutCancel(ctx)
	var entries []vault.Entry
	for _, h := range held {
		entry, err := s.vault.Delete(ctx, h.VaultKey)
		switch {
		case errors.Is(err, vault.ErrNotFound):
		case err != nil:
			s.events.record(ctx, eventTokensNotDeleted, "client", h.Client, "user", h.Owner, "error", err)
		case entry.Token != nil && entry.Token.AccessToken != "" && s.clients[entry.Client] != nil: // else it was unreadable, or has ended
			entries = append(entries, entry)
		}
	}
	if len(entries) > 0 {
		wait := remoteSignOutWait
		if what == endByServer {
			wait = 0
		}
		s.behind(ctx, wait, func(ctx context.Context) { s.revoke(ctx, what, entries) })
	}
}

// behind carries f out whatever becomes of the request, which waits for it no longer than it should. Close waits for all of it.
func (s *Server) behind(ctx context.Context, wait time.Duration, f func(context.Context)) {
	done := make(chan struct{})
	s.stopped.Go(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), remoteSignOutLimit)
		defer cancel()
		defer context.AfterFunc(s.work, cancel)()
		f(ctx)
	})
	patience := time.NewTimer(wait)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
	}
}

// revoke signs out at the IdentityServer. That wants a live bearer, so expired
// ones are renewed first, all of them: revoking all that a user has would stop that.
func (s *Server) revoke(ctx context.Context, what remoteEnd, entries []vault.Entry) {
	live := make([]*oauth2.Token, len(entries))
	each(entries, func(i int, e vault.Entry) { live[i] = s.renewed(ctx, e) })
	each(entries, func(i int, e vault.Entry) {
		if live[i] == nil {
			return
		}
		refresh := live[i].RefreshToken
		if what == endAll {
			refresh = ""
		}
		if err := s.clients[e.Client].SignOut(ctx, live[i].AccessToken, refresh, stateOf(e)...); err != nil {
			s.events.record(ctx, eventRemoteSignOutFailed, "client", e.Client, "user", e.Owner, "error", err)
			return
		}
		s.events.record(ctx, eventTokensRevoked, "client", e.Client, "user", e.Owner)
	})
}

// renewed returns a live token of an entry that nobody else has any more, or nil.
func (s *Server) renewed(ctx context.Context, e vault.Entry) *oauth2.Token {
	if e.Token.Expiry.IsZero() || s.config.Now().Before(e.Token.Expiry) {
		return e.Token
	}
	token, err := s.clients[e.Client].Refresh(ctx, e.Token)
	if err != nil {
		s.events.record(ctx, eventRemoteSignOutFailed, "client", e.Client, "user", e.Owner, "error", err)
		return nil
	}
	return token
}

// stateOf makes the sign-out end the session at the IdentityServer too, if it was kept.
func stateOf(e vault.Entry) []identity.SignOutOption {
	var state identity.State
	if state.UnmarshalBinary(e.State) != nil || state.IsZero() {
		return nil
	}
	return []identity.SignOutOption{identity.WithState(state)}
}

// each calls f for all entries, some at a time, and waits.
func each(entries []vault.Entry, f func(int, vault.Entry)) {
	var group sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i, e := range entries {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			f(i, e)
		})
	}
	group.Wait()
}
