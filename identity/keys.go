package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/internal/httpx"
)

// metadata is the part of the discovery document that the client needs (OIDC
// Discovery section 3).
type metadata struct {
	issuer        string
	issInResponse bool // RFC 9207: authorization responses carry iss
	keys          oidc.KeySet
}

// keys discovers the server's metadata once and keeps its signing keys.
type keys struct {
	client *Client
	turn   chan struct{} // full during a discovery
	known  atomic.Pointer[metadata]
	gate   *refetchGate
}

func newKeys(c *Client) *keys {
	k := &keys{client: c, turn: make(chan struct{}, 1)}
	k.gate = &refetchGate{transport: func() http.RoundTripper { return &c.exchange("fetch keys").Transport }, now: c.config.Now}
	return k
}

// metadata returns the server's metadata, which it discovers once. Callers wait
// for a discovery under way, each until its own context ends.
func (k *keys) metadata(ctx context.Context) (*metadata, error) {
	if known := k.known.Load(); known != nil {
		return known, nil
	}
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return nil, fail("discover", httpx.Because(ErrUnavailable, ctx.Err()), "")
	}
	if known := k.known.Load(); known != nil {
		return known, nil
	}
	known, err := k.discover(ctx)
	if err != nil {
		return nil, err
	}
	k.known.Store(known)
	return known, nil
}

func (k *keys) discover(ctx context.Context) (*metadata, error) {
	c := k.client
	meta := &metadata{issuer: c.config.Issuer}
	jwks := c.config.JWKSURL
	if jwks == "" {
		announced, err := c.discover(ctx)
		if err != nil {
			return nil, err
		}
		meta.issInResponse = announced.IssInResponse
		jwks = announced.JWKSURI
	}
	keyClient := &http.Client{Transport: k.gate, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	// go-oidc keeps this context as long as the key set: it must not be a
	// caller's.
	meta.keys = oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), keyClient), jwks)
	return meta, nil
}

type discoveryDocument struct {
	Issuer        string `json:"issuer"`
	JWKSURI       string `json:"jwks_uri"`
	IssInResponse bool   `json:"authorization_response_iss_parameter_supported"`
}

// discover fetches <server>/identity/.well-known/openid-configuration and
// compares the issuer, which "MUST exactly match" (OIDC Discovery section 4.3).
func (c *Client) discover(ctx context.Context) (discoveryDocument, error) {
	var doc discoveryDocument
	x := c.exchange("discover")
	ctx = oidc.InsecureIssuerURLContext(oidc.ClientContext(ctx, x.Client(nil, nil)), c.config.Issuer)
	provider, err := oidc.NewProvider(ctx, c.endpoint("/identity"))
	switch {
	case err != nil && x.Last.StatusCode == 0:
		return doc, x.Fault(err)
	case httpx.Later(x.Last.StatusCode):
		return doc, x.Refusal(ErrUnavailable, httpx.ParseProblem(x.Last.Body))
	case x.Last.StatusCode == http.StatusNotFound:
		return doc, x.Refusal(ErrMisconfigured, httpx.Problem{Description: "there is no discovery document: set Config.Issuer and Config.JWKSURL"})
	case err != nil || provider.Claims(&doc) != nil:
		return doc, x.Unusable("the answer is not a discovery document")
	case doc.Issuer != c.config.Issuer:
		return doc, x.Refusal(ErrMisconfigured, httpx.Problem{
			Description: fmt.Sprintf("the server announces the issuer %q, but Config.Issuer is %q", doc.Issuer, c.config.Issuer)})
	}
	if _, err := checkconfig.ParseURL(doc.JWKSURI, c.config.InsecureAllowHTTP); err != nil {
		return doc, x.Unusable(fmt.Sprintf("jwks_uri %v", err))
	}
	return doc, nil
}

// Ready discovers the server's metadata if it is not known yet, for a readiness
// probe.
//
// Errors: ErrMisconfigured for an issuer other than the configured one,
// ErrUnavailable, ErrUnusableAnswer.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.keys.metadata(ctx)
	return err
}

// errKeysUnavailable means that the signing keys could not be fetched or may be
// out of date, so that a signature could not be checked. The token may be good.
var errKeysUnavailable = errors.New("the signing keys are unavailable")

const (
	refetchInterval = 30 * time.Second // between fetches for an unknown key
	retryInterval   = time.Second      // after a fetch that failed
)

// A refetchGate limits go-oidc's fetches of the keys to one in 30 seconds after
// the first. Without it each token with a bad signature and no kid, which looks
// like one with an unknown key, would cause a request.
type refetchGate struct {
	transport func() http.RoundTripper
	now       func() time.Time

	mu       sync.Mutex
	filled   bool      // a fetch has succeeded
	notUntil time.Time // of the next fetch
}

// RoundTrip fetches the keys, or fails with errKeysUnavailable. go-oidc makes
// one call at a time.
func (g *refetchGate) RoundTrip(req *http.Request) (*http.Response, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.now().Before(g.notUntil) {
		return nil, fmt.Errorf("%w: the last fetch is too recent", errKeysUnavailable)
	}
	resp, err := g.transport().RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		g.notUntil = g.now().Add(retryInterval)
		if err == nil {
			err = fmt.Errorf("HTTP %d", resp.StatusCode)
		}
		return nil, fmt.Errorf("%w: %w", errKeysUnavailable, err)
	}
	if g.filled { // the first fetch is not a refetch
		g.notUntil = g.now().Add(refetchInterval)
	}
	g.filled = true
	return resp, nil
}
