package e2e

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/vault"
)

var startStore = map[string]func(testing.TB) *database{"Redis": startRedis, "PostgreSQL": startPostgres}

// A scenario is what happens to two processes of the demo on one store.
type scenario func(t *testing.T, store string)

// storeScenarios depend on how a store swaps, lists and reports changes.
var storeScenarios = map[string]scenario{
	"RefreshOnce":          func(t *testing.T, store string) { refreshOnce(t, store, 0) },
	"KilledAfterTheAnswer": killedAfterTheAnswer,
	"SignOut":              signOut,
	"ShareSessions":        shareSessions,
	"StoppedReplica":       stoppedReplica,
	"CutOffReplica":        cutOffReplica,
}

// processScenarios do not.
var processScenarios = map[string]scenario{
	"RefreshOnceSlowly":     func(t *testing.T, store string) { refreshOnce(t, store, 16*time.Second) }, // field 40: longer than a lease, and than the demo waits for a sign-in
	"BrowserHangsUp":        browserHangsUp,
	"OutlastAnOutage":       outlastAnOutage,
	"SignInsAtOnce":         signInsAtOnce,
	"SecondFactor":          secondFactor,
	"SharePlatforms":        sharePlatforms,
	"RestartWithAnotherKey": restartWithAnotherKey,
	"KilledWhileAllEnd":     killedWhileAllEnd,
	"KeyIsMissing":          keyIsMissing,
}

// TestReplicas runs scenarios on a real Redis and on a real PostgreSQL. Those
// that do not depend on the store run on Redis, which starts sooner, and with
// B2TRADER_TEST_LONG=1 on PostgreSQL too. The scenarios share one server of each.
func TestReplicas(t *testing.T) {
	t.Parallel()
	for store, start := range startStore {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			db := start(t)
			scenarios := maps.Clone(storeScenarios)
			if store == "Redis" || long() {
				maps.Copy(scenarios, processScenarios)
			}
			for name, scenario := range scenarios {
				t.Run(name, func(t *testing.T) { t.Parallel(); scenario(t, db.part()) })
			}
			t.Run("StoreIsRestarted", func(t *testing.T) { t.Parallel(); storeIsRestarted(t, start(t)) })
		})
	}
}

// refreshOnce makes twenty calls with each of two expired tokens, at two
// processes. Each token causes one refresh with its own refresh token, and all
// calls are answered, however long the token endpoint takes, unless a busy
// machine keeps them waiting for longer than the demo lets a call wait: these
// are answered 503. req 47, 48, 49, 60
func refreshOnce(t *testing.T, store string, delay time.Duration) {
	f := newFleet(t, newSecrets(t), store)
	browsers := []*browser{f.expired(), f.expired()}
	f.server.Inject(identitytest.EndpointToken, identitytest.Fault{Grant: "refresh_token", DelayAfter: delay, Times: len(browsers)})
	const maxWait = 20 * time.Second
	began := time.Now()
	var all sync.WaitGroup
	for _, b := range browsers {
		all.Go(func() {
			for _, p := range f.calls(b, 20) {
				if p.status == http.StatusServiceUnavailable && time.Since(began) > maxWait {
					p.wantUnavailable()
					continue
				}
				if p.status != http.StatusOK || !strings.Contains(p.body, trader) {
					t.Errorf("GET %s = %d %s, want 200 with %s", apiCall, p.status, p.body, trader)
				}
			}
		})
	}
	all.Wait()
	f.wantRenewals("renewed", len(browsers))
	f.wantRenewals("failed", 0)
	for _, b := range browsers {
		f.wantAlive(b)
	}
	f.wantGrants("refresh_token", len(browsers))
	used := map[string]bool{}
	for _, r := range f.server.Requests(identitytest.EndpointToken) {
		if token := r.Form.Get("refresh_token"); token != "" && used[token] {
			t.Error("one refresh token was in two requests, want each in one")
		} else {
			used[token] = true
		}
	}
}

