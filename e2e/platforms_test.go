package e2e

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// A system is one of those that the platforms page shows.
type system struct {
	id, name string
	call     string // what "Use the API" asks for
	answer   string // what is in the body of its answer
	failure  string // how it answers the renewal that is told to fail
	code     string // its own for that; may be empty
}

// systems are the five, in the order of the page.
func systems() []system {
	return []system{
		{"b2trader", "B2Trader", "GET /backoffice/api/v1/clients", "grantTypes", "503 Service Unavailable", ""},
		{"b2core", "B2Core platforms", "GET " + b2coretest.APIPath, "25000.00", "429 Too Many Requests", ""},
		{"traderevolution", "TraderEvolution Back Office", "GET /proftrading/rest" + traderevolutiontest.APIPath, traderevolutiontest.SampleLogin, "429 Too Many Requests", "2.147.1.27"},
		{"tradevest", "Tradevest", "GET " + tradevesttest.APIPath, "Sample Customer", "503 Service Unavailable", "temporarily_unavailable"},
		{"b2binpay", "B2BINPAY", "GET " + b2binpaytest.APIPath, "0.300000000000000000", "429 Too Many Requests", "throttled"},
	}
}

// embeddedSecrets are what the demo's own servers take, but for what its sign-in page tells.
func embeddedSecrets() *guard {
	g := &guard{}
	g.learn("password", "machine-password")
	for _, client := range []string{"spa_admin", "core_ib", "lk"} {
		g.learn("client secret", client+"-secret")
	}
	g.learn("password", traderevolutiontest.SamplePassword)
	g.learn("client secret", tradevesttest.SampleClientSecret)
	g.learn("password", b2binpaytest.SamplePassword)
	g.learn("JWT by its header", "eyJhbGciOi") // {"alg":
	g.learn("JWT by its header", "eyJ0eXAiOi") // {"typ":
	return g
}

// desk is a browser at the card of one platform.
type desk struct {
	*page
	system
}

// desk signs the sample administrator in, and opens the page by the navigation.
func (d *demo) desk(t *testing.T, w *world, s system) desk {
	t.Helper()
	b := newBrowser(t, w, d.site, http.DefaultTransport.(*http.Transport).Clone())
	p := b.open("/sign-in").submit("/sign-in", "Sign in", "email", admin, "password", "admin-password", "client", "spa_admin")
	return desk{p.follow("Platforms").want(http.StatusOK, "/platforms", s.name), s}
}

// press presses a button of the card.
func (d desk) press(action string) desk {
	d.b.t.Helper()
	return desk{d.submit("/platforms", action, "platform", d.id), d.system}
}

// card is a selector of what is in the card.
func (d desk) card(within string) string {
	return `.platform:has(input[name=platform][value="` + d.id + `"]) ` + within
}

// says fails unless all is well, and the card has all the words.
func (d desk) says(words ...string) desk {
	d.b.t.Helper()
	d.want(http.StatusOK, "/platforms")
	card := d.text(d.card(""))
	for _, word := range words {
		if !strings.Contains(card, word) {
			d.b.t.Errorf("%s: the card lacks %q: %s", d.id, word, card)
		}
	}
	return d
}

// signedIn fails unless the card shows how long a token lives, or, if it should not, offers to sign in and nothing else.
func (d desk) signedIn(yes bool) desk {
	d.b.t.Helper()
	meters := d.doc().Find(d.card(".meter progress[max][value]")).Length()
	var actions []string
	for _, button := range d.doc().Find(d.card("button[name=action]")).EachIter() {
		actions = append(actions, button.AttrOr("value", ""))
	}
	if yes {
		d.says("Valid", "left", "Renewed")
	} else {
		d.says("Not signed in")
	}
	if yes != (meters == 1) || yes == slices.Contains(actions, "sign-in") || !yes && len(actions) != 1 {
		d.b.t.Errorf("%s: %d meters, and buttons for %v", d.id, meters, actions)
	}
	return d
}

// renewals are how often the card says that the token was renewed.
func (d desk) renewals() int {
	d.b.t.Helper()
	found := regexp.MustCompile(`Renewed (not yet|once|(\d+) times)`).FindStringSubmatch(d.text(d.card(".facts")))
	switch {
	case found == nil:
		d.b.t.Fatalf("%s: no count of renewals: %s", d.id, d.text(d.card("")))
	case found[1] == "not yet":
		return 0
	case found[1] == "once":
		return 1
	}
	n, err := strconv.Atoi(found[2])
	if err != nil {
		d.b.t.Fatal(err)
	}
	return n
}

// announced is how long the card says that it takes until another try makes sense.
func (d desk) announced() time.Duration {
	d.b.t.Helper()
	alert := d.text(d.card("[role=alert]"))
	found := regexp.MustCompile(`Try again in (a|\d+) seconds?\.`).FindStringSubmatch(alert)
	if found == nil {
		d.b.t.Fatalf("%s: no pause is announced: %s", d.id, alert)
	}
	n, err := strconv.Atoi(strings.ReplaceAll(found[1], "a", "1"))
	if err != nil {
		d.b.t.Fatal(err)
	}
	return time.Duration(n) * time.Second
}

// apart is when an account may sign in again, which is also how some renew: a second after it did.
func apart() <-chan time.Time { return time.After(1100 * time.Millisecond) }

