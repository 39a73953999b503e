package showcase

import (
	"context"
	"fmt"
	"net/http"
	"regexp"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// A Platform is a token system that administrators sign in to. ID, Name and
// Refresher are required.
type Platform struct {
	ID      string // lower-case letters, digits and dashes; "platform/" before it makes the client in the log
	Name    string // as users know it
	About   string // what it is for, in one sentence
	Warning string // what to know before signing in, in one sentence; empty: nothing
	Account string // the account that signs in, if that may be shown

	// Refresher gets the tokens. From [tokenapi.FirstToken] it signs in. A
	// [tokenapi.Keeper] does both.
	Refresher vault.Refresher

	// SignOut revokes a token at the platform. Nil: tokens end by themselves.
	SignOut func(context.Context, *oauth2.Token) error

	// Close releases what the Refresher uses. Nil: there is nothing to release.
	Close func(context.Context) error

	// Call is what "Use the API" does. Zero: that is not offered.
	Call Call

	// Expire makes the server forget the access tokens that it gave. Nil: that
	// is not offered.
	Expire func()

	// Fail makes the server's token requests fail until undo is called. Nil:
	// that is not offered.
	Fail func() (undo func())
}

// A Call is one GET of a platform's API.
type Call struct {
	// URL of the resource, without a query. It is https, or http on loopback or
	// with Config.InsecureAllowHTTP.
	URL string

	// Transport sends the request, which has the token as bearer by then. Nil:
	// Config.APITransport.
	Transport http.RoundTripper
}

// client names the platform in the vault and in the log.
func (p Platform) client() string { return "platform/" + p.ID }

// offers reports whether the platform has an action.
func (p Platform) offers(action string) bool {
	switch action {
	case "sign-in", "renew", "sign-out":
		return true
	case "use":
		return p.Call.URL != ""
	case "expire":
		return p.Expire != nil
	case "fail":
		return p.Fail != nil
	}
	return false
}

var platformID = regexp.MustCompile(`^[a-z0-9-]+$`)

// checkPlatforms reports every problem of Config.Platforms.
func (c Config) checkPlatforms(problems *tokenapi.Problems) {
	seen := map[string]bool{}
	for i, p := range c.Platforms {
		field := fmt.Sprintf("Platforms[%d].", i)
		switch {
		case !platformID.MatchString(p.ID):
			problems.Add(field+"ID", "must be of lower-case letters, digits and dashes")
		case seen[p.ID]:
			problems.Add(field+"ID", "is that of another platform")
		}
		seen[p.ID] = true
		problems.Missing(field+"Name", p.Name == "")
		problems.Missing(field+"Refresher", p.Refresher == nil)
		if p.Call.URL != "" {
			problems.URL(field+"Call.URL", p.Call.URL, c.InsecureAllowHTTP)
		}
	}
}
