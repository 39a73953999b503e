package showcase_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/vault"
)

// newShared returns a site, and a store that its replicas share and that can be
// down.
func newShared(t *testing.T, change ...func(*config)) (*site, *office, *outage) {
	t.Helper()
	s, o := newSite(t, append([]func(*config){func(c *config) { c.Store = &outage{Store: c.Store} }}, change...)...)
	return s, o, s.config.Store.(*outage)
}

// live counts the records of a kind that are there.
func (o *outage) live(t *testing.T, prefix string) int {
	t.Helper()
	there := map[string]bool{}
	for _, r := range o.written() {
		if _, err := o.Store.Get(t.Context(), r.Key); err == nil && strings.HasPrefix(r.Key, prefix) {
			there[r.Key] = true
		}
	}
	return len(there)
}

// last is the newest record of a kind that was written.
func (o *outage) last(t *testing.T, prefix string) store.Record {
	t.Helper()
	var found store.Record
	for _, r := range o.written() {
		if strings.HasPrefix(r.Key, prefix) {
			found = r
		}
	}
	if found.Key == "" {
		t.Fatalf("nothing that begins with %q was written", prefix)
	}
	return found
}

// robotIs fails unless the card says whether the robot is signed in.
func (b *browser) robotIs(signedIn bool) {
	b.site.t.Helper()
	synctest.Wait()
	if card := b.get("/platforms").is(200).card("robot"); strings.Contains(card, "Not signed in") == signedIn {
		b.site.t.Errorf("the robot's card says %q, want signed in: %t", card, signedIn)
	}
}

// Replicas share one sign-in of each account: whichever signs it in or out, all show and use the same.
func TestReplicasShareHoldings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o, _ := newShared(t)
		here := s.administrator()
		there := here.at(s.replica())
		for _, b := range []struct{ one, other *browser }{{here, there}, {there, here}} {
			b.other.robotIs(false)
			b.one.press("robot", "sign-in").leadsTo("/platforms?of=robot")
			b.other.robotIs(true)
			b.one.done("office", "sign-in")
			synctest.Wait()
			b.other.get("/platforms").is(200).says("office", "Valid", "Renewed not yet").says("plain", "Not signed in")

			pass(31 * time.Second)
			b.other.press("robot", "renew").leadsTo("/platforms?of=robot")
			b.other.done("office", "use").says("office", "200 OK", "Renewed once")
			synctest.Wait()
			b.one.get("/platforms").is(200).says("office", "Valid", "Renewed once")

			b.other.press("robot", "sign-out").leadsTo("/platforms?of=robot")
			b.other.done("office", "sign-out")
			b.one.robotIs(false)
			b.one.get("/platforms").is(200).says("office", "Not signed in")
			b.one.done("robot", "renew").says("robot", "not signed in to Robot any more")
			b.one.done("office", "use").says("office", "You are not signed in to The Office any more.")
			pass(10 * time.Second)
		}
		if ours, theirs := s.identity.Grants("password"), o.Grants("password"); ours != 2 || theirs != 2 {
			t.Errorf("%d and %d sign-ins, want one for each time that somebody asked", ours, theirs)
		}
	})
}

// An administrator who signs out leaves the accounts signed in, for the next one.
func TestHoldingsOutliveTheAdministrator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := newShared(t)
		b := s.administrator()
		b.press("robot", "sign-in").leadsTo("/platforms?of=robot")
		b.done("office", "sign-in")
		b.post("/sign-out/everywhere").leadsTo("/sign-in?done=signed-out-everywhere")
		next := s.administrator()
		next.robotIs(true)
		next.get("/platforms").is(200).says("office", "Valid")
	})
}

// Of two sign-ins at once, at two replicas, one is kept and the other one ends.
func TestReplicasSignInAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, there := newShared(t)
		one := s.administrator()
		other := one.at(s.replica())
		other.get("/account").is(200)
		there.slow = "held:"
		answers := make(chan *answer)
		for _, b := range []*browser{one, other} {
			go func() { answers <- b.press("robot", "sign-in") }()
		}
		for range 2 {
			(<-answers).leadsTo("/platforms?of=robot")
		}
		there.slow = ""
		pass(31 * time.Second)
		for _, b := range []*browser{one, other} {
			b.robotIs(true)
			b.press("robot", "renew").leadsTo("/platforms?of=robot")
		}
		if n := s.identity.Grants("password"); n != 2 {
			t.Errorf("%d sign-ins, want two to choose from", n)
		}
		if n := s.identity.Count(identitytest.EndpointSignOut); n != 1 {
			t.Errorf("%d of them have ended, want one", n)
		}
		if n := there.live(t, "token:"); n != 2 {
			t.Errorf("%d tokens are kept, want the administrator's and the machine's", n)
		}
	})
}