// Five systems, each with the steps that the page tells its readers to try.
func TestPlatforms(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "-addr", "127.0.0.1:0", "-log-format", "json")
	w := &world{t: t, guard: embeddedSecrets(), log: d.log}
	t.Run("each", func(t *testing.T) {
		for _, s := range systems() {
			t.Run(s.id, func(t *testing.T) {
				t.Parallel()
				at := d.desk(t, w, s).signedIn(false)
				at = at.press("sign-in").says("Signed in to "+s.name+".", "Renewed not yet").signedIn(true)
				at = at.press("use").says(s.call, "200 OK", "The API accepted the token.", s.answer)
				if at.renewals() != 0 {
					t.Error("a fresh token was renewed")
				}
				at = at.press("expire").press("expire").says("are forgotten there") // twice, as people do
				<-apart()
				at = at.press("use").says("200 OK", "refused the token, so it was renewed and the call repeated", "The API accepted", s.answer)

				renewed := at.renewals()
				<-apart()
				at = at.press("renew").says("The token is renewed.").signedIn(true)
				if at.renewals() <= renewed || renewed < 1 {
					t.Errorf("renewed %d times by the call, and %d after the button", renewed, at.renewals())
				}
				at = at.failsAndRecovers()

				at = at.press("sign-out").says("Signed out of " + s.name + ".").signedIn(false)
				<-apart()
				at.press("sign-in").says("Signed in to "+s.name+".", "Renewed not yet").signedIn(true)
			})
		}
	})
	d.stop()
	w.search()
}

// failsAndRecovers lets a renewal fail, waits as long as it is told, and renews.
func (d desk) failsAndRecovers() desk {
	t := d.b.t
	t.Helper()
	<-apart()
	renewed := d.renewals()
	failed := d.press("fail").says(d.name+" could not give out a token just now: it answered "+d.failure+".", "The sign-in is kept.").signedIn(true)
	if code := failed.text(failed.card("[role=alert] .platform-code")); code != d.ownCode() {
		t.Errorf("%s: the card says %q of the code, want %q", d.id, code, d.ownCode())
	}
	if failed.renewals() != renewed {
		t.Errorf("%s: the renewal that failed is counted", d.id)
	}
	failed.press("use").says("200 OK", d.answer) // with the token that there is
	<-time.After(failed.announced())
	next := failed
	until(t, "the renewal after the one that failed", func() bool {
		next = next.press("renew")
		return strings.Contains(next.text(next.card("")), "The token is renewed.")
	})
	if next.says("The token is renewed.").renewals() <= renewed {
		t.Errorf("%s: renewed %d times before the failure, and %d after it", d.id, renewed, next.renewals())
	}
	return next.signedIn(true)
}

// ownCode is what the card says of the platform's own code for a failure.
func (s system) ownCode() string {
	if s.code == "" {
		return ""
	}
	return "Its code for this: " + s.code
}

// Who is no administrator gets of the platforms what they get of the machines: nothing.
func TestPlatformsAreForAdministrators(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "-addr", "127.0.0.1:0")
	w := &world{t: t, guard: embeddedSecrets(), log: d.log}
	office := d.desk(t, w, systems()[1])
	forms := map[string]request{
		"/platforms": office.filled("/platforms", "sign-in", "platform", office.id),
		"/machine":   office.follow("Machine-to-machine").filled("/machine", "Sign in", "client", "core_ib"),
	}
	for _, who := range []struct{ email, client string }{{trader, "spa"}, {trader, "spa_admin"}, {admin, "spa"}, {}} {
		b := newBrowser(t, w, d.site, http.DefaultTransport.(*http.Transport).Clone())
		page, posted, words, at := http.StatusForbidden, http.StatusForbidden, "for administrators", ""
		if who.email == "" { // nobody
			page, posted, words, at = http.StatusOK, http.StatusUnauthorized, "Sign in", "/sign-in"
		} else {
			name, _, _ := strings.Cut(who.email, "@")
			account := b.open("/sign-in").submit("/sign-in", "Sign in", "email", who.email, "password", name+"-password", "client", who.client)
			if account.want(http.StatusOK, "/account").doc().Find(`a[href="/platforms"], a[href="/machine"]`).Length() != 0 {
				t.Errorf("the navigation offers %s by %s what they may not see", who.email, who.client)
			}
		}
		for path, form := range forms {
			shown := path
			if at != "" {
				shown = at
			}
			b.open(path).want(page, shown, words)
			b.navigate(form).want(posted, path, words)
		}
	}
	desk{office.b.open("/platforms"), office.system}.signedIn(false)
	if log := d.log.String(); strings.Contains(log, "platform sign-in") || strings.Contains(log, "machine sign-in") {
		t.Errorf("somebody signed a platform in who may not: %s", log)
	}
	d.stop()
	w.search()
}

// Beside a real IdentityServer there are no platforms but those of a file, and nothing offers the page.
func TestPlatformsAreNotOffered(t *testing.T) {
	t.Parallel()
	server := identitytest.Start(t, identitytest.Config{})
	d := startDemo(t, "-addr", "127.0.0.1:0", "-identity-url", server.URL(), "-spa-admin-secret-file", secretFile(t, "spa_admin-secret"))
	w := &world{t: t, guard: embeddedSecrets(), log: d.log}
	b := newBrowser(t, w, d.site, http.DefaultTransport.(*http.Transport).Clone())
	account := b.open("/sign-in").submit("/sign-in", "Sign in", "email", admin, "password", "admin-password", "client", "spa_admin").want(http.StatusOK, "/account")
	if account.doc().Find(`a[href^="/platforms"]`).Length() != 0 || strings.Contains(account.text("nav"), "Platforms") {
		t.Error("the navigation offers the page")
	}
	p := b.open("/platforms").want(http.StatusOK, "/platforms", "No platforms are configured.")
	if p.doc().Find(".platform, main form, main button").Length() != 0 {
		t.Errorf("the page offers something: %s", p.text("main"))
	}
	d.stop()
	w.search()
}
