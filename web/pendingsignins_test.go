package web_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web"
)

const rightCode = "246810"

// begun signs in up to the second factor and returns the ID of the pending
// sign-in.
func (b *browser) begun(more ...string) string {
	b.site.t.Helper()
	to := b.signIn("guarded", "spa", more...).header.Get("Location")
	_, id, ok := strings.Cut(to, "attempt=")
	if !ok {
		b.site.t.Fatalf("the sign-in leads to %q, want the second factor", to)
	}
	return id
}

func (b *browser) code(id, code string) *answer {
	b.site.t.Helper()
	return b.post("/sign-in/second-factor", "attempt", id, "code", code)
}

// manyAttempts keeps the limit of attempts out of a test.
func manyAttempts(c *web.Config) { c.AttemptsPerAccount, c.AttemptsPerAddress = 1000, 1000 }

// field 60: another process finishes a sign-in, once and for its browser only.
func TestSecondFactorInAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, manyAttempts)
		other := s.replica()
		b := s.browser()
		id := b.begun("return_to", "/flow")
		b.at(other).get("/sign-in/second-factor?attempt="+id).is(200, "one-time", "Email")
		stranger := other.browser()
		stranger.begun()
		stranger.code(id, rightCode).is(403, "cannot be completed any more")
		b.at(other).code(id, "975313").is(422, "not accepted")
		before := b.session()
		b.at(other).code(id, rightCode).leadsTo("/flow")
		if b.session() == before {
			t.Error("the session's id stays at the second factor")
		}
		b.get("/flow").is(200, "POST /sign-in/second-factor", "POST /sign-in map", "/identity/connect/token")
		for _, at := range []*browser{b, b.at(other)} {
			at.get("/account").is(200, "guarded@example.com")
			at.code(id, rightCode).is(403, "cannot be completed any more")
		}
	})
}

// field 60: the process that asked for the second factor is gone.
func TestSecondFactorAfterTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		b := s.browser()
		id := b.begun()
		if err := s.web.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.at(s.replica()).code(id, rightCode).leadsTo("/account")
	})
}

// field 60: one of two processes that get the same code finishes the sign-in.
func TestSecondFactorAtTwoProcessesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		other := s.replica()
		b := s.browser()
		id := b.begun()
		s.identity.Inject(identitytest.EndpointSignIn, identitytest.Fault{DelayAfter: time.Second})
		answers := make(chan *answer)
		for _, at := range []*site{s, other} {
			twin := at.browser()
			twin.setSession(b.session())
			go func() { answers <- twin.code(id, rightCode) }()
		}
		first, second := <-answers, <-answers
		if first.status > second.status {
			first, second = second, first
		}
		first.leadsTo("/account")
		second.is(403, "cannot be completed any more")
		if n := s.identity.Count(identitytest.EndpointSignIn); n != 2 {
			t.Errorf("%d sign-in requests, want the password's and one for the code", n)
		}
	})
}

// field 60: a process that is killed while it verifies a code holds the sign-in
// for a short time only.
func TestSecondFactorIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		other := s.replica()
		b := s.browser()
		id := b.begun()
		s.identity.Inject(identitytest.EndpointSignIn, identitytest.Fault{DelayBefore: 50 * time.Second})
		stuck := s.browser()
		stuck.setSession(b.session())
		late := make(chan *answer)
		go func() { late <- stuck.code(id, rightCode) }()
		synctest.Wait()
		started := time.Now()
		b.at(other).code(id, rightCode).leadsTo("/account")
		if took := time.Since(started); took > 21*time.Second {
			t.Errorf("the code was verified after %v, want at most 21 s", took)
		}
		if a := <-late; a.status == http.StatusSeeOther {
			t.Error("the first request finished the sign-in once more")
		}
		b.get("/account").is(200)
	})
}

// field 60: what is stored of a pending sign-in is sealed.
func TestPendingSignInIsSealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &outage{Store: memstore.New()}
		s := newSite(t, func(c *web.Config) { c.Store, c.Keys = kept, []vault.Key{vault.NewKey("key")} })
		b := s.browser()
		b.code(b.begun(), "975313").is(422)
		found := false
		for _, r := range kept.written() {
			found = found || strings.HasPrefix(r.Key, "sign-in:")
			for name, secret := range s.seen.all() {
				if text := r.Key + r.Owner + string(r.Value); strings.Contains(text, secret) || strings.Contains(text, "guarded") {
					t.Errorf("the record %s shows a %s or the account", r.Key, name)
				}
			}
		}
		if !found {
			t.Error("no pending sign-in is stored")
		}
	})
}

