package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/vault"
)

// BeginSessions begins n sessions, each of another user, whose access tokens
// have expired. It asks no IdentityServer, which would take long for thousands.
func (s *Server) BeginSessions(ctx context.Context, n int) error {
	for i := range n {
		u := user{
			Owner: "i " + strconv.Itoa(i), Issuer: "i", Subject: strconv.Itoa(i), Client: identity.ClientSPA,
			VaultKey: strconv.Itoa(i), SignedIn: s.sessions.Now(),
		}
		token := &oauth2.Token{AccessToken: "expired " + u.Subject, RefreshToken: "refresh " + u.Subject, Expiry: u.SignedIn}
		err := s.vault.Put(ctx, u.VaultKey, vault.Entry{Owner: u.Owner, Client: u.Client, Token: token})
		begin := func(_ http.ResponseWriter, r *http.Request) {
			err = errors.Join(err, s.sessions.SignIn(r.Context(), u, func() {}))
		}
		nowhere := func(*http.Request) netip.Addr { return netip.Addr{} }
		failed := func(_ http.ResponseWriter, _ *http.Request, failure error) { err = failure }
		s.sessions.Handler(http.HandlerFunc(begin), nowhere, failed).
			ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
		if err != nil {
			return err
		}
	}
	return nil
}

// Events returns the attributes of each event in the table events.
func Events() map[string][]string {
	table := make(map[string][]string)
	for _, e := range events {
		table[e.name] = strings.FieldsFunc(e.attributes, func(r rune) bool { return r == ',' || r == ' ' })
	}
	return table
}

// EventsDoc returns the table events as the package's doc must show it.
func EventsDoc() string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "//\t%-37s  %s\n", e.name, cmp.Or(e.attributes, "-"))
	}
	return b.String()
}

// Results returns the values of the label result that errors give.
func Results() []string {
	words := []string{resultOf(nil), resultOf(errors.New("another"))}
	for _, r := range results {
		words = append(words, r.word)
	}
	return words
}
