package web_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web"
)

const knownCookie = "__Host-b2trader-known"

// proxied lets tests choose the address of a browser.
func proxied(c *web.Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // httptest's own
}

// from is a new browser at an address.
func (s *site) from(address string) *browser {
	b := s.browser()
	b.header.Set("X-Forwarded-For", address)
	return b
}

// moveTo gives the browser another address.
func (b *browser) moveTo(address string) *browser {
	b.header.Set("X-Forwarded-For", address)
	return b
}

func (b *browser) guess(email string) *answer {
	return b.post("/sign-in", "email", email, "password", "wrong-password", "client", "spa")
}

func (b *browser) known() string {
	for _, c := range b.jar.Cookies(b.url()) {
		if c.Name == knownCookie {
			return c.Value
		}
	}
	return ""
}

func (b *browser) setKnown(value string) {
	b.jar.SetCookies(b.url(), []*http.Cookie{{Name: knownCookie, Value: value, Secure: true, Path: "/"}})
}

// changed returns text with another letter at i.
func changed(text string, i int) string {
	letter := "A"
	if text[i] == 'A' {
		letter = "B"
	}
	return text[:i] + letter + text[i+1:]
}

// field 15: a stranger uses up the attempts of the own address only, however
// long the stranger goes on.
func TestStrangerAtOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, proxied)
		stranger := s.from("203.0.113.1")
		refused := 0
		for minute := range 120 {
			for range 6 {
				if stranger.guess("trader@example.com").status == http.StatusTooManyRequests {
					refused++
				}
			}
			if minute%10 == 0 {
				s.from("203.0.113.2").signIn("trader", "spa").leadsTo("/account")
			}
			pass(time.Minute)
		}
		if got, most := 720-refused, 5+4*5*2+4*5; got > most {
			t.Errorf("%d guesses from one address in two hours, want at most %d", got, most)
		}
	})
}

// field 15: guesses from many addresses are slowed down, but not a browser that
// has signed in to the account before, wherever it is.
func TestStrangersAtManyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, proxied)
		home := s.from("198.51.100.1")
		home.signIn("trader", "spa").leadsTo("/account")
		guesses := 0
		for i := range 100 {
			stranger := s.from(fmt.Sprintf("203.0.113.%d", i))
			for range 5 {
				if stranger.guess("trader@example.com").status == http.StatusUnprocessableEntity {
					guesses++
				}
			}
		}
		if guesses != 60 {
			t.Errorf("%d guesses from 100 addresses reached the server, want 60", guesses)
		}
		s.from("198.51.100.2").signIn("trader", "spa").is(429)
		home.signIn("trader", "spa").leadsTo("/account")
		home.moveTo("203.0.113.1").signIn("trader", "spa").leadsTo("/account") // where guesses came from
		home.post("/sign-out").leadsTo("/sign-in?done=signed-out")
		home.signIn("trader", "spa").leadsTo("/account")
		home.at(s.replica()).signIn("trader", "spa").leadsTo("/account")

		stranger := s.from("203.0.113.200")
		for i := range 40 { // the address has no attempt left
			stranger.guess(fmt.Sprintf("user%d@example.com", i))
		}
		home.moveTo("203.0.113.200").signIn("trader", "spa").leadsTo("/account")
		home.signIn("admin", "spa").is(429) // it is not known to that account
	})
}

// field 15: the exemption has a limit of its own.
func TestKnownBrowserMayNotGuess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, proxied)
		b := s.from("198.51.100.1")
		b.signIn("trader", "spa").leadsTo("/account")
		for i := range 5 {
			b.moveTo(fmt.Sprintf("198.51.100.%d", i)).guess("trader@example.com").is(422)
		}
		b.moveTo("198.51.100.9").guess("Trader@example.com ").is(429)
		s.from("198.51.100.1").signIn("trader", "spa").leadsTo("/account")
	})
}

// field 15: an IPv6 /64 is one address.
func TestStrangerInOneNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, proxied)
		for i := range 5 {
			s.from(fmt.Sprintf("[2001:db8:1:2::%x]:443", i)).guess("trader@example.com").is(422)
		}
		s.from("2001:db8:1:2:ffff::1").guess("trader@example.com").is(429)
		s.from("2001:db8:1:3::1").signIn("trader", "spa").leadsTo("/account")
	})
}

