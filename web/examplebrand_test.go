package web_test

import (
	"log"
	"net/http"
	"os"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/web"
)

// A site with a name, a logo and colours of its own, in German.
func ExampleBrand() {
	client, err := identity.New(identity.Config{URL: os.Getenv("IDENTITY_URL"), ClientID: identity.ClientSPA})
	if err != nil {
		log.Fatal(err)
	}
	logo, err := os.ReadFile("logo.svg") // or go:embed
	if err != nil {
		log.Fatal(err)
	}
	texts := web.German()
	texts.SignIn.Lead = "Melden Sie sich mit Ihrem Nordbank-Konto an."
	texts.Clients["spa"] = web.ClientText{Name: "Handel", Description: "Kurse und Orders"}
	site, err := web.New(web.Config{
		Clients: []*identity.Client{client}, PublicURL: os.Getenv("PUBLIC_URL"),
		Brand: web.Brand{Product: "Nordbank Handel", Logo: logo, AccentLight: "#0b6e4f", AccentDark: "#5ad1a5"},
		Texts: texts,
	})
	if err != nil {
		log.Fatal(err) // an accent, for example, in which text cannot be read
	}
	log.Fatal(http.ListenAndServe(os.Getenv("ADDR"), site))
}
