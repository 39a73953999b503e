package web_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// inGerman makes a site German, with a title of its own.
func inGerman(c *web.Config) {
	c.Texts = web.German()
	c.Texts.Account.Title = "Mein Konto"
	c.Texts.Errors["no_session"] = web.ErrorText{Headline: "Bitte anmelden"}
	c.Pages, c.SignInAside = nil, nil
}

// Every answer of a site with other texts is in them: pages, forms, notices,
// errors for people and for scripts, and the fragment that scripts load.
func TestTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, inGerman)
		b := s.browser()
		b.header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		b.get("/sign-in").is(200, `<html lang="de">`, "Passwort", "Web-Terminal")
		b.post("/sign-in", "email", "trader@example.com", "password", "not-the-password", "client", "spa").is(422, "Die E-Mail-Adresse oder das Passwort ist falsch")
		b.signIn("trader", "spa").leadsTo("/account")
		b.get("/account").is(200, "<h1>Mein Konto</h1>", "Ihre Benutzer-ID beim Aussteller", "verglichen", "nicht gezeigt", "Erteilt")
		b.get("/account/token").is(200, "Zugriffstoken", "Gültig")
		b.get("/sessions").is(200, "Firefox auf Linux", "Zuletzt gesehen")
		b.get("/admin/sessions").is(403, "Diese Seite ist für Administratoren", "Mit einem anderen Konto anmelden")
		b.get("/no-such-page").is(404, "Seite nicht gefunden", "Zur Startseite")
		stranger := s.browser()
		stranger.header.Set("Accept", "application/json")
		stranger.get("/session").is(401, `"error":"no_session","message":"Bitte anmelden"`)
		stranger.header = http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}
		stranger.get("/").is(200, "Einen Moment", "Weiter")
		s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{Times: -1, Status: http.StatusServiceUnavailable})
		pass(31 * time.Second)
		b.get("/account").is(503, "Das Token konnte nicht erneuert werden")
	})
}

func TestTextsWithNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSite(t, inGerman).browser()
		var last *answer
		for range 6 {
			last = b.post("/sign-in", "email", "trader@example.com", "password", "not-the-password", "client", "spa")
		}
		problem := strings.TrimSpace(last.is(429).doc().Find("#problem").Text())
		if want := "Zu viele Anmeldeversuche. Warten Sie 12 s. Sie können es um 00:00:12 UTC noch einmal versuchen."; problem != want {
			t.Errorf("the form says %q, want %q", problem, want)
		}
	})
}
