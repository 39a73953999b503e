package vault

import (
	"errors"
	"io"
	"net/http"

	"b2trader.identity.auth/identity/tokenapi"
)

// A Transport is an http.RoundTripper that sends each request with the live
// token of one entry. After a 401 it repeats the request, once, with the token of
// [Vault.Newer], if there is one and the request has no body or has GetBody. Once
// a redirect leaves the origin of the first request, the Transport sends no
// token.
type Transport struct {
	Vault *Vault
	Key   string
	Base  http.RoundTripper // nil: tokenapi.APITransport
}

// RoundTrip sends a copy of req with an Authorization header.
//
// Errors: those of [Vault.Token] and of Base.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	base := t.Base
	if base == nil {
		base = tokenapi.APITransport()
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
		return resp, nil //nolint:nilerr // the request cannot be repeated: the caller gets the 401
	}
	next, err := t.Vault.Newer(req.Context(), t.Key, token)
	if err != nil || next == nil {
		closeBody(again)
		return resp, nil //nolint:nilerr // there is no other token: the caller gets the 401
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	_ = resp.Body.Close()
	return send(again, next.AccessToken)
}

// strayed reports whether a redirect has left the origin of the first request.
// Another origin must not get the token, and must not choose its recipient.
func strayed(req *http.Request) bool {
	for r := req; r.Response != nil; { // set by an http.Client that follows a redirect
		r = r.Response.Request
		if r == nil || r.URL.Scheme != req.URL.Scheme || r.URL.Host != req.URL.Host {
			return true
		}
	}
	return false
}

// rewound returns req with its body at the start.
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
