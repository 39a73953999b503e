package vault

import (
	"errors"
	"io"
	"net/http"
)

// A Transport is an http.RoundTripper that sends each request with the live token of one entry. A 401 to a token that should
// be good is followed by one renewal and one repetition of the request, if its body can be had again (GetBody). A request that a
// redirect has made goes on without the token once it leaves the origin of the first.
type Transport struct {
	Vault *Vault
	Key   string
	Base  http.RoundTripper // nil: http.DefaultTransport
}

// RoundTrip sends a copy of req with an Authorization header.
//
// Errors: those of [Vault.Token] and of Base.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	if strayed(req) {
		return base.RoundTrip(req)
	}
	token, err := t.Vault.Token(req.Context(), t.Key)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	send := func(req *http.Request, bearer string) (*http.Response, error) {
		out := req.Clone(req.Context())
		out.Header.Set("Authorization", "Bearer "+bearer)
		return base.RoundTrip(out)
	}
	resp, err := send(req, token.AccessToken)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	again, err := rewound(req)
	if err != nil {
		return resp, nil //nolint:nilerr // it cannot be repeated: the 401 is the answer
	}
	next, err := t.Vault.Renew(req.Context(), t.Key, token)
	if err != nil {
		closeBody(again)
		return resp, nil //nolint:nilerr // no other token can be had: the 401 is the answer
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	_ = resp.Body.Close()
	return send(again, next.AccessToken)
}

// strayed reports whether redirects have led away from the origin that the caller named: what is there must not get the token,
// nor anybody whom it names.
func strayed(req *http.Request) bool {
	for r := req; r.Response != nil; { // set by an http.Client that follows a redirect
		r = r.Response.Request
		if r == nil || r.URL.Scheme != req.URL.Scheme || r.URL.Host != req.URL.Host {
			return true
		}
	}
	return false
}

// rewound returns req with its body from the start.
func rewound(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	if req.GetBody == nil {
		return nil, errors.ErrUnsupported
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again := req.Clone(req.Context())
	again.Body = body
	return again, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
