package web

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"

	"b2trader.identity.auth/identity/vault"
)

// backOfficeScope is the scope of tokens for the BackOffice API. Only
// administrators get such tokens, see Upstream.Users.
const backOfficeScope = "BackOffice"

// administrators tells whose tokens are an administrator's: those with the role
// in the ID token, and the scope BackOffice. The ID token was verified when it
// was received, at the sign-in or at a renewal.
type administrators struct {
	role  string
	vault *vault.Vault
	known [256]atomic.Pointer[roleOf] // read lately; tokens share the slots
	seed  maphash.Seed
}

// roleOf is whether the token that an entry of the vault has after a number of
// renewals is an administrator's.
type roleOf struct {
	vaultKey string
	renewals int
	has      bool
}

func newAdministrators(role string, v *vault.Vault) *administrators {
	return &administrators{role: role, vault: v, seed: maphash.MakeSeed()}
}

// has reports whether the newest token under a key of the vault is an
// administrator's. It reads the store once for each token.
//
// Errors: those of [vault.Vault.Status].
func (a *administrators) has(ctx context.Context, vaultKey string) (bool, error) {
	status, err := a.vault.Status(ctx, vaultKey)
	if err != nil || !hasScope(status.Scope, backOfficeScope) {
		return false, err
	}
	slot := &a.known[maphash.String(a.seed, vaultKey)%uint64(len(a.known))]
	if known := slot.Load(); known != nil && known.vaultKey == vaultKey && known.renewals == status.Renewals {
		return known.has, nil
	}
	idToken, err := a.vault.IDToken(ctx, vaultKey)
	if err != nil {
		return false, err
	}
	read := &roleOf{vaultKey, status.Renewals, a.isOf(idToken.Reveal(), status.Scope)}
	slot.Store(read)
	return read.has, nil
}

// isOf reports whether a token with an ID token and a scope is an
// administrator's.
func (a *administrators) isOf(idToken, scope string) bool {
	return hasScope(scope, backOfficeScope) && slices.Contains(stringsOf(claimsOf(idToken)["role"]), a.role)
}

func hasScope(granted, scope string) bool { return slices.Contains(strings.Fields(granted), scope) }
