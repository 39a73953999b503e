package vault

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"
)

// Client returns an http.Client that sends each request with the live token of
// the entry under key, by a [Transport] without a Base. It has no Timeout: the
// contexts of the requests bound them. It asks the store only when a request is
// sent, so the entry may be put later.
func (v *Vault) Client(key string) *http.Client {
	return &http.Client{Transport: &Transport{Vault: v, Key: key}}
}

// TokenSource returns the entry under key as an oauth2.TokenSource, for gRPC
// and for clients of APIs that take one. Each call of its Token is a call of
// [Vault.Token], so all sources of an entry share its renewals. It is safe for
// concurrent use.
//
// The context is that of every call: when it ends, Token returns its error. Use
// one that lives as long as the source. Config.MaxWait bounds each call.
//
// A source does not learn that an API refused its token (401), such as after a
// revocation: it returns the token until a renewal is due. [Vault.Client] and
// [Transport] renew a refused token at once; other callers call [Vault.Renew].
//
// A program may wrap the source by oauth2.ReuseTokenSource, as oauth2.NewClient
// does. That returns its copy until 10 seconds before the expiry, also if the
// entry was deleted meanwhile.
//
// Errors: as [Vault.Token].
func (v *Vault) TokenSource(ctx context.Context, key string) oauth2.TokenSource {
	return tokenSource{ctx: ctx, vault: v, key: key}
}

type tokenSource struct {
	ctx   context.Context //nolint:containedctx // oauth2.TokenSource has no parameter for it
	vault *Vault
	key   string
}

// Token implements oauth2.TokenSource.
func (s tokenSource) Token() (*oauth2.Token, error) { return s.vault.Token(s.ctx, s.key) }
