package web

import (
	"context"
	"crypto/rand"
	"sync"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
)

// holdings knows under which key of the vault this process keeps each account
// that signs in without a person, by the name that the vault knows its client
// by. A key is for one sign-in: where an entry was deleted the vault keeps none.
type holdings struct {
	mu   sync.Mutex
	keys map[string]string
}

// Of returns what is held under a name. There is one of each in this process,
// whichever administrator signed it in.
func (h *holdings) Of(name string) holding {
	h.mu.Lock()
	defer h.mu.Unlock()
	return holding{Owner: name, VaultKey: h.keys[name], Client: name}
}

// Key returns the vault's key of what is held under a name, or vault.ErrNotFound
// if nothing ever was.
func (h *holdings) Key(name string) (string, error) {
	if key := h.Of(name).VaultKey; key != "" {
		return key, nil
	}
	return "", vault.ErrNotFound
}

// Renew gives the name a new key, and returns what was held under the one before.
func (h *holdings) Renew(name, key string) (before holding) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.keys == nil {
		h.keys = make(map[string]string)
	}
	before = holding{Owner: name, VaultKey: h.keys[name], Client: name}
	h.keys[name] = key
	return before
}

// hold keeps the token of a new sign-in, and ends the one before.
func (s *Server) hold(ctx context.Context, name string, token *oauth2.Token) error {
	key := rand.Text()
	if err := s.vault.Put(ctx, key, vault.Entry{Owner: name, Client: name, Token: token}); err != nil {
		return err
	}
	s.endTokens(ctx, endOne, s.held.Renew(name, key))
	return nil
}

// heldStatus describes what is held under a name. It renews nothing: looking is not use.
func (s *Server) heldStatus(ctx context.Context, name string) (vault.Status, error) {
	key, err := s.held.Key(name)
	if err != nil {
		return vault.Status{}, err
	}
	return s.vault.Status(ctx, key)
}

// times tells the times of a token for people.
func (s *Server) times(status vault.Status) templates.Token {
	return templates.Token{Issued: status.Issued, Expires: status.Expiry, Renewals: status.Renewals, Now: s.config.Now()}
}
