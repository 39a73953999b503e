package vault

import (
	"context"
	"time"

	"golang.org/x/oauth2"
)

// A Refresher exchanges a token for its successor. *identity.Client is one.
//
// Its errors say by their tokenapi.Outcome what they mean for the entry. An
// error without one keeps the entry; tokenapi.WithOutcome attaches one to any
// error. The vault's own errors have one, so that a Refresher can use the token
// of another entry: see [Vault.Source]. [EntryKey] returns the key of the entry
// to renew.
//
// A Refresher may bound how often each access token is used, by another,
// optional method:
//
//	MaxUses() int // 0 or less: unlimited
//
// A Refresher that signs in by itself, as a tokenapi.Keeper does, says so by a
// second one. Its entries end only if they are deleted, or at their Until:
//
//	Unattended() bool
type Refresher interface {
	Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error)
}

// A Resumer gets tokens from the State of an Entry instead of a refresh token.
// If a Refresher is a Resumer too, an entry whose refresh token was lost lives
// on. *identity.Client is one.
type Resumer interface {
	ResumeBinary(ctx context.Context, state []byte) (token *oauth2.Token, next []byte, err error)
}

// An Entry is what the vault keeps under a key. It keeps three of the token's
// extras: the strings id_token and scope, and the time.Time refresh_expiry, when
// the refresh token expires by this process's clock. The token that Token returns
// has the last two; see [Vault.IDToken] for the first.
type Entry struct {
	Owner  string        // the issuer and subject, for DeleteOwner
	Client string        // the key of its Refresher in Config.Refreshers
	Token  *oauth2.Token // the vault never changes it; its successor is another Token
	State  []byte        // for the Resumer; nil: none
	Until  time.Time     // when the entry expires; zero: never for an Unattended Refresher, else in 30 days
}
