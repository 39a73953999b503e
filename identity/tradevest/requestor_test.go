package tradevest_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

const another = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

// Transport adds the header unless the request has one.
func TestTransport(t *testing.T) {
	for name, c := range map[string]struct {
		configured string
		brought    http.Header
		want       []string
	}{
		"adds it":                        {someone, http.Header{"X": {"y"}}, []string{someone}},
		"keeps another":                  {someone, http.Header{"Requestor-Id": {another}}, []string{another}},
		"keeps another, spelt otherwise": {someone, http.Header{"REQUESTOR-ID": {another}}, []string{another}},
		"keeps what may be wrong":        {someone, http.Header{"Requestor-Id": {"", "x"}}, []string{"", "x"}},
		"keeps none":                     {someone, http.Header{"Requestor-Id": nil}, nil},
		"has none to add":                {"", http.Header{}, nil},
		"has none, keeps another":        {"", http.Header{"Requestor-Id": {another}}, []string{another}},
	} {
		var got []string
		base := roundTripper(func(req *http.Request) (*http.Response, error) {
			for field, values := range req.Header {
				if strings.EqualFold(field, "Requestor-ID") {
					got = append(got, values...)
				}
			}
			if req.Header.Get("X") != c.brought.Get("X") || req.Method != http.MethodPut {
				t.Errorf("%s: got %s %v, want no other change", name, req.Method, req.Header)
			}
			return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
		})
		_, client := start(t, func(config *tradevest.Config) { config.RequestorID = c.configured })
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://api.example/v1/customers", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = maps.Clone(c.brought)
		resp, err := client.Transport(base).RoundTrip(req)
		if err != nil || resp.StatusCode != http.StatusNoContent || !slices.Equal(got, c.want) {
			t.Errorf("%s: sent %q, want %q; %v", name, got, c.want, err)
		}
		if !maps.EqualFunc(req.Header, c.brought, slices.Equal) {
			t.Errorf("%s: the caller's request has now %v, want %v", name, req.Header, c.brought)
		}
	}
}

// Without a base, Transport sends by http.DefaultTransport.
func TestTransportWithoutBase(t *testing.T) {
	server := tradevesttest.Start(t, tradevesttest.Config{})
	client := newClient(t, server, func(c *tradevest.Config) { c.URL, c.HTTP.Transport = server.URL(), nil })
	bearer := &oauth2.Transport{Source: oauth2.StaticTokenSource(signIn(t, client)), Base: client.Transport(nil)}
	resp, err := (&http.Client{Transport: bearer}).Get(server.URL() + tradevesttest.APIPath)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v, want 200", resp, err)
	}
	_ = resp.Body.Close()
	if got := server.Requests(tradevesttest.EndpointAPI)[0].Header.Values("Requestor-ID"); !slices.Equal(got, []string{someone}) {
		t.Errorf("sent the Requestor-ID %q, want %s", got, someone)
	}
}
