package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"b2trader.identity.auth/identity/vault"
)

// remoteSignOutWait bounds what a sign-out waits for the IdentityServer: first
// for a live token, which its sign-out wants, then for the sign-out itself.
const remoteSignOutWait = 5 * time.Second

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
		s.log(ctx, slog.LevelInfo, "signed out", "client", u.Client, "user", u.Owner)
		s.endTokens(ctx, holding{Owner: u.Owner, VaultKey: u.VaultKey, Client: u.Client})
	}
	w.Header().Set("Clear-Site-Data", clearSiteData)
	http.Redirect(w, r, "/sign-in?done=signed-out", http.StatusSeeOther)
	return nil
}

// signOutEverywhere ends every session of the user on this server, and has the
// IdentityServer revoke every refresh token of the user for the clients of
// these sessions, whoever holds it.
func (s *Server) signOutEverywhere(w http.ResponseWriter, r *http.Request, u user) error {
	held := s.sessions.store.EndOwner(u.Owner)
	if err := s.sessions.End(r.Context()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 2*remoteSignOutWait)
	defer cancel()
	bearers := s.bearers(ctx, held)
	if _, err := s.vault.DeleteOwner(ctx, u.Owner); err != nil {
		return err
	}
	s.log(ctx, slog.LevelInfo, "signed out everywhere", "user", u.Owner, "sessions", len(held))
	for client, bearer := range bearers {
		s.signOutRemotely(ctx, holding{Owner: u.Owner, Client: client}, bearer, "")
	}
	w.Header().Set("Clear-Site-Data", clearSiteData)
	http.Redirect(w, r, "/sign-in?done=signed-out-everywhere", http.StatusSeeOther)
	return nil
}

// bearers returns one live access token for each client in held.
func (s *Server) bearers(ctx context.Context, held []holding) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, remoteSignOutWait)
	defer cancel()
	bearers := make(map[string]string)
	for _, h := range held {
		if bearers[h.Client] != "" {
			continue
		}
		token, err := s.vault.Token(ctx, h.VaultKey)
		if err != nil {
			s.log(ctx, slog.LevelWarn, "no live token to sign out with", "client", h.Client, "user", h.Owner, "error", err)
			continue
		}
		bearers[h.Client] = token.AccessToken
	}
	return bearers
}

// endTokens takes tokens out of the vault and revokes them. It cannot fail:
// what the IdentityServer does not do is logged, and the local end stands. It
// goes on if the browser goes away.
func (s *Server) endTokens(ctx context.Context, held holding) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*remoteSignOutWait)
	defer cancel()
	// The sign-out wants a live bearer, so an expired one is renewed, if that works in time.
	renewal, done := context.WithTimeout(ctx, remoteSignOutWait)
	_, renewed := s.vault.Token(renewal, held.VaultKey)
	done()
	entry, err := s.vault.Delete(ctx, held.VaultKey)
	if err != nil || errors.Is(renewed, vault.ErrEnded) {
		return // nothing was left to revoke
	}
	s.signOutRemotely(ctx, held, entry.Token.AccessToken, entry.Token.RefreshToken)
}

// signOutRemotely asks the IdentityServer to revoke a refresh token, or with an
// empty one all that it gave to the user by this client.
func (s *Server) signOutRemotely(ctx context.Context, held holding, bearer, refresh string) {
	ctx, cancel := context.WithTimeout(ctx, remoteSignOutWait)
	defer cancel()
	if err := s.clients[held.Client].SignOut(ctx, bearer, refresh); err != nil {
		s.log(ctx, slog.LevelWarn, "remote sign-out failed", "client", held.Client, "user", held.Owner, "error", err)
		return
	}
	s.log(ctx, slog.LevelInfo, "tokens revoked", "client", held.Client, "user", held.Owner)
}
