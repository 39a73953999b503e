package web

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/mirror"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
)

// heldPrefix keeps the records of holdings apart from others in the same store.
const heldPrefix = "held:"

// heldLife is how long an account stays signed in without a person: as long as a refresh token of the IdentityServer may live.
const heldLife = 30 * 24 * time.Hour

// holdings knows under which key of the vault each account is kept that signs in
// without a person, by the name that the vault knows its client by. All processes
// know the same: it is a record for each name, sealed, and read from memory while
// it does not change. A record is never deleted, for its tombstone would keep the
// name empty, and each sign-in has a key of its own, for the vault keeps one
// empty whose entry was deleted.
type holdings struct {
	mirror *mirror.Mirror[string]
	places map[string]string // of the records, by name
}

func newHoldings(config Config, sealer *vault.Sealer) *holdings {
	h := &holdings{
		places: make(map[string]string),
		mirror: mirror.New(mirror.Config[string]{
			Store:  config.Store,
			Encode: func(place, key string) ([]byte, error) { return sealer.Seal(place, []byte(key)), nil },
			Decode: func(place string, sealed []byte) (string, error) {
				key, _ := sealer.Open(place, sealed) // sealed with a key that is gone: nobody is signed in
				return string(key), nil
			},
			Logger: config.Logger,
		}),
	}
	for _, m := range config.Machine {
		h.know(machineName(m), m.Client.Issuer(), m.Email)
	}
	for _, p := range config.Platforms {
		h.know(platformName(p), p.Call.URL, p.Account)
	}
	return h
}

// know makes a place for the account that a name stands for. Another account, or one at another server, has another
// place: after a change of the configuration nobody takes the old one's tokens for the new one's.
func (h *holdings) know(name, server, account string) {
	h.places[name] = heldPrefix + hashed(strings.Join([]string{name, server, account}, "\n"))
}

// Key returns the vault's key of what is held under a name, or vault.ErrNotFound if nothing is. With the store away it
// is not known: then the error is the answer.
func (h *holdings) Key(ctx context.Context, name string) (string, error) {
	c, err := h.mirror.Get(ctx, h.places[name])
	switch {
	case mirror.Gone(err), err == nil && c.Value == "":
		return "", vault.ErrNotFound
	case err != nil:
		return "", answer.StoreUnavailable(err)
	}
	return c.Value, nil
}

// Swap puts a key, or none, in the place of the one before, which it returns: exactly one caller gets each key that
// ever was there, in whatever process.
//
// Errors: the store's.
func (h *holdings) Swap(ctx context.Context, name, key string, until time.Time) (before string, err error) {
	for try := 1; ; try++ {
		next := mirror.Copy[string]{Key: h.places[name], Value: key, Expires: until}
		old, err := h.mirror.Get(ctx, next.Key)
		switch {
		case err == nil:
			before, next.Version = old.Value, old.Version
		case mirror.Gone(err):
			before = ""
		default:
			return "", err
		}
		_, err = h.mirror.Put(ctx, next)
		if err == nil || !errors.Is(err, store.ErrConflict) && !mirror.Gone(err) || try == swapTries {
			return before, err
		}
		time.Sleep(time.Duration(try) * time.Millisecond) // a store may be told of the newest a moment later
	}
}

// heldAs is what is kept under a key for a name.
func heldAs(name, key string) holding { return holding{Owner: name, VaultKey: key, Client: name} }

// hold keeps the token of a new sign-in, and ends the one before. It does not sign in what it could not keep.
func (s *Server) hold(ctx context.Context, name string, signIn func() (*oauth2.Token, error)) error {
	if _, err := s.held.Key(ctx, name); err != nil && !errors.Is(err, vault.ErrNotFound) {
		return err
	}
	token, err := signIn()
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // somebody is signed in: that must not be forgotten
	key := rand.Text()
	entry := vault.Entry{Owner: name, Client: name, Token: token, Until: s.config.Now().Add(heldLife)}
	if err := s.vault.Put(ctx, key, entry); err != nil {
		s.behind(ctx, remoteSignOutWait, func(ctx context.Context) { s.revokeDiscarded(ctx, entry) })
		return answer.StoreUnavailable(err)
	}
	if err := s.replaceHeld(ctx, name, key); err != nil {
		s.endTokens(ctx, endOne, heldAs(name, key))
		return err
	}
	return nil
}

// release ends what is held under a name, whichever administrator signed it in, and in whatever process.
func (s *Server) release(ctx context.Context, name string) error {
	return s.replaceHeld(context.WithoutCancel(ctx), name, "")
}

// replaceHeld puts a key, or none, in the place of the one before, and ends what that one was for.
func (s *Server) replaceHeld(ctx context.Context, name, key string) error {
	until := s.config.Now().Add(heldLife + time.Minute) // the vault's entry ends first
	before, err := s.held.Swap(ctx, name, key, until)
	if err != nil {
		return answer.StoreUnavailable(err)
	}
	if before != "" {
		s.endTokens(ctx, endOne, heldAs(name, before))
	}
	return nil
}

// heldStatus describes what is held under a name. It renews nothing: looking is not use.
//
// Errors: vault.ErrNotFound, vault.ErrEnded, or the answer where that is not known.
func (s *Server) heldStatus(ctx context.Context, name string) (vault.Status, error) {
	key, err := s.held.Key(ctx, name)
	if err != nil {
		return vault.Status{}, err
	}
	status, err := s.vault.Status(ctx, key)
	if err != nil && !errors.Is(err, vault.ErrNotFound) && !errors.Is(err, vault.ErrEnded) {
		err = answer.StoreUnavailable(err) // nothing else is asked for it
	}
	return status, err
}

// times tells the times of a token for people.
func (s *Server) times(status vault.Status) templates.Token {
	return templates.Token{Issued: status.Issued, Expires: status.Expiry, Renewals: status.Renewals, Now: s.config.Now()}
}
