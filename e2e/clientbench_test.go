package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// measuredSignIn is a sign-in at a test server, by its client and by net/http.
type measuredSignIn struct {
	name                 string
	url, mediaType, body string
	header               http.Header
	client               func(context.Context) (*oauth2.Token, error)
}

func signIns(b *testing.B) []measuredSignIn {
	b.Helper()
	core := b2coretest.Start(b, b2coretest.Config{})
	coreClient := must(b2core.New(b2core.Config{URL: core.URL(), Bearer: core.Bearer}))(b)
	bearer := must(core.Bearer(b.Context(), nil))(b)

	evolution := traderevolutiontest.Start(b, traderevolutiontest.Config{})
	evolutionClient := must(traderevolution.New(traderevolution.Config{URL: evolution.BaseURL()}))(b)

	vest := tradevesttest.Start(b, tradevesttest.Config{})
	vestClient := must(tradevest.New(tradevest.Config{
		URL: vest.URL(), ClientID: tradevesttest.SampleClientID, ClientSecret: tokenapi.Fixed(tradevesttest.SampleClientSecret),
	}))(b)

	pay := b2binpaytest.Start(b, b2binpaytest.Config{})
	payClient := must(b2binpay.New(b2binpay.Config{URL: pay.URL()}))(b)

	return []measuredSignIn{
		{
			name: "b2core", url: core.URL() + "/api/v2/my/platforms/1/auth", client: coreClient.SignIn,
			header: http.Header{"Authorization": {"Bearer " + bearer.AccessToken}},
		},
		{
			name: "traderevolution", url: evolution.BaseURL() + "/auth/token", mediaType: "application/json",
			body: `{"login":"` + traderevolutiontest.SampleLogin + `","password":"` + traderevolutiontest.SamplePassword + `"}`,
			client: func(ctx context.Context) (*oauth2.Token, error) {
				return evolutionClient.SignIn(ctx, traderevolutiontest.SampleLogin, traderevolutiontest.SamplePassword)
			},
		},
		{
			name: "tradevest", url: vest.URL() + "/oauth2/token", mediaType: "application/x-www-form-urlencoded", client: vestClient.SignIn,
			body: "client_id=" + tradevesttest.SampleClientID + "&client_secret=" + tradevesttest.SampleClientSecret + "&grant_type=client_credentials",
		},
		{
			name: "b2binpay", url: pay.URL() + "/token/", mediaType: "application/vnd.api+json",
			body: `{"data":{"type":"auth-token","attributes":{"login":"` + b2binpaytest.SampleLogin + `","password":"` + b2binpaytest.SamplePassword + `"}}}`,
			client: func(ctx context.Context) (*oauth2.Token, error) {
				return payClient.SignIn(ctx, b2binpaytest.SampleLogin, b2binpaytest.SamplePassword)
			},
		},
	}
}

// bare makes the same exchange by net/http and encoding/json, without checks.
func (s measuredSignIn) bare(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader(s.body))
	if err != nil {
		return err
	}
	if s.header != nil {
		req.Header = s.header.Clone()
	}
	if s.mediaType != "" {
		req.Header.Set("Content-Type", s.mediaType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	var answer map[string]any
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return json.Unmarshal(raw, &answer)
}

// BenchmarkNeighbours compares each neighbour's client with the bare exchange.
//
//	go test -run '^$' -bench BenchmarkNeighbours ./e2e
func BenchmarkNeighbours(b *testing.B) {
	for _, s := range signIns(b) {
		b.Run(s.name+"/bare", func(b *testing.B) {
			for b.Loop() {
				if err := s.bare(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(s.name+"/client", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.client(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