// field 15: the cookie is bound to its account, cannot be made or changed, ends,
// and shows nothing.
func TestKnownBrowserCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := vault.NewKey("old"), vault.NewKey("next")
		kept := memstore.New()
		s := newSite(t, proxied, func(c *web.Config) { c.Store, c.Keys = kept, []vault.Key{old} })
		b := s.from("198.51.100.1")
		a := b.signIn("trader", "spa").leadsTo("/account")
		set := strings.Join(a.header.Values("Set-Cookie"), "\n")
		for _, want := range []string{knownCookie + "=", "; HttpOnly", "; Secure", "; SameSite=Strict", "; Path=/", "; Max-Age=7776000"} {
			if !strings.Contains(set, want) {
				t.Errorf("Set-Cookie = %s, want %s", set, want)
			}
		}
		mark := b.known()
		b.signIn("trader", "spa").leadsTo("/account")
		if again := b.known(); again == mark || len(again) != len(mark) {
			t.Errorf("the cookie is %q and then %q, want another one of the same length", mark, again)
		}
		b.signIn("admin", "spa").leadsTo("/account") // known to two accounts
		both := b.known()

		exhaust := func(s *site) {
			for i := range 13 { // 65 guesses
				for range 5 {
					s.from(fmt.Sprintf("203.0.113.%d", i)).guess("trader@example.com")
				}
			}
		}
		exhaust(s)
		try := func(s *site, cookie string) *answer {
			t.Helper()
			b := s.from("198.51.100.77")
			b.setKnown(cookie)
			return b.signIn("trader", "spa")
		}
		try(s, mark).leadsTo("/account")
		try(s, both).leadsTo("/account")
		stranger := s.from("198.51.100.3")
		stranger.signIn("admin", "spa").leadsTo("/account")
		for name, cookie := range map[string]string{
			"none": "", "of another account": stranger.known(), "empty marks": "...", "no base64": "!!!", "short": mark[:40], "two halves": mark[:27] + "." + mark[27:],
			"changed": changed(mark, 0), "end changed": changed(mark, 24), "MAC changed": changed(mark, 40), "many": strings.Repeat("A.", 1000),
		} {
			if a := try(s, cookie); a.status != http.StatusTooManyRequests {
				t.Errorf("the cookie %s: status %d, want 429", name, a.status)
			}
		}

		rotated := newSite(t, proxied, func(c *web.Config) { c.Store, c.Keys = kept, []vault.Key{next, old} })
		exhaust(rotated)
		try(rotated, mark).leadsTo("/account")
		removed := newSite(t, proxied, func(c *web.Config) { c.Store, c.Keys = kept, []vault.Key{next} })
		exhaust(removed)
		try(removed, mark).is(429)

		for _, closed := range []*site{s, rotated, removed} { // a running site would sweep for months
			if err := closed.web.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		pass(91 * 24 * time.Hour)
		late := newSite(t, proxied, func(c *web.Config) { c.Store, c.Keys = kept, []vault.Key{old} })
		exhaust(late)
		try(late, mark).is(429)
	})
}

// field 30: a name of an account in the log cannot be found by guessing the
// account, all processes use the same, and a server's message is logged without
// the account.
func TestAccountsInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name := func(s *site) string {
			t.Helper()
			_, after, found := strings.Cut(s.log.String(), `"account":"`)
			account, _, _ := strings.Cut(after, `"`)
			if !found || len(account) != 16 {
				t.Fatalf("the log names the account %q, want 16 letters", account)
			}
			return account
		}
		s := newSite(t, shared)
		const typed = "My-Secret-Pass"
		s.identity.Inject(identitytest.EndpointSignIn, identitytest.Fault{Status: 400,
			Body: []byte(`{"errors":[{"code":"1","message":"no user ` + typed + `; did you mean trader@example.com?"}]}`)})
		s.browser().guess(typed).is(422)
		got := name(s)
		if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.ToLower(typed)))); strings.HasPrefix(sum, got) {
			t.Errorf("the account is named %s, which is its hash without a key", got)
		}
		if log := s.log.String(); strings.Contains(log, typed) || strings.Contains(log, "trader@example.com") || !strings.Contains(log, "did you mean") {
			t.Errorf("the log repeats an account of the server's message, or lacks the message: %s", log)
		}
		twin := newSite(t, func(c *web.Config) { c.Store, c.Keys = s.config.Store, s.config.Keys })
		twin.browser().guess(" " + strings.ToUpper(typed) + " ")
		stranger := newSite(t, shared)
		stranger.browser().guess(typed)
		if name(twin) != got || name(stranger) == got {
			t.Errorf("the account is named %s, %s in a process with the same keys and %s in one with others, want the first two equal", got, name(twin), name(stranger))
		}
	})
}
