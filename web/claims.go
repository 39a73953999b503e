package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/session"
)

// claim is one verified claim of the ID token.
type claim struct{ Name, Value string }

// claimsValue keeps the claims of the sign-in's ID token in the session.
var claimsValue = session.NewValue[[]claim]("c")

// The bounds of the claims that a session keeps.
const (
	maxClaims    = 40
	maxClaimSize = 200 // bytes
)

// claimOrder is the order of the known claims. Others follow by name.
var claimOrder = []string{"sub", "role", "name", "email", "iss", "aud", "azp", "iat", "nbf", "exp", "auth_time", "amr", "idp", "sid", "nonce", "at_hash"}

// readClaims returns the claims of a verified ID token as people read them.
func readClaims(id *oidc.IDToken) (claims []claim, err error) {
	var all map[string]json.RawMessage
	if err := id.Claims(&all); err != nil {
		return nil, fmt.Errorf("read the claims of the ID token: %w", err)
	}
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		if d := claimRank(a) - claimRank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, name := range names[:min(len(names), maxClaims)] {
		claims = append(claims, claim{Name: clipClaim(name), Value: clipClaim(claimValue(name, all[name]))})
	}
	return claims, nil
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

// claimValue returns raw as people read it. It leaves out the values that
// [site.claimViews] hides.
func claimValue(name string, raw json.RawMessage) string {
	switch name {
	case "nonce", "at_hash", "c_hash", "s_hash", "sid":
		return ""
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

// claimViews returns what a page shows of claims. It hides one-time values,
// which were compared at the sign-in, and sid, which is IdentityServer's session
// cookie.
func (s *site) claimViews(claims []claim) []templates.Claim {
	views := make([]templates.Claim, len(claims))
	for i, c := range claims {
		switch c.Name {
		case "nonce", "at_hash", "c_hash", "s_hash":
			c.Value = s.texts.Account.Compared
		case "sid":
			c.Value = s.texts.Account.NotShown
		}
		views[i] = templates.Claim{Name: c.Name, Value: c.Value, Meaning: s.texts.Claims[c.Name]}
	}
	return views
}
