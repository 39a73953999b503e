package showcase_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/cmd/demo/showcase"
	"b2trader.identity.auth/identity/identitytest"
)

func TestPlatformsAreForAdministrators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newSite(t)
		s.browser().get("/platforms").leadsTo("/sign-in?return_to=%2Fplatforms")
		s.browser().press("office", "sign-in").is(401)
		for _, who := range []struct{ name, client string }{{"trader", "spa"}, {"admin", "spa"}} {
			b := s.browser()
			b.signIn(who.name, who.client).leadsTo("/account")
			b.get("/platforms").is(403, "for administrators")
			b.press("office", "sign-in").is(403)
			if b.get("/account").doc().Find(`a[href="/platforms"]`).Length() != 0 {
				t.Error("the page is offered to someone it refuses")
			}
		}
		b := s.administrator()
		b.get("/account").is(200, `href="/platforms"`)
		b.get("/platforms").is(200).says("office", "Not signed in", "For what is done in an office.", machine)
		b.send(b.request(http.MethodPut, "/platforms", nil)).is(405)
		b.from = "cross-site"
		b.press("office", "sign-in").is(403)
		if n := o.Grants("password"); n != 0 {
			t.Errorf("%d sign-ins that nobody who may has asked for", n)
		}
	})
}

// A site without platforms does not speak of them.
func TestNoPlatforms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newSite(t, func(c *config) { c.Platforms = nil })
		b := s.administrator()
		if b.get("/account").doc().Find(`a[href="/platforms"]`).Length() != 0 {
			t.Error("the navigation offers the page")
		}
		b.get("/platforms").is(200, "No platforms are configured.")
		b.press("office", "sign-in").is(400)
	})
}

func TestPlatformLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newSite(t)
		b := s.administrator()
		page := b.done("office", "sign-in").says("office", "Signed in to The Office.", "Valid", "30 s left", "Renewed not yet")
		page.says("plain", "Not signed in")
		if strings.Contains(b.get("/platforms?of=office").body, "Signed in to The Office.") {
			t.Error("the notice is shown again")
		}
		pass(time.Second)
		b.done("office", "renew").says("office", "The token is renewed.", "Renewed once", "30 s left")
		pass(31 * time.Second)
		b.get("/platforms").says("office", "Idle", "Renewed once")
		b.done("office", "renew").says("office", "Renewed 2 times", "Valid") // an expired one is renewed once, too
		b.done("plain", "sign-in").says("plain", "Signed in to Plain.", "Valid")
		b.done("office", "sign-out").says("office", "Signed out of The Office.", "Not signed in").says("plain", "Valid")
		if n := o.Grants("refresh_token"); n != 2 {
			t.Errorf("%d renewals, want 2", n)
		}
		for _, action := range []string{"renew", "use", "fail"} {
			b.done("office", action).says("office", "not signed in to The Office any more", "Not signed in")
		}
		b.done("office", "sign-out")
		if n := o.Count(identitytest.EndpointSignOut); n != 0 {
			t.Errorf("%d remote sign-outs of a platform that has none", n)
		}
		b.done("office", "sign-in").says("office", "Valid") // the refused "fail" has armed nothing
		for _, form := range [][2]string{{"nobody", "sign-in"}, {"office", "dance"}, {"office", ""}, {"plain", "use"}, {"plain", "expire"}, {"plain", "fail"}} {
			b.press(form[0], form[1]).is(400)
		}
	})
}

func TestPlatformUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newSite(t)
		b := s.administrator()
		b.done("office", "sign-in")
		answered := b.done("office", "use").says("office", "GET / backoffice/ api/ v1/ users", "200 OK", "The API accepted the token.", "trader@example.com")
		if strings.Contains(answered.card("office"), "renewal, so") || strings.Contains(answered.card("plain"), "200 OK") {
			t.Errorf("the page says %s", answered.text())
		}
		pass(31 * time.Second)
		b.done("office", "use").says("office", "due for renewal, so this server renewed it. The API accepted", "Renewed once")

		pass(youngToken)
		b.done("office", "expire").says("office", "has forgotten its access tokens", "Valid")
		asked := o.Count(identitytest.EndpointBackOffice)
		b.done("office", "use").says("office", "200 OK", "refused the token, so this server renewed it and repeated the call. The API accepted", "Renewed 2 times")
		if n := o.Count(identitytest.EndpointBackOffice) - asked; n != 2 {
			t.Errorf("%d calls, want the refused one and its repetition", n)
		}
		for _, c := range []struct {
			fault identitytest.Fault
			words []string
		}{
			{identitytest.Fault{Status: 401, Times: 2}, []string{"401 Unauthorized", "renewed it and repeated the call. The API refused the new token too."}},
			{identitytest.Fault{Status: 403}, []string{"403 Forbidden", "a right of the account is missing"}},
			{identitytest.Fault{LoseRequest: true}, []string{"No answer", "did not answer"}},
			{identitytest.Fault{DelayBefore: time.Hour}, []string{"No answer", "did not answer"}},
		} {
			pass(youngToken)
			o.Inject(identitytest.EndpointBackOffice, c.fault)
			b.done("office", "use").says("office", c.words...)
		}
	})
}

