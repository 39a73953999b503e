package web

import (
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
	known [256]atomic.Pointer[roleOf] // read lately; tokens share the slots
	seed  maphash.Seed
}

type roleOf struct {
	idToken string
	has     bool
}

func newAdministrators(role string) *administrators {
	return &administrators{role: role, seed: maphash.MakeSeed()}
}

// has reports whether a token is an administrator's.
func (a *administrators) has(idToken, scope string) bool {
	return hasScope(scope, backOfficeScope) && a.hasRole(idToken)
}

func hasScope(granted, scope string) bool { return slices.Contains(strings.Fields(granted), scope) }

func (a *administrators) hasRole(idToken string) bool {
	slot := &a.known[maphash.String(a.seed, idToken)%uint64(len(a.known))]
	if known := slot.Load(); known != nil && known.idToken == idToken {
		return known.has
	}
	has := slices.Contains(stringsOf(claimsOf(idToken)["role"]), a.role)
	slot.Store(&roleOf{idToken, has})
	return has
}

// current returns u as the newest token describes the user.
func (a *administrators) current(u user, status vault.Status) user {
	if !status.IDToken.IsZero() {
		u.Administrator = a.has(status.IDToken.Reveal(), status.Scope)
	}
	return u
}
