package web

import (
	"context"
	"net/http"

	"b2trader.identity.auth/web/internal/answer"
)

// clearSiteData makes the browser delete pages and stored data at sign-out. It
// does not include "cookies": that would delete the cookies of all applications
// on the domain (Clear Site Data, section 3.1). Set-Cookie removes this site's
// cookie.
const clearSiteData = `"cache", "storage"`

// sessionPages are the sign-out and the page of a user's own sessions.
type sessionPages struct {
	*site
	ender *sessionEnder
}

// signOut ends this session. Without a session it answers the same. A session
// that this process cannot read ends, too; then only its tokens, which it cannot
// read either, are not revoked.
func (s *sessionPages) signOut(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	unreadable := s.sessions.Readable(ctx)
	u, err := s.sessions.End(ctx)
	switch {
	case err != nil:
		return err
	case unreadable != nil:
		s.events.record(ctx, eventSignedOut, "client", "", "user", "")
		s.events.record(ctx, eventTokensNotDeleted, "client", "", "user", "", "error", unreadable)
	case u.VaultKey != "":
		s.events.record(ctx, eventSignedOut, "client", u.Client, "user", u.Owner)
		s.ender.endTokens(ctx, revokeSession, u)
	}
	w.Header().Set("Clear-Site-Data", clearSiteData)
	http.Redirect(w, r, "/sign-in?done=signed-out", http.StatusSeeOther)
	return nil
}

// signOutEverywhere ends every session of the user, and has the IdentityServer
// revoke all refresh tokens of the user for the clients of these sessions.
func (s *sessionPages) signOutEverywhere(w http.ResponseWriter, r *http.Request, u user) error {
	ctx := r.Context()
	others, err := s.ender.endAll(ctx, u.Owner, "", revokeAll, u)
	if err != nil {
		return err
	}
	// From here on the user is signed out, whatever fails.
	if _, err := s.vault.DeleteOwner(context.WithoutCancel(ctx), u.Owner); err != nil { // entries without a session
		s.events.record(ctx, eventTokensNotDeleted, "client", u.Client, "user", u.Owner, "error", err)
	}
	if _, err := s.sessions.End(ctx); err != nil {
		s.events.record(ctx, eventSessionNotDeleted, "user", u.Owner, "error", err)
	}
	s.events.record(ctx, eventSignedOutEverywhere, "user", u.Owner, "sessions", others+1)
	w.Header().Set("Clear-Site-Data", clearSiteData)
	http.Redirect(w, r, "/sign-in?done=signed-out-everywhere", http.StatusSeeOther)
	return nil
}

// endSession ends one of the user's own sessions. If it is this one, the user
// signs out.
func (s *sessionPages) endSession(w http.ResponseWriter, r *http.Request, u user) error {
	form, err := answer.Form(r)
	if err != nil {
		return err
	}
	id := form.Get("session")
	if id == s.sessions.ID(r.Context()) {
		return s.signOut(w, r)
	}
	ended, err := s.ender.endOne(r.Context(), u.Owner, id)
	if err != nil {
		return err
	}
	notice := s.texts.Notices.SessionEndedBefore
	if ended > 0 {
		notice = s.texts.Notices.SessionEnded
	}
	return s.redirect(w, r, "/sessions", notice)
}

// endOtherSessions ends all of the user's sessions but this one, for example
// after a change of the password: by one write, or one by one if the store takes
// no write, because it is full.
func (s *sessionPages) endOtherSessions(w http.ResponseWriter, r *http.Request, u user) error {
	ctx := r.Context()
	var ended int
	own, err := s.sessions.LeaveGroup(ctx)
	if err == nil {
		ended, err = s.ender.endAll(ctx, u.Owner, own, revokeSession)
	} else {
		ended, err = s.ender.endOthers(ctx, u.Owner, s.sessions.ID(ctx))
	}
	if err != nil {
		return err
	}
	s.events.record(ctx, eventSessionsEnded, "user", u.Owner, "sessions", ended)
	return s.redirect(w, r, "/sessions", s.texts.Notices.OthersEnded)
}