// A token that the API refuses, while no other can be had, is told of with the reason.
func TestPlatformUseWithoutRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newSite(t)
		b := s.administrator()
		b.done("office", "sign-in")
		o.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 401, Body: []byte(`{"error":"invalid_client"}`), Times: -1})
		b.done("office", "expire")
		refused := b.done("office", "use").says("office", "401 Unauthorized", "The API refused the token, and there is no other yet: the card says why.",
			"The Office does not accept this application as it is configured, or its configured address is wrong.", "The platform's code for this: invalid_client", "The sign-in is kept.")
		if card := refused.card("office"); strings.Contains(card, "Try again in") || strings.Contains(card, "clocks") { // that would cure nothing
			t.Errorf("the card says %s", refused.card("office"))
		}
		pass(31 * time.Second)
		asked := o.Count(identitytest.EndpointBackOffice)
		b.done("office", "use").says("office", "does not accept this application", "Expired")
		if o.Count(identitytest.EndpointBackOffice) != asked {
			t.Error("the API is called without a live token")
		}
		o.ClearFaults()
		pass(20 * time.Second)
		b.done("office", "use").says("office", "200 OK", "due for renewal")
	})
}

// opaque gives tokens that do not look like any.
type opaque struct{ given int }

// Refresh implements vault.Refresher.
func (o *opaque) Refresh(context.Context, *oauth2.Token) (*oauth2.Token, error) {
	o.given++
	return &oauth2.Token{AccessToken: fmt.Sprintf("%d-of-the-opaque-ones", o.given), Expiry: time.Now().Add(time.Minute)}, nil
}

// An API that repeats what it was sent, the refused token too, does not get it to the browser.
func TestPlatformThatEchoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		s, _ := newSite(t, func(c *config) {
			office := &c.Platforms[0]
			office.Refresher = &opaque{}
			office.Call.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
				sent = append(sent, r.Header.Get("Authorization"))
				status := map[bool]int{true: http.StatusUnauthorized, false: http.StatusOK}[len(sent) == 1]
				return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(strings.Join(sent, "; ")))}, nil
			})
		})
		b := s.administrator()
		b.done("office", "sign-in")
		pass(youngToken)
		answered := b.done("office", "use").says("office", "200 OK", "Bearer [token removed]; Bearer [token removed]")
		if len(sent) != 2 || sent[0] == sent[1] || strings.Contains(answered.body, "opaque") {
			t.Errorf("%d calls, and the page says %s", len(sent), answered.card("office"))
		}
	})
}

func TestPlatformFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newSite(t)
		b := s.administrator()
		b.done("office", "sign-in")
		pass(time.Second)
		b.done("office", "fail").says("office", "The Office could not give out a token just now: it answered 500 Internal Server Error.",
			"Try again in ", "The sign-in is kept.", "Valid", "29 s left", "Renewed not yet")
		b.done("office", "use").says("office", "200 OK")         // with the token that there is
		b.done("office", "fail").says("office", "Try again in ") // nobody is asked so soon, and nothing is left to fail later
		pass(2 * time.Second)
		b.done("office", "renew").says("office", "Renewed once")

		o.RevokeTokens(machine) // the account signs in once more instead
		pass(10 * time.Second)
		b.done("office", "renew").says("office", "Renewed 2 times")
	})
}

// What goes wrong names the platform, and has its code.
func TestPlatformProblems(t *testing.T) {
	for name, c := range map[string]struct {
		fault identitytest.Fault
		level string // in the log
		words []string
	}{
		"down":            {identitytest.Fault{LoseRequest: true}, "WARN", []string{"The Office does not answer", "Try again in 5 seconds."}},
		"asks to wait":    {identitytest.Fault{Status: 429, RetryAfter: "9"}, "WARN", []string{"it answered 429 Too Many Requests", "Try again in 9 seconds."}},
		"misconfigured":   {identitytest.Fault{Status: 400, Body: []byte(`{"error":"unauthorized_client"}`)}, "ERROR", []string{"does not accept this application", "code for this: unauthorized_client"}},
		"nonsense":        {identitytest.Fault{Status: 200, Body: []byte(`<html>`)}, "WARN", []string{"The answer of The Office does not follow its protocol"}},
		"bad credentials": {identitytest.Fault{Status: 400, Body: []byte(`{"error":"invalid_grant","error_description":"invalid_username_or_password"}`)}, "INFO", []string{"The Office does not accept this account's credentials", "code for this: invalid_grant"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, o := newSite(t)
				b := s.administrator()
				o.Inject(identitytest.EndpointToken, c.fault)
				failed := b.done("office", "sign-in").says("office", append(c.words, "Not signed in")...)
				if log := s.log.String(); !strings.Contains(log, `"level":"`+c.level+`","msg":"platform sign-in failed"`) || !strings.Contains(log, `"client":"platform/office"`) {
					t.Errorf("the log says %s", s.log.String())
				}
				if strings.Contains(failed.text(), "IdentityServer") || strings.Contains(failed.card("plain"), "The Office") {
					t.Errorf("it is told of something else: %s", failed.text())
				}
				pass(5 * time.Minute) // a Keeper does not try refused credentials sooner
				b.done("office", "sign-in").says("office", "Valid")
			})
		})
	}
}

