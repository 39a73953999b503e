package web

import (
	"context"
	"sync"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/web/internal/session"
)

const (
	maxKeptLogouts   = 1000
	retryKeptLogouts = time.Second
)

// keptLogouts keeps verified logout tokens that could not be carried out,
// because the store failed, and carries them out when it can. Until then this
// process treats their sessions as ended.
type keptLogouts struct {
	*site
	carryOut func(context.Context, *identity.LogoutToken) (int, error)

	mu   sync.Mutex
	kept map[string]keptLogout // by issuer and ID of the token
	more chan struct{}         // has a value if there may be some
}

type keptLogout struct {
	token *identity.LogoutToken
	until time.Time // when the sessions are over in any case
	lift  func()
}

func newKeptLogouts(s *site, carryOut func(context.Context, *identity.LogoutToken) (int, error)) *keptLogouts {
	return &keptLogouts{site: s, carryOut: carryOut, kept: make(map[string]keptLogout), more: make(chan struct{}, 1)}
}

// add keeps a token, and reports whether there was room for it.
func (k *keptLogouts) add(token *identity.LogoutToken) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	id := token.Issuer + " " + token.ID
	if _, known := k.kept[id]; known {
		return true
	}
	if len(k.kept) >= maxKeptLogouts {
		return false
	}
	k.kept[id] = keptLogout{
		token: token, until: k.config.Now().Add(k.config.AbsoluteTimeout),
		lift: k.sessions.EndHere(session.Selection{Issuer: token.Issuer, Subject: token.Subject, IdentityID: token.SessionID}),
	}
	select {
	case k.more <- struct{}{}:
	default:
	}
	return true
}

// run carries out what is kept, until ctx ends.
func (k *keptLogouts) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.more:
		}
		for k.tryAll(ctx) > 0 {
			select {
			case <-ctx.Done():
				k.logLeft(context.WithoutCancel(ctx))
				return
			case <-time.After(retryKeptLogouts):
			}
		}
	}
}

// tryAll carries out what it can, and returns how many are left. If one fails,
// the others wait, too: the store is not back yet.
func (k *keptLogouts) tryAll(ctx context.Context) int {
	for _, logout := range k.all() {
		ended, err := k.carryOut(ctx, logout.token)
		if !settled(err) && k.config.Now().Before(logout.until) {
			break
		}
		if err == nil {
			k.events.record(ctx, eventBackChannelLogout, logoutAttributes(logout.token, ended)...)
		}
		k.remove(logout)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.kept)
}

func (k *keptLogouts) all() []keptLogout {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []keptLogout
	for _, logout := range k.kept {
		all = append(all, logout)
	}
	return all
}

func (k *keptLogouts) remove(logout keptLogout) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.kept, logout.token.Issuer+" "+logout.token.ID)
	logout.lift()
}

// logLeft logs the logouts that this process gives up because it stops.
func (k *keptLogouts) logLeft(ctx context.Context) {
	for _, logout := range k.all() {
		k.events.record(ctx, eventLogoutGivenUp, "user", logout.token.Issuer+" "+logout.token.Subject)
	}
}