// browserHangsUp hangs up during the refresh. The renewal goes on and stores
// the new token. req 50
func browserHangsUp(t *testing.T, store string) {
	f := newFleet(t, newSecrets(t), store)
	b := f.expired()
	refresh := newHold(&f.server.token)
	done := make(chan error, 1)
	hangUp := b.background(b.fetching(apiCall), done)
	receive(t, refresh.arrived, "refresh")
	hangUp()
	if err := receive(t, done, "error of the browser"); err == nil {
		t.Error("the call was answered, want an error")
	}
	refresh.release()
	f.wantRenewals("renewed", 1)
	f.wantAlive(b)
	f.wantGrants("refresh_token", 1)
	f.wantGrants("authorization_code", 1)
}

// killedAfterTheAnswer kills a process after the token endpoint has answered
// and before the process has stored the answer. The refresh token is spent and
// its successor is lost. The other process takes the lease over, is refused, and
// resumes by the session at the IdentityServer. field 13
func killedAfterTheAnswer(t *testing.T, store string) {
	f := newFleet(t, newSecrets(t), store)
	b := f.expired()
	answer := newHold(&f.server.tokenAnswer)
	done := make(chan error, 1)
	b.background(b.fetching(apiCall), done)
	receive(t, answer.arrived, "answer of the token endpoint")
	f.demos[0].kill()
	if err := receive(t, done, "end of the call"); err == nil {
		t.Error("the killed process answered the call, want an error")
	}
	f.server.tokenAnswer.Store(nil)
	f.untilServed(b, f.demos[1])
	f.wantRenewals("resumed", 1)
	f.wantRenewals("renewed", 0)
	f.wantGrants("refresh_token", 2)      // of the killed process, and the one that is refused
	f.wantGrants("authorization_code", 2) // of the sign-in, and of resuming
	f.restart(0)
	f.wantAlive(b)
	f.wantGrants("refresh_token", 2)
}

// secondFactor enters the password at one process and the code at the other. It
// does so also after the first process was killed between the two. field 60
func secondFactor(t *testing.T, store string) {
	f := newFleet(t, newSecrets(t), store)
	begin := func() (*browser, string) {
		b := f.browser()
		p := b.signIn(guarded, "spa").want(http.StatusOK, "/sign-in/second-factor")
		return b.at(f.demos[1]), p.url.RequestURI()
	}
	const page = "/sign-in/second-factor"
	b, path := begin()
	b.open(path).submit(page, "Continue", "code", "975313").want(http.StatusUnprocessableEntity, page).
		submit(page, "Continue", "code", "246810").want(http.StatusOK, "/account", "Gail Guarded")
	f.wantAlive(b)
	b.open(path).want(http.StatusForbidden, page)

	b, path = begin()
	f.demos[0].kill()
	b.open(path).submit(page, "Continue", "code", "246810").want(http.StatusOK, "/account", "Gail Guarded")
	f.restart(0)
	f.wantAlive(b)
}

// storeIsRestarted restarts the store twice: while a token expires, and between
// the answer of the token endpoint and the write of the successor. No session
// ends, and no process needs a restart. req 51, 80
func storeIsRestarted(t *testing.T, db *database) {
	f := newFleet(t, newSecrets(t), db.part())
	b, second := f.expired(), f.expired()
	db.process.Stop(t)
	for _, d := range f.demos {
		b.at(d).fetch(apiCall).wantUnavailable()
		b.at(d).fetch("/session").wantUnavailable()
	}
	f.wantGrants("refresh_token", 0)
	db.process.Start(t)
	for _, d := range f.demos {
		f.untilServed(b, d)
	}
	f.wantGrants("refresh_token", 1)
	f.wantRenewals("renewed", 1)

	answer := newHold(&f.server.tokenAnswer)
	done := make(chan error, 1)
	second.background(second.fetching(apiCall), done)
	receive(t, answer.arrived, "answer of the token endpoint")
	db.process.Stop(t)
	answer.release()
	_ = receive(t, done, "answer of the call") // an error or 503, because the store is stopped
	db.process.Start(t)
	for _, d := range f.demos {
		f.untilServed(second, d)
	}
	f.wantAlive(second)
	f.wantGrants("refresh_token", 2)
	f.wantGrants("authorization_code", 2)
	f.wantRenewals("renewed", 2)
}

