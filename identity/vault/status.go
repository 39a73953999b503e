package vault

import (
	"context"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// Status describes an entry without its tokens.
type Status struct {
	Owner, Client, Scope string
	Issued, Expiry       time.Time     // of the current token, by this process's clock
	Age                  time.Duration // since Issued; negative if a clock was set back
	Renewals             int           // since the entry was put
	Uses, MaxUses        int           // of the current token in this process; MaxUses is 0 if unlimited
	Failure              error         // why this process's last renewal failed; nil if it did not, or if there is a successor since
	RetryAt              time.Time     // when the next renewal may start after a Failure
}

// Status describes the entry under key. It starts no renewal.
//
// Errors: as Token.
func (v *Vault) Status(ctx context.Context, key string) (Status, error) {
	e, s, err := v.find(ctx, key)
	if err != nil {
		return Status{}, err
	}
	r := &s.stored.Value
	status := Status{Owner: r.Owner, Client: r.Client, Scope: r.Scope, Issued: shifted(r.Issued, -v.storeAhead()), Expiry: s.token.Expiry, Age: v.storeNow().Sub(r.Issued), Renewals: r.Generation}
	status.Uses, status.MaxUses = s.budget.spent()
	e.mu.Lock()
	defer e.mu.Unlock()
	status.Failure, status.RetryAt = e.cause, e.retryAt(v.pace(r.Client))
	return status, nil
}

// IDToken returns the ID token of the entry under key, which was verified when
// it came: with the current token, or with an earlier one if the server has sent
// none since. It is empty if none ever came. IDToken reads the store with each
// call.
//
// Errors: as Token.
func (v *Vault) IDToken(ctx context.Context, key string) (tokenapi.Secret, error) {
	e, _, err := v.find(ctx, key)
	if err != nil {
		return tokenapi.Secret{}, err
	}
	stored, err := e.ref.Read(ctx)
	if err != nil {
		return tokenapi.Secret{}, storeError(ctx, err)
	}
	return tokenapi.NewSecret(stored.Value.IDToken), stored.Value.over()
}

// Await blocks until this process's renewal of the entry under key, if one is
// under way, has finished. Status tells the result.
//
// Errors: the context's.
func (v *Vault) Await(ctx context.Context, key string) error {
	e := v.entries.Get(key)
	if e == nil {
		return nil
	}
	e.mu.Lock()
	r := e.renewal
	e.mu.Unlock()
	if r == nil {
		return nil
	}
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Changed returns a channel that is closed when the entry under key changes, in
// any process: when it is renewed or deleted, among others.
//
// Errors: as Token.
func (v *Vault) Changed(ctx context.Context, key string) (<-chan struct{}, error) {
	e, _, err := v.find(ctx, key)
	if err != nil {
		return nil, err
	}
	return e.ref.Changed(), nil
}