// A Keeper's pauses are told in seconds, and why.
func TestPlatformPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newSite(t)
		b := s.administrator()
		b.done("office", "sign-in")
		pass(3 * time.Second)
		b.done("office", "sign-in").says("office", "signed in to The Office a moment ago", "Try again in 7 seconds.", "Valid")
		pass(7 * time.Second)
		b.done("office", "sign-in").says("office", "Valid", "Renewed not yet")

		o.password = "wrong-machine-password"
		pass(10 * time.Second)
		b.done("office", "sign-in").says("office", "does not accept this account's credentials", "no restart is needed", "Valid")
		pass(10 * time.Second)
		b.done("office", "sign-in").says("office", "does not accept this account's credentials", "waits before it asks again", "Try again in 10 seconds.")
		o.password = "machine-password"
		b.done("office", "sign-in").says("office", "Valid")
	})
}

// field 64: a sign-in by hand waits as long as the platform asked for, whether
// the platform said so to a sign-in or to a renewal.
func TestPlatformAsksToWait(t *testing.T) {
	for _, signedIn := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, o := newSite(t)
			b := s.administrator()
			action := "sign-in"
			if signedIn {
				b.done("office", "sign-in")
				b.done("robot", "sign-in")
				pass(time.Minute)
				action = "renew"
			}
			for platform, server := range map[string]*identitytest.Server{"office": o.Server, "robot": s.identity} {
				server.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 429, RetryAfter: "40"})
				b.done(platform, action).says(platform, "Try again in 40 seconds.")
				pass(15 * time.Second)
				asked := server.Count(identitytest.EndpointToken)
				b.done(platform, "sign-in").says(platform, "429 Too Many Requests", "This server waits before it asks again. Try again in 25 seconds.")
				if n := server.Count(identitytest.EndpointToken); n != asked {
					t.Errorf("%s, signed in %v: got %d requests too early, want 0", platform, signedIn, n-asked)
				}
				pass(25 * time.Second)
				b.done(platform, "sign-in").says(platform, "Valid")
			}
		})
	}
}

// A renewal that is overtaken by a sign-out brings nothing back, and there is nobody to revoke its token.
func TestPlatformSignOutDuringRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newSite(t)
		b := s.administrator()
		b.done("office", "sign-in")
		o.Inject(identitytest.EndpointToken, identitytest.Fault{DelayAfter: 5 * time.Second})
		renewed := make(chan *answer)
		go func() { renewed <- b.press("office", "renew") }()
		pass(time.Second)
		b.done("office", "sign-out").says("office", "Not signed in")
		(<-renewed).leadsTo("/platforms?of=office")
		b.get("/platforms?of=office").says("office", "Not signed in")
		pass(10 * time.Second)
		b.get("/platforms").says("office", "Not signed in")
		if n := o.Count(identitytest.EndpointSignOut); n != 0 {
			t.Errorf("%d remote sign-outs", n)
		}
	})
}

// Where the refresh token is all there is, its refusal ends the sign-in, which the card says until somebody signs in again.
func TestPlatformEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newSite(t, func(c *config) { c.Platforms[0].Refresher = guest{officeClient(t, c.APITransport)} })
		b := s.administrator()
		b.done("office", "sign-in")
		o.RevokeTokens(machine)
		b.done("office", "renew").says("office", "The Office ended this sign-in. Sign in again.", "Not signed in")
		b.get("/platforms").says("office", "The Office ended this sign-in.", "Not signed in")
		pass(10 * time.Second)
		if card := b.done("office", "sign-in").says("office", "Valid").card("office"); strings.Contains(card, "ended") {
			t.Errorf("the card says %s", card)
		}
	})
}

func TestPlatformConfigProblems(t *testing.T) {
	_, err := showcase.New(showcase.Config{Platforms: []showcase.Platform{
		{ID: "Of fice", Call: showcase.Call{URL: "http://user:hidden@api.example"}}, {ID: "twice"}, {ID: "twice", Name: "Twice"},
	}})
	for _, field := range []string{
		"Platforms[0].ID", "Platforms[0].Name", "Platforms[0].Refresher", "Platforms[0].Call.URL", "Platforms[2].ID", "Platforms[2].Refresher", "Records",
	} {
		if err == nil || !strings.Contains(err.Error(), "Config."+field+" ") {
			t.Errorf("New = %v, want a problem with Config.%s", err, field)
		}
	}
	if err != nil && strings.Contains(err.Error(), "hidden") {
		t.Error("the error tells a password")
	}
}
