package showcase

import (
	"slices"

	"b2trader.identity.auth/web"
)

// FrontPage is what the page for users who are not signed in shows: the embedded
// IdentityServer's URL and what to try as its sample users.
type FrontPage struct {
	IdentityURL string
	Tries       []Try
}

// Try is one thing to try: a sample user signs in and comes to the page at Path.
type Try struct {
	Title, Text, Path string
	User              SampleUser
}

// frontPage returns the page. A thing to try that no sample user fits is left
// out.
func (c Config) frontPage() *web.Content {
	page := FrontPage{IdentityURL: c.IdentityURL}
	add := func(title, text, path string, fits func(SampleUser) bool) {
		if i := slices.IndexFunc(c.SampleUsers, fits); i >= 0 {
			page.Tries = append(page.Tries, Try{title, text, path, c.SampleUsers[i]})
		}
	}
	add("Watch a token renew itself",
		"The account page counts down the 30 seconds of an access token. The server renews it in time, and you stay signed in.",
		"/account", func(u SampleUser) bool { return u.Client == "spa" && u.Code == "" })
	add("Look inside a sign-in",
		"This user has a second factor: enter the code. The page Flow then shows each message between browser, server and IdentityServer.",
		"/flow", func(u SampleUser) bool { return u.Code != "" })
	if len(c.Platforms) > 0 {
		add("Compare five token systems",
			"An administrator signs in to B2Trader, B2Core, TraderEvolution, Tradevest and B2BINPAY, calls their APIs and makes a renewal fail.",
			"/platforms", func(u SampleUser) bool { return u.Client == "spa_admin" })
	}
	return &web.Content{Title: "Welcome", Styles: styles, Body: frontPage(page)}
}