// outlastAnOutage lets the token endpoint fail for a while. The session waits
// for a later renewal. Each process honours Retry-After. req 55
func outlastAnOutage(t *testing.T, store string) {
	f := newFleet(t, newSecrets(t), store)
	b := f.expired()
	const pause = 3 * time.Second
	began := time.Now()
	f.server.Inject(identitytest.EndpointToken, identitytest.Fault{Status: http.StatusServiceUnavailable, RetryAfter: "3", Times: -1})
	for range 2 {
		for _, p := range f.calls(b, 10) {
			p.wantUnavailable()
		}
	}
	if p := b.fetch("/session"); p.status != http.StatusOK {
		t.Errorf("GET /session = %d, want 200", p.status)
	}
	f.server.ClearFaults()
	most := len(f.demos) * int(1+time.Since(began)/pause)
	for _, d := range f.demos {
		f.untilServed(b, d)
	}
	f.wantAlive(b)
	f.wantRenewals("renewed", 1)
	f.wantRenewals("resumed", 0)
	refused := 0
	for _, r := range f.server.Requests(identitytest.EndpointToken) {
		if r.Status == http.StatusServiceUnavailable {
			refused++
		}
	}
	if refused == 0 || refused > most {
		t.Errorf("refreshes of twenty calls = %d, want one, and at most %d: one of each process in %v", refused, most, pause)
	}
	f.wantGrants("refresh_token", refused+1)
}

// signInsAtOnce signs two accounts in at once, several times at each process.
// Each browser gets the account that it asked for.
func signInsAtOnce(t *testing.T, store string) {
	f := newFleet(t, newSecrets(t), store)
	var all sync.WaitGroup
	for i := range 8 { // 2 of each account at a process, fewer than the limit of attempts
		b, email := f.browser().at(f.demos[i%2]), []string{trader, admin}[i/2%2]
		form := b.open("/sign-in").filled("/sign-in", "Sign in", "email", email, "password", passwords[email], "client", "spa")
		all.Go(func() {
			if p, err := b.try(form); err != nil || p.header.Get("Location") != "/account" {
				t.Errorf("sign-in of %s: %v", email, err)
				return
			}
			if p, err := b.try(b.fetching("/session")); err != nil || !strings.Contains(p.body, email) {
				t.Errorf("GET /session = %v (%v), want %s", p, err, email)
			}
		})
	}
	all.Wait()
	f.wantGrants("authorization_code", 8)
}

// signOut signs out at one process while slow calls, event streams and
// websockets are open at both. The streams end, and the cookie opens nothing
// afterwards. req 77, 78, 103
func signOut(t *testing.T, store string) {
	f := newFleet(t, newSecrets(t), store)
	b := f.browser()
	account := b.signIn(trader, "spa").want(http.StatusOK, "/account")
	old := b.clone()
	slow := newHold(&f.server.slow)
	done := make(chan error, len(f.demos))
	var streams []<-chan time.Time
	for _, d := range f.demos {
		at := old.at(d)
		at.background(at.fetching(slowCall), done)
		receive(t, slow.arrived, "slow call")
		streams = append(streams, at.listenToEvents(t), at.dial(t))
	}
	account.submit("/sign-out", "Sign out").want(http.StatusOK, "/sign-in")
	for _, ended := range streams { // how soon they end is tested in virtual time, by package web
		receive(t, ended, "end of a stream")
	}
	f.wantEnded(old)
	slow.release()
	for range f.demos {
		if err := receive(t, done, "answer of the slow call"); err != nil {
			t.Errorf("slow call: %v, want an answer", err)
		}
	}
	f.wantEnded(old)
	f.wantCount(identitytest.EndpointSignOut, 1)
}

