package identity

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/internal/jwt"
	"b2trader.identity.auth/identity/internal/strictjson"
	"b2trader.identity.auth/identity/tokenapi"
)

// metadata is the part of the discovery document that the client needs (OIDC
// Discovery section 3).
type metadata struct {
	Issuer        string   `json:"issuer"`
	JWKSURI       string   `json:"jwks_uri"`
	IssInResponse bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207: authorization responses carry iss
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`          // may be empty
	Revocation    string   `json:"revocation_endpoint"`                            // RFC 8414 section 2; empty: there is none
}

// keys discovers the server's metadata once and keeps its signing keys.
type keys struct {
	client *Client
	turn   chan struct{} // full during a discovery
	known  atomic.Pointer[metadata]
	failed atomic.Pointer[error] // of the last discovery; nil: none failed
	set    jwt.KeySet
}

func newKeys(c *Client) *keys {
	k := &keys{client: c, turn: make(chan struct{}, 1)}
	k.set.Fetch, k.set.Source, k.set.Now = k.fetch, k.source, c.peer.HTTP.Now
	k.set.Ignored = func(err error) {
		slog.Warn("signing key ignored", "server", httpx.WithoutQuery(c.peer.Base), "reason", err.Error())
	}
	return k
}

// metadata returns the server's metadata, which it discovers once. Callers wait
// for a discovery under way, each until its own context ends, and share its
// error: one after the other they would wait for its timeout each.
func (k *keys) metadata(ctx context.Context) (*metadata, error) {
	if known := k.known.Load(); known != nil {
		return known, nil
	}
	before := k.failed.Load()
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return nil, fail("discover", httpx.Because(tokenapi.ErrUnavailable, ctx.Err()), "")
	}
	if known := k.known.Load(); known != nil {
		return known, nil
	}
	if failed := k.failed.Load(); failed != before {
		return nil, *failed
	}
	known, err := k.client.discover(ctx)
	if err != nil {
		if ctx.Err() == nil { // otherwise the caller has ended, and not the server
			k.failed.Store(&err)
		}
		return nil, err
	}
	k.known.Store(known)
	return known, nil
}

// fetch returns the key set document. If the last one did not serve, it first
// discovers again where the document is. Config.HTTP.Timeout bounds each of the
// two.
//
// Errors: *tokenapi.Error.
func (k *keys) fetch(again bool) ([]byte, error) {
	c, meta := k.client, k.known.Load()
	if again {
		if found, err := c.discover(context.Background()); err == nil {
			meta = found
			k.known.Store(found)
		}
	}
	x := c.exchange("fetch keys")
	if err := x.Send(context.Background(), httpx.Request{Method: http.MethodGet, URL: meta.JWKSURI}); err != nil {
		return nil, err
	}
	if x.OK() {
		return x.Last.Body, nil
	}
	e := x.Refused(httpx.Verdict{})
	if c.config.JWKSURL == "" {
		e.Err = tokenapi.ErrUnavailable // the server names this URL itself
	}
	e.Advice = "check " + k.source()
	return nil, e
}

// source says which setting names the key set, and its URL without the query.
func (k *keys) source() string {
	c, meta := k.client, k.known.Load()
	u, _ := url.Parse(meta.JWKSURI) // New or discover has parsed it
	if c.config.JWKSURL != "" {
		return "Config.JWKSURL, which is " + httpx.WithoutQuery(u) + ", or leave it empty to discover it"
	}
	return "jwks_uri of the discovery document, which is " + httpx.WithoutQuery(u)
}

// discover fetches <server>/identity/.well-known/openid-configuration and
// compares the issuer, which "MUST exactly match" (OIDC Discovery section 4.3).
// With Config.JWKSURL it fetches nothing, and the server is asked to revoke.
func (c *Client) discover(ctx context.Context) (*metadata, error) {
	if c.config.JWKSURL != "" {
		return &metadata{Issuer: c.config.Issuer, JWKSURI: c.config.JWKSURL, Revocation: "unknown"}, nil
	}
	x := c.exchange("discover")
	document := c.endpoint("/identity/.well-known/openid-configuration")
	err := x.Send(ctx, httpx.Request{Method: http.MethodGet, URL: document})
	doc := new(metadata)
	switch {
	case err != nil:
		return nil, err
	case httpx.Later(x.Last.StatusCode):
		return nil, x.Refusal(tokenapi.ErrUnavailable, httpx.ParseProblem(x.Last.Body))
	case httpx.NoEndpoint(x.Last.StatusCode):
		return nil, x.noDocument(tokenapi.ErrMisconfigured, "there is no discovery document at "+document)
	case x.Last.StatusCode/100 == 3:
		return nil, x.noDocument(tokenapi.ErrMisconfigured, document+" redirects, which is not followed")
	case !x.OK() && x.IsPage():
		return nil, x.Refused(httpx.Verdict{})
	case !x.OK(), strictjson.Unmarshal(x.Last.Body, doc) != nil:
		return nil, x.noDocument(tokenapi.ErrUnusableAnswer, "the answer of "+document+" is not a discovery document")
	}
	if doc.Issuer != c.config.Issuer {
		return nil, x.Refusal(tokenapi.ErrMisconfigured, httpx.Problem{
			Description: fmt.Sprintf("%s announces the issuer %q, but Config.Issuer is %q", document, doc.Issuer, c.config.Issuer)})
	}
	if _, err := checkconfig.ParseURL(doc.JWKSURI, c.config.HTTP.InsecureAllowHTTP); err != nil {
		return nil, x.Unusable(fmt.Sprintf("jwks_uri %v", err))
	}
	return doc, nil
}

// noDocument returns the error of an answer that is not a discovery document:
// most often Config.URL is wrong.
func (x *exchange) noDocument(err error, description string) *tokenapi.Error {
	e := x.Refusal(err, httpx.Problem{Description: description})
	e.Advice = "check Config.URL, or set Config.Issuer and Config.JWKSURL"
	return e
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
