package main

import (
	"fmt"
	"net/http"

	"b2trader.identity.auth/cmd/demo/showcase"
	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// startTestServer serves s on the address of loopback that a setting names.
func (r *running) startTestServer(name, setting, addr string, s apitest.Servable, err error) error {
	if err != nil {
		return fmt.Errorf("the embedded %s: %w", name, err)
	}
	listener, err := s.Listen(addr)
	if err != nil {
		return fmt.Errorf("the embedded %s: %w", name, listenError(err, setting, addr))
	}
	r.start("the embedded "+name, s, listener)
	return nil
}

// startPlatform serves the test server of a platform.
func (r *running) startPlatform(name, addr string, s apitest.Servable, err error) error {
	return r.startTestServer(name, "-platforms-addr", addr, s, err)
}

// embeddedPlatforms starts a test server of each system beside the embedded
// IdentityServer, and returns the platforms. Their token requests can be made
// to fail.
func (r *running) embeddedPlatforms(settings *settings, s *identitytest.Server, machines []machineAccount) ([]showcase.Platform, error) {
	var platforms []showcase.Platform
	for _, m := range machines {
		p, err := b2traderEmbedded(s, m)
		if err != nil {
			return nil, err
		}
		platforms = append(platforms, p)
	}
	starts := [platformCount]func(addr string) (showcase.Platform, error){
		r.startB2Core, r.startTraderEvolution, r.startTradevest, r.startB2BINPAY, r.startB2BINPAYV3,
	}
	for i, start := range starts {
		p, err := start(settings.platformAddr(i))
		if err != nil {
			return nil, err
		}
		platforms = append(platforms, p)
	}
	return platforms, nil
}

// b2traderEmbedded returns the embedded IdentityServer as a platform. It expires
// the tokens of the machine account only, not those of people.
func b2traderEmbedded(s *identitytest.Server, m machineAccount) (showcase.Platform, error) {
	p, err := b2traderPlatform(m)
	p.Expire = func() { s.ExpireTokens(m.email) }
	p.Fail = func() (undo func()) {
		return s.Inject(identitytest.EndpointToken, identitytest.Fault{
			Times: -1, Status: http.StatusServiceUnavailable, Grant: "refresh_token", Client: m.client.ID(),
		})
	}
	return p, err
}

func (r *running) startB2Core(addr string) (showcase.Platform, error) {
	s, err := b2coretest.New(b2coretest.Config{})
	if err := r.startPlatform("B2Core", addr, s, err); err != nil {
		return showcase.Platform{}, err
	}
	r.announce("B2Core", s.URL(), "login "+b2coretest.SampleEmail+", password "+b2coretest.SamplePassword)
	a := tokenapi.Account{Login: b2coretest.SampleEmail, Password: tokenapi.Fixed(b2coretest.SamplePassword)}
	p, err := b2coreAccountPlatform(b2core.Config{URL: s.URL(), CountryCode: "+995", CountryName: "Georgia"}, a, s.URL()+b2coretest.APIPath)
	p.Expire, p.Fail = s.ExpireTokens, failing(s.Server, b2coretest.EndpointRefresh, b2coreBusy)
	return p, err
}

func (r *running) startTraderEvolution(addr string) (showcase.Platform, error) {
	s, err := traderevolutiontest.New(traderevolutiontest.Config{})
	if err := r.startPlatform("TraderEvolution", addr, s, err); err != nil {
		return showcase.Platform{}, err
	}
	r.announce("TraderEvolution", s.BaseURL(), "login "+traderevolutiontest.SampleLogin+", password "+traderevolutiontest.SamplePassword)
	a := tokenapi.Account{Login: traderevolutiontest.SampleLogin, Password: tokenapi.Fixed(traderevolutiontest.SamplePassword)}
	p, err := traderEvolutionPlatform(traderevolution.Config{URL: s.BaseURL()}, a, s.BaseURL()+traderevolutiontest.APIPath)
	p.Expire, p.Fail = s.ExpireTokens, failing(s.Server, traderevolutiontest.EndpointRefresh, traderEvolutionBusy)
	return p, err
}

func (r *running) startTradevest(addr string) (showcase.Platform, error) {
	s, err := tradevesttest.New(tradevesttest.Config{})
	if err := r.startPlatform("Tradevest", addr, s, err); err != nil {
		return showcase.Platform{}, err
	}
	r.announce("Tradevest", s.URL(), "client "+tradevesttest.SampleClientID+", secret "+tradevesttest.SampleClientSecret)
	p, err := tradevestPlatform(tradevest.Config{
		URL: s.URL(), ClientID: tradevesttest.SampleClientID, ClientSecret: tokenapi.Fixed(tradevesttest.SampleClientSecret),
		RequestorID: "123e4567-e89b-12d3-a456-426614174000",
	}, s.URL()+tradevesttest.APIPath)
	p.Expire, p.Fail = s.ExpireTokens, failing(s.Server, tradevesttest.EndpointToken, tradevestBusy)
	return p, err
}

func (r *running) startB2BINPAY(addr string) (showcase.Platform, error) {
	s, err := b2binpaytest.New(b2binpaytest.Config{MaxUses: 40})
	if err := r.startPlatform("B2BINPAY", addr, s, err); err != nil {
		return showcase.Platform{}, err
	}
	r.announce("B2BINPAY", s.URL(), "login "+b2binpaytest.SampleLogin+", password "+b2binpaytest.SamplePassword)
	a := tokenapi.Account{Login: b2binpaytest.SampleLogin, Password: tokenapi.Fixed(b2binpaytest.SamplePassword)}
	p, err := b2binpayPlatform(b2binpay.Config{URL: s.URL()}, a, s.URL()+b2binpaytest.APIPath)
	p.Expire, p.Fail = s.ExpireTokens, failing(s.Server, b2binpaytest.EndpointRefresh, b2binpayBusy)
	return p, err
}

func (r *running) startB2BINPAYV3(addr string) (showcase.Platform, error) {
	s, err := b2binpaytest.New(b2binpaytest.Config{Version: 3})
	if err := r.startPlatform("B2BINPAY version 3", addr, s, err); err != nil {
		return showcase.Platform{}, err
	}
	r.announce("B2BINPAY version 3", s.URL(), "client "+b2binpaytest.SampleClientID+", secret "+b2binpaytest.SampleClientSecret)
	p, err := b2binpayV3Platform(b2binpay.V3Config{
		URL: s.URL(), ClientID: b2binpaytest.SampleClientID, ClientSecret: tokenapi.Fixed(b2binpaytest.SampleClientSecret),
	}, s.URL()+b2binpaytest.APIPath)
	p.Expire, p.Fail = s.ExpireTokens, failing(s.Server, b2binpaytest.EndpointToken, b2binpayBusy)
	return p, err
}

// How the systems refuse one request too many, or say that they are overloaded.
// If an answer says when to come back, it is soon.
var (
	b2coreBusy = apitest.Fault{
		Status: http.StatusTooManyRequests, RetryAfter: "2", Body: []byte(`{"error":{"message":"Too Many Attempts."}}`),
	}
	traderEvolutionBusy = apitest.Fault{
		Status: http.StatusTooManyRequests, Body: []byte(`{"errorCode":"2.147.1.27","message":"Too many requests"}`),
	}
	tradevestBusy = apitest.Fault{
		Status: http.StatusServiceUnavailable, RetryAfter: "2", Body: []byte(`{"error":"temporarily_unavailable"}`),
	}
	b2binpayBusy = apitest.Fault{
		Status: http.StatusTooManyRequests, RetryAfter: "2", ContentType: "application/vnd.api+json",
		Body: []byte(`{"errors":[{"status":"429","code":"throttled","detail":"Request was throttled. Expected available in 2 seconds."}]}`),
	}
)

// failing returns a function that makes the requests to an endpoint fail like
// that, until undo is called.
func failing(s *apitest.Server, e apitest.Endpoint, like apitest.Fault) func() (undo func()) {
	like.Times = -1
	return func() func() { return s.Inject(e, like) }
}
