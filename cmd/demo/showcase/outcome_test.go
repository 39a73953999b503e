package showcase_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// What became of an action is shown once, at its platform, and to load the page again does nothing again.
func TestOutcomeIsShownOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newSite(t)
		b := s.administrator()
		b.done("office", "sign-in")
		for _, c := range [][2]string{{"sign-in", "a moment ago"}, {"use", "200 OK"}, {"expire", "has forgotten its access tokens"}} {
			action, words := c[0], c[1]
			b.press("office", action).leadsTo("/platforms?of=office")
			calls, requests := o.Count(identitytest.EndpointBackOffice), o.Count(identitytest.EndpointToken)
			for _, other := range []string{"/platforms", "/platforms?of=plain", "/account"} {
				if strings.Contains(b.get(other).body, words) {
					t.Errorf("what %s did is told on %s", action, other)
				}
			}
			b.get("/platforms?of=office").says("office", words)
			if strings.Contains(b.get("/platforms?of=office").body, words) {
				t.Errorf("what %s did is told again", action)
			}
			if o.Count(identitytest.EndpointBackOffice) != calls || o.Count(identitytest.EndpointToken) != requests {
				t.Errorf("to look at what %s did does it again", action)
			}
			pass(10 * time.Second)
			b.done("office", "renew").says("office", "The token is renewed.")
		}
	})
}

// A use past the mark shows what comes of the renewal that it begins.
func TestPlatformUsePastTheMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newSite(t)
		b := s.administrator()
		b.done("office", "sign-in")
		pass(21 * time.Second)
		b.get("/platforms").says("office", "Renewal due")
		o.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: 4 * time.Second})
		b.done("office", "use").says("office", "Valid", "Renewed once", "The token was due for renewal, so this server renewed it. The API accepted")

		pass(19 * time.Second)
		o.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: 6 * time.Second})
		b.done("office", "use").says("office", "Renewal due", "Renewed once", "The token is due for renewal, and the renewal is under way. The API accepted")
		pass(time.Second)
		b.get("/platforms").says("office", "Valid", "Renewed 2 times")

		pass(21 * time.Second)
		o.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 503, RetryAfter: "4", Body: []byte(`{"error":"temporarily_unavailable"}`)})
		b.done("office", "use").says("office", "Renewal due", "The API accepted the token.", "The last renewal failed. The Office could not give out a token just now: it answered 503 Service Unavailable.",
			"Try again in 4 seconds. The sign-in is kept.", "The platform's code for this: temporarily_unavailable")
		b.get("/platforms").says("office", "The last renewal failed.", "Try again in 4 seconds.") // until there is a successor
		pass(5 * time.Second)
		if card := b.get("/platforms").says("office", "The last renewal failed.").card("office"); strings.Contains(card, "Try again in") {
			t.Errorf("the card tells to wait longer: %s", card)
		}
		if card := b.done("office", "use").says("office", "Renewed 3 times", "so this server renewed it").card("office"); strings.Contains(card, "failed") {
			t.Errorf("the card tells of a failure that is over: %s", card)
		}
	})
}

// A refused token whose successor comes late is told of as such.
func TestPlatformUseBeforeALateRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newSite(t)
		b := s.administrator()
		b.done("office", "sign-in")
		pass(youngToken)
		o.Inject(identitytest.EndpointBackOffice, identitytest.Fault{Status: 401})
		o.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: 17 * time.Second})
		b.done("office", "use").says("office", "401 Unauthorized", "The API refused the token. There is another now: use the API again.", "Renewed once")
	})
}

// metered gives tokens that are good for thirty uses.
type metered struct{ opaque }

// MaxUses is for the vault.
func (*metered) MaxUses() int { return 30 }

// A long answer is cut where the session would grow by it, and a budget of uses is told.
func TestPlatformAnswerIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newSite(t, func(c *config) {
			office := &c.Platforms[0]
			office.Refresher = &metered{}
			office.Call.Transport = transportFunc(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(strings.Repeat("long ", 4<<10)))}, nil
			})
		})
		b := s.administrator()
		b.done("office", "sign-in").says("office", "Used 0 of 30 times")
		answered := b.done("office", "use").says("office", "200 OK", "[the answer goes on]", "Used 1 of 30 times")
		if n := strings.Count(answered.body, "long"); n < 1000 || n > 8<<10/5+1 {
			t.Errorf("%d words of the answer are shown", n)
		}
		for range 18 {
			b.done("office", "use")
		}
		b.done("office", "use").says("office", "due for renewal, so this server renewed it", "Renewed once", "Used 0 of 30 times")
		if strings.Contains(b.get("/platforms").card("plain"), "Used") {
			t.Error("uses are told where nothing bounds them")
		}
	})
}

// failing is a Refresher that has nothing but an error.
type failing struct{ err error }

// Refresh implements vault.Refresher.
func (f failing) Refresh(context.Context, *oauth2.Token) (*oauth2.Token, error) { return nil, f.err }

// Whoever must do something is named, and nobody is told to wait where that is of no use.
func TestPlatformWhoMustAct(t *testing.T) {
	noBearer := fmt.Errorf("%w: %w", tokenapi.ErrUnavailable, tokenapi.ErrNoBearer)
	for name, c := range map[string]struct {
		err        error
		says, lies string
	}{
		"no token was sent":      {&tokenapi.Error{Err: noBearer}, "is missing or has expired: the operator of this site must put a new one into the configured file.", "Try again"},
		"the one shown is stale": {&tokenapi.Error{Err: noBearer, Sent: true, StatusCode: 401}, "is missing or has expired: the operator of this site must put a new one into the configured file.", "401"},
		"one is on its way":      {&tokenapi.Error{Err: noBearer, RetryAfter: 3 * time.Second}, "needs a token of another system first, and that is not available just now. Try again in 3 seconds.", "missing"},
		"out of reach":           {&tokenapi.Error{Err: tokenapi.ErrUnavailable}, "it cannot be reached, or its certificate is not trusted. The log says which. Try again in 5 seconds.", "see first"},
		"no password":            {&tokenapi.Error{Err: tokenapi.ErrMisconfigured}, "the password's file may be missing. Nothing was sent.", "address"},
		"another's address":      {&tokenapi.Error{Err: tokenapi.ErrMisconfigured, Sent: true, StatusCode: 404}, "as it is configured, or its configured address is wrong.", "Try again"},
		"anything else":          {errors.New("anything"), "Something went wrong here, not at The Office.", "Try again"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, _ := newSite(t, func(c2 *config) { c2.Platforms[0].Refresher = failing{c.err} })
			card := s.administrator().done("office", "sign-in").says("office", c.says).card("office")
			if strings.Contains(card, c.lies) {
				t.Errorf("%s: the card says %s", name, card)
			}
		})
	}
}