// shareSessions signs one account in at both processes. Both list and end the
// same sessions. req 81, 82
func shareSessions(t *testing.T, store string) {
	f := newFleet(t, newSecrets(t), store)
	phone, desk, third := f.browser(), f.browser().at(f.demos[1]), f.browser()
	for _, b := range []*browser{phone, desk, third} {
		b.signIn(trader, "spa").want(http.StatusOK, "/account", "Tracy Trader")
	}
	for _, d := range f.demos {
		until(t, "list of 3 sessions", func() bool {
			return phone.at(d).open("/sessions").want(http.StatusOK, "/sessions").doc().Find(".session").Length() == 3
		})
	}
	phone.at(f.demos[1]).open("/sessions").submit("/sessions/end-others", "End all others").want(http.StatusOK, "/sessions")
	f.wantAlive(phone)
	f.wantEnded(desk)
	f.wantEnded(third)

	desk.signIn(trader, "spa").want(http.StatusOK, "/account")
	desk.at(f.demos[0]).open("/sessions").submit("/sign-out/everywhere", "Sign out everywhere").want(http.StatusOK, "/sign-in")
	f.wantEnded(phone)
}

// killedWhileAllEnd kills a process as soon as the other one hears that all
// sessions of a user end. None of them is left. field 59
func killedWhileAllEnd(t *testing.T, store string) {
	f := newFleet(t, newSecrets(t), store)
	var all []*browser
	for i := range 4 { // fewer than the limit of attempts
		b := f.browser().at(f.demos[i%2])
		b.signIn(trader, "spa").want(http.StatusOK, "/account")
		all = append(all, b)
	}
	pressed := all[0].open("/sessions").filled("/sign-out/everywhere", "Sign out everywhere")
	done := make(chan error, 1)
	all[0].clone().background(pressed, done)
	until(t, "401 at the other process", func() bool {
		return all[3].at(f.demos[1]).fetch("/session").status == http.StatusUnauthorized
	})
	f.demos[0].kill()
	_ = receive(t, done, "end of the sign-out") // an answer, or an error
	f.restart(0)
	for _, b := range all {
		f.wantEnded(b)
	}
}

// keyIsMissing signs out at a process that lacks the key of the session. Until
// then it answers 503. The session and its streams end at the other process,
// too. field 42
func keyIsMissing(t *testing.T, store string) {
	f := newFleet(t, newSecrets(t), store)
	b := f.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	old := b.clone()
	stream := old.listenToEvents(t)
	f.setKeys(vault.NewKey("another"))
	f.restart(1)
	at := b.at(f.demos[1])
	for _, path := range []string{"/session", "/account/token", apiCall, eventsCall} {
		at.fetch(path).wantUnavailable()
	}
	at.open("/account").want(http.StatusServiceUnavailable, "/account")
	pressed := b.open("/account").filled("/sign-out", "Sign out")
	pressed.url.Host, pressed.origin = at.base.Host, at.base.Scheme+"://"+at.base.Host
	if p := at.send(pressed); p.header.Get("Location") != "/sign-in?done=signed-out" {
		t.Errorf("POST /sign-out = %d to %q, want 303 to the sign-in page", p.status, p.header.Get("Location"))
	}
	receive(t, stream, "end of the stream")
	f.wantEnded(old)
}

// restartWithAnotherKey restarts the processes one by one, with a new key for
// what is stored. No session ends at any step, and the other process serves
// meanwhile. req 81
func restartWithAnotherKey(t *testing.T, store string) {
	f := newFleet(t, newSecrets(t), store)
	first, second := vault.NewKey("first"), vault.NewKey("second")
	b := f.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	f.setKeys(first) // another secret under the same id: what is stored cannot be opened
	for n := range f.demos {
		f.restart(n)
	}
	b.open("/account").want(http.StatusServiceUnavailable, "/account")
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	for _, keys := range [][]vault.Key{{first}, {first, second}, {second, first}} {
		f.setKeys(keys...)
		for n := range f.demos {
			f.demos[n].stop()
			if p := b.at(f.demos[1-n]).fetch(apiCall); p.status != http.StatusOK {
				t.Errorf("process %d is stopped: GET %s at the other = %d, want 200", n, apiCall, p.status)
			}
			f.restart(n)
			f.wantAlive(b)
			fresh := f.browser().at(f.demos[n])
			fresh.signIn(admin, "spa").want(http.StatusOK, "/account")
			f.wantAlive(fresh)
		}
	}
	f.wantGrants("refresh_token", 0)
}
