package web

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"b2trader.identity.auth/templates"
)

// The bounds of the claims that a page shows.
const (
	maxClaims    = 40
	maxClaimSize = 200 // bytes
)

// claimOrder is the order of the known claims. Others follow by name.
var claimOrder = []string{"sub", "role", "name", "email", "iss", "aud", "azp", "iat", "nbf", "exp", "auth_time", "amr", "idp", "sid", "nonce", "at_hash"}

// claimViews returns what a page shows of the claims of an ID token, which was
// verified when it came.
func (s *site) claimViews(idToken string) []templates.Claim {
	all := claimsOf(idToken)
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(claimRank(a)-claimRank(b), strings.Compare(a, b))
	})
	var views []templates.Claim
	for _, name := range names[:min(len(names), maxClaims)] {
		views = append(views, templates.Claim{Name: clipClaim(name), Value: clipClaim(s.claimValue(name, all[name])), Meaning: s.texts.Claims[name]})
	}
	return views
}

// claimsOf returns the claims of a token, not verified, by their names, which are
// case-sensitive.
func claimsOf(idToken string) map[string]json.RawMessage {
	parts := strings.Split(idToken, ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims map[string]json.RawMessage
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return nil
	}
	return claims
}

// identityID returns the ID of the session at the IdentityServer that a token
// came from (Back-Channel Logout 1.0, section 2.1), or "".
func identityID(id *oidc.IDToken) string {
	var c struct {
		SessionID string `json:"sid"`
	}
	_ = id.Claims(&c) // a sid of another type counts as none
	return c.SessionID
}

func claimRank(name string) int {
	if i := slices.Index(claimOrder, name); i >= 0 {
		return i
	}
	return len(claimOrder)
}

// claimValue returns raw as people read it. It hides one-time values, which
// were compared at the sign-in, and sid, which is IdentityServer's session
// cookie.
func (s *site) claimValue(name string, raw json.RawMessage) string {
	switch name {
	case "nonce", "at_hash", "c_hash", "s_hash":
		return s.texts.Account.Compared
	case "sid":
		return s.texts.Account.NotShown
	case "iat", "nbf", "exp", "auth_time":
		var unix float64
		if json.Unmarshal(raw, &unix) == nil {
			return time.Unix(int64(unix), 0).UTC().Format("2006-01-02 15:04:05 UTC")
		}
	}
	if values := stringsOf(raw); values != nil {
		return strings.Join(values, ", ")
	}
	return string(raw)
}

// stringsOf returns the strings of a claim that may be a string or an array of strings.
func stringsOf(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	var many []string
	if json.Unmarshal(raw, &many) == nil {
		return many
	}
	return nil
}

func clipClaim(s string) string {
	if len(s) <= maxClaimSize {
		return s
	}
	return strings.ToValidUTF8(s[:maxClaimSize], "") + "…"
}