// Processes that are started again find the sign-ins, but not those of an account, or of a server, that was configured before.
func TestHoldingsAreFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o, _ := newShared(t)
		b := s.administrator()
		b.press("robot", "sign-in").leadsTo("/platforms?of=robot")
		b.done("office", "sign-in")
		restart := func(change func(*config)) *browser {
			t.Helper()
			closeBoth(t, s.web, s.showcase)
			change(&s.config)
			s.open()
			synctest.Wait()
			return b.at(s)
		}
		b = restart(func(*config) {})
		b.robotIs(true)
		b.get("/platforms").is(200).says("office", "Valid")
		pass(31 * time.Second)
		b.press("robot", "renew").leadsTo("/platforms?of=robot")
		b.done("office", "use").says("office", "200 OK")
		if ours, theirs := s.identity.Grants("password"), o.Grants("password"); ours != 1 || theirs != 1 {
			t.Errorf("%d and %d sign-ins, want one each", ours, theirs)
		}

		before := s.config.Platforms[0]
		b = restart(func(c *config) {
			c.Platforms[2].Account = "another@example.com"
			c.Platforms[0].Account = "another@example.com"
		})
		b.robotIs(false)
		b.get("/platforms").is(200).says("office", "Not signed in")
		b = restart(func(c *config) {
			c.Platforms[2].Account = machine
			c.Platforms[0] = before
			c.Platforms[0].Call.URL = "http://127.0.0.2/frontoffice/api/v3/account"
		})
		b.robotIs(true)
		b.get("/platforms").is(200).says("office", "Not signed in")
		b = restart(func(c *config) { c.Platforms[0] = before })
		b.get("/platforms").is(200).says("office", "Signs in as", "Renewed once")
	})
}

// What was sealed with a key that is gone is not signed in, and can be signed in again.
func TestHoldingsAndKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := newShared(t)
		first, second := s.config.Keys[0], vault.NewKey("second")
		old := s.administrator()
		old.press("robot", "sign-in").leadsTo("/platforms?of=robot")
		s.config.Keys = []vault.Key{second, first}
		both := s.replica().administrator()
		both.robotIs(true)
		s.config.Keys = []vault.Key{second}
		fresh := s.replica().administrator()
		fresh.robotIs(false)
		fresh.press("robot", "sign-in").leadsTo("/platforms?of=robot")
		fresh.robotIs(true)
		both.robotIs(true)
		old.robotIs(false)
	})
}

// A store that is away says nothing about who is signed in: nobody is signed in twice or out, and the pages come later.
func TestHoldingsWithTheStoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o, store := newShared(t)
		here := s.administrator()
		there := here.at(s.replica())
		here.press("robot", "sign-in").leadsTo("/platforms?of=robot")
		here.done("office", "sign-in")
		pass(15 * time.Second)
		there.get("/account").is(200) // so that the session is known there
		store.down.Store(true)
		answers := []*answer{there.get("/platforms"), here.press("robot", "sign-out"), here.press("office", "sign-out")}
		for _, action := range []string{"sign-in", "renew", "sign-out"} {
			answers = append(answers, there.press("robot", action), there.press("office", action))
		}
		answers = append(answers, there.press("office", "use"), there.press("office", "fail"))
		for i, a := range answers {
			if a.is(503); a.header.Get("Retry-After") == "" || strings.Contains(a.body, "Not signed in") {
				t.Errorf("answer %d has Retry-After %q: %s", i, a.header.Get("Retry-After"), a.text())
			}
		}
		store.down.Store(false)
		for _, b := range []*browser{here, there} {
			b.robotIs(true)
			b.get("/platforms").is(200).says("office", "Renewed not yet")
		}
		if ours, theirs, ended := s.identity.Grants("password"), o.Grants("password"), s.identity.Count(identitytest.EndpointSignOut); ours != 1 || theirs != 1 || ended != 0 {
			t.Errorf("%d and %d sign-ins, %d sign-outs", ours, theirs, ended)
		}
		there.press("robot", "sign-out").leadsTo("/platforms?of=robot")
		here.robotIs(false)
	})
}

