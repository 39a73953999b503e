package web_test

import (
	"html/template"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/a-h/templ"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/web"
)

var ordersPage = template.Must(template.New("orders").Parse(`<h1>Orders of {{.Name}}</h1><pre>{{.Orders}}</pre>`))

// orders asks the FrontOffice API with the user's token, and shows the answer.
func orders(w http.ResponseWriter, r *http.Request, s *web.Session) error {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, os.Getenv("FRONTOFFICE_URL")+"/api/v3/orders", nil)
	if err != nil {
		return err
	}
	resp, err := s.HTTPClient().Do(req)
	if err != nil {
		return err // 503 or 401 without a token, else 500
	}
	defer func() { _ = resp.Body.Close() }()
	list, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	return s.Render(w, web.Content{Title: "Orders", Body: templ.FromGoHTML(ordersPage, map[string]string{"Name": s.Nickname, "Orders": string(list)})})
}

// A trading page of one's own behind the sign-in, as a whole program.
func ExamplePage() {
	client, err := identity.New(identity.Config{URL: os.Getenv("IDENTITY_URL"), ClientID: identity.ClientSPA})
	if err != nil {
		log.Fatal(err)
	}
	site, err := web.New(web.Config{
		Clients: []*identity.Client{client}, PublicURL: os.Getenv("PUBLIC_URL"),
		Pages: []web.Page{{Path: "/orders", Name: "Orders", Get: orders}},
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(os.Getenv("ADDR"), site))
}
