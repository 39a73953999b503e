package showcase

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
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

func validatePlatforms(platforms []Platform, insecure bool) []error {
	var problems []error
	seen := map[string]bool{}
	for i, p := range platforms {
		report := func(field, what string) {
			problems = append(problems, &tokenapi.FieldError{Field: fmt.Sprintf("Config.Platforms[%d].%s", i, field), Err: errors.New(what)})
		}
		switch {
		case !platformID.MatchString(p.ID):
			report("ID", "must be of lower-case letters, digits and dashes")
		case seen[p.ID]:
			report("ID", "is that of another platform")
		}
		seen[p.ID] = true
		if p.Name == "" {
			report("Name", "is missing")
		}
		if p.Refresher == nil {
			report("Refresher", "is missing")
		}
		if p.Call.URL != "" {
			if problem := urlProblem(p.Call.URL, insecure); problem != "" {
				report("Call.URL", problem)
			}
		}
	}
	return problems
}

// urlProblem says what is wrong with a URL, or returns "". It does not repeat
// the URL, which may have a password.
func urlProblem(raw string, insecure bool) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "is not a URL"
	case u.Scheme != "https" && u.Scheme != "http":
		return "must be https"
	case u.Hostname() == "":
		return "has no host"
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "must have neither user, query nor fragment"
	case u.Scheme == "http" && !insecure && !isLoopback(u.Hostname()):
		return "must be https beyond loopback (InsecureAllowHTTP overrides)"
	}
	return ""
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