// A store that goes away between the key and the tokens shows nobody as signed out.
func TestHoldingsWithHalfTheStoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o, store := newShared(t)
		here := s.administrator()
		there := here.at(s.replica())
		here.press("robot", "sign-in").leadsTo("/platforms?of=robot")
		here.done("office", "sign-in")
		there.get("/account").is(200) // so that the session is known there
		store.unreadable = "token:"
		if a := there.get("/platforms").is(503); a.header.Get("Retry-After") == "" {
			t.Error("the answer has no Retry-After")
		}
		store.unreadable = ""
		there.robotIs(true)
		there.get("/platforms").is(200).says("office", "Valid")
		if n := o.Grants("password"); n != 1 {
			t.Errorf("%d sign-ins", n)
		}
	})
}

// A sign-in that cannot be kept is ended, and the one before goes on.
func TestHoldingNotKept(t *testing.T) {
	for _, prefix := range []string{"token:", "held:"} {
		t.Run(prefix, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _, there := newShared(t)
				b := s.administrator()
				b.press("robot", "sign-in").leadsTo("/platforms?of=robot")
				there.unwritable = prefix
				for _, a := range []*answer{b.press("robot", "sign-in"), b.press("office", "sign-in")} {
					if a.is(503); a.header.Get("Retry-After") != "5" {
						t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
					}
				}
				there.unwritable = ""
				pass(31 * time.Second)
				if n := s.identity.Count(identitytest.EndpointSignOut); n != 1 {
					t.Errorf("%d remote sign-outs, want that of the second token", n)
				}
				if n := there.live(t, "token:"); n != 2 {
					t.Errorf("%d tokens are kept, want the administrator's and the machine's", n)
				}
				b.press("robot", "renew").leadsTo("/platforms?of=robot")
				b.robotIs(true)
			})
		})
	}
}

// leaver is a transport whose caller goes away when the answer is there.
type leaver struct {
	http.RoundTripper
	leave context.CancelFunc
}

// RoundTrip implements http.RoundTripper.
func (l *leaver) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	if l.leave != nil && strings.HasSuffix(r.URL.Path, "/connect/token") {
		l.leave()
	}
	return resp, err
}

// A browser that goes away leaves nothing half done: a sign-in that the server gave is kept, and a sign-out is carried out.
func TestHoldingsWhenTheBrowserGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := &leaver{}
		s, _, there := newShared(t, func(c *config) {
			gone.RoundTripper = c.APITransport
			c.Platforms[0].Refresher = guest{officeClient(t, gone)}
		})
		b := s.administrator()
		press := func(ctx context.Context, b *browser, action string) {
			r := b.request(http.MethodPost, "/platforms", strings.NewReader("platform=office&action="+action))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			b.send(r.WithContext(ctx))
		}
		ctx, cancel := context.WithCancel(t.Context())
		gone.leave = cancel
		press(ctx, b, "sign-in")
		if gone.leave = nil; ctx.Err() == nil {
			t.Fatal("the browser did not go away")
		}
		b.get("/platforms").is(200).says("office", "Valid")

		b = b.at(s.replica()) // which reads the record in the store
		b.get("/account").is(200)
		there.slow = "held:"
		ctx, cancel = context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		press(ctx, b, "sign-out")
		there.slow = ""
		b.get("/platforms").is(200).says("office", "Not signed in")
	})
}

// The record says nothing to who reads the store, and is there for as long as what it leads to.
func TestHoldingRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, there := newShared(t)
		b := s.administrator()
		b.press("robot", "sign-in").leadsTo("/platforms?of=robot")
		record, token := there.last(t, "held:"), there.last(t, "token:")
		if !record.Expires.After(token.Expires) || time.Until(token.Expires) != 30*24*time.Hour {
			t.Errorf("the record ends at %v, the tokens at %v", record.Expires, token.Expires)
		}
		sum := sha256.Sum256(record.Value)
		if token.Key == "token:"+base64.RawURLEncoding.EncodeToString(sum[:]) || strings.Contains(record.Key+record.Owner, "robot") {
			t.Error("the record tells what it is about")
		}
		pass(30*24*time.Hour - time.Second)
		s.administrator().robotIs(true)
		pass(2 * time.Minute)
		b = s.administrator()
		b.robotIs(false)
		b.press("robot", "sign-in").leadsTo("/platforms?of=robot")
		b.robotIs(true)
	})
}