// field 17: a code counts whatever the IdentityServer answers to it, in all
// processes together.
func TestEachCodeCounts(t *testing.T) {
	for _, f := range []identitytest.Fault{
		{}, // 400 with the documented shape
		{Status: 403, Body: []byte(`{"error":"no"}`)},
		{Status: 403, Body: []byte(`<html>no`), ContentType: "text/html"},
		{Status: 404}, {Status: 429, RetryAfter: "1"}, {Status: 500},
		{Status: 200, Body: []byte(`{"secondFactorRequired":true}`)},
		{Status: 200, Body: []byte(`nonsense`)},
	} {
		t.Run(fmt.Sprint(f.Status, " ", string(f.Body)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, shared, manyAttempts)
				at := []*site{s, s.replica()}
				b := s.browser()
				id := b.begun()
				if f.Status != 0 {
					f.Times = -1
					s.identity.Inject(identitytest.EndpointSignIn, f)
				}
				for i := range 30 {
					b.at(at[i%2]).code(id, "975313")
				}
				if n := s.identity.Count(identitytest.EndpointSignIn) - 1; n != 5 {
					t.Errorf("%d of 30 codes reached the server, want 5", n)
				}
				s.identity.ClearFaults()
				b.code(id, rightCode).is(403)
			})
		})
	}
}

// Codes are attempts to sign in: those of several sign-ins count together.
func TestCodesAreAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		ids := []string{b.begun(), b.begun()} // 2 of 5 attempts a minute
		for i := range 3 {
			b.code(ids[i%2], "975313").is(422)
		}
		for _, id := range ids {
			if a := b.code(id, rightCode).is(429); a.header.Get("Retry-After") == "" {
				t.Error("Retry-After = none, want a time")
			}
		}
		pass(time.Minute)
		b.code(ids[0], rightCode).leadsTo("/account")
	})
}

// field 17: codes that are sent at once, to two processes, count before they
// are sent.
func TestCodesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, manyAttempts)
		at := []*site{s, s.replica()}
		b := s.browser()
		id := b.begun()
		s.identity.Inject(identitytest.EndpointSignIn, identitytest.Fault{DelayAfter: time.Second, Times: -1})
		const tries = 30
		done := make(chan *answer)
		for i := range tries {
			twin := at[i%2].browser()
			twin.setSession(b.session())
			go func() { done <- twin.code(id, "975313") }()
		}
		for range tries {
			<-done
		}
		if n := s.identity.Count(identitytest.EndpointSignIn) - 1; n != 5 {
			t.Errorf("%d of %d codes reached the server, want 5", n, tries)
		}
	})
}

// field 17: a code that met an outage does not count, but one whose browser hung
// up does.
func TestCodesInAnOutage(t *testing.T) {
	for name, f := range map[string]identitytest.Fault{
		"no answer": {LoseRequest: true}, "gateway": {Status: 502}, "unavailable": {Status: 503}, "timeout": {Status: 504},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				b := s.browser()
				id := b.begun()
				f.Times = -1
				s.identity.Inject(identitytest.EndpointSignIn, f)
				for range 20 {
					b.code(id, rightCode).is(503)
				}
				s.identity.ClearFaults()
				b.code(id, rightCode).leadsTo("/account")
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, manyAttempts)
		b := s.browser()
		id := b.begun()
		s.identity.Inject(identitytest.EndpointSignIn, identitytest.Fault{DelayAfter: time.Minute, Times: -1})
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			r := b.request(http.MethodPost, "/sign-in/second-factor", strings.NewReader("attempt="+id+"&code=975313")).WithContext(ctx)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			b.send(r)
			cancel()
		}
		if n := s.identity.Count(identitytest.EndpointSignIn) - 1; n != 5 {
			t.Errorf("%d codes of a browser that hangs up reached the server, want 5", n)
		}
	})
}

// field 48: sign-ins that failed because the IdentityServer or the store was
// away are no attempts.
func TestOutagesAreNoAttempts(t *testing.T) {
	for name, c := range map[string]struct {
		endpoint identitytest.Endpoint
		fault    identitytest.Fault
	}{
		"sign-in down":        {identitytest.EndpointSignIn, identitytest.Fault{LoseRequest: true}},
		"sign-in unavailable": {identitytest.EndpointSignIn, identitytest.Fault{Status: 503}},
		"sign-in fails":       {identitytest.EndpointSignIn, identitytest.Fault{Status: 500}},
		"authorize down":      {identitytest.EndpointAuthorize, identitytest.Fault{LoseRequest: true}},
		"token unavailable":   {identitytest.EndpointToken, identitytest.Fault{Status: 503}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				c.fault.Times = -1
				s.identity.Inject(c.endpoint, c.fault)
				for range 40 { // more than an account and an address have
					s.browser().signIn("trader", "spa").is(503)
				}
				s.identity.ClearFaults()
				s.browser().signIn("trader", "spa").leadsTo("/account")
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		kept := &outage{Store: memstore.New()}
		s := newSite(t, func(c *web.Config) { c.Store, c.Keys = kept, []vault.Key{vault.NewKey("key")} })
		kept.down.Store(true)
		for range 20 {
			s.browser().signIn("trader", "spa").is(503)
			s.browser().signIn("guarded", "spa").is(503)
		}
		kept.down.Store(false)
		s.browser().signIn("trader", "spa").leadsTo("/account")
		b := s.browser()
		b.code(b.begun(), rightCode).leadsTo("/account")
	})
}
