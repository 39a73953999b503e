package web

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/gateway"
)

// Transport returns a transport that sends each request by base, with the
// session's live access token as bearer, renewed when it is due. Use it only for
// servers that may see the token. A request that is answered with 401 is sent
// once more with a new token if its body can be had again
// (http.Request.GetBody).
//
// A request counts as one of the session's API calls until the body of its
// answer is closed or the handler returns, and ends with the session. One beyond
// the bounds of the API ([Upstream]), or of any other server, is not sent; the
// error makes the page a 429 or a 503 if the handler returns it.
//
// If there is no token, nothing is sent, and the error wraps
// [vault.ErrNotFound], [vault.ErrEnded] or a *[vault.UnavailableError].
func (s *Session) Transport(base http.RoundTripper) http.RoundTripper {
	return &sessionTransport{vault.Transport{Vault: s.site.vault, Key: s.vaultKey, Base: base}, s}
}

// callerOf returns the session as the gateway counts it. A session that begins
// has no ID yet.
func (s *site) callerOf(ctx context.Context, u user) gateway.Caller {
	until, _ := s.sessions.Ends(ctx)
	if until.IsZero() {
		until = s.sessions.Now().Add(s.config.IdleTimeout)
	}
	return gateway.Caller{
		ID: cmp.Or(s.sessions.ID(ctx), u.VaultKey), User: u.Owner, IdentityID: u.IdentityID, VaultKey: u.VaultKey, Group: u.Group, Until: until,
	}
}

// sessionTransport counts the requests of a session, and marks the errors that
// say that the session has no token.
type sessionTransport struct {
	vault.Transport
	session *Session
}

// RoundTrip implements http.RoundTripper.
func (t *sessionTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	call, err := t.session.site.gateway.Admit(r, t.session.caller)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, &sessionError{err}
	}
	resp, err := t.Transport.RoundTrip(r.WithContext(call.Context()))
	if err != nil {
		if call.SessionOver() {
			err = vault.ErrNotFound
		}
		call.End()
		later, _ := errors.AsType[*vault.UnavailableError](err)
		if later != nil || errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrEnded) {
			err = &sessionError{err}
		}
		return nil, err
	}
	end := sync.OnceFunc(call.End)
	context.AfterFunc(t.session.request.Context(), end)
	if resp.StatusCode != http.StatusSwitchingProtocols { // that body is also a writer
		resp.Body = &countedBody{resp.Body, call, end}
	}
	return resp, nil
}

// countedBody is the body of an answer. The call ends when it is closed.
type countedBody struct {
	io.ReadCloser
	call *gateway.HostCall
	end  func()
}

// Read implements io.Reader.
func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.call.Received(n)
	return n, err
}

// Close implements io.Closer.
func (b *countedBody) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	return err
}

// A sessionError says that the session of the request has no token now, has none
// any more, or has too many calls under way.
type sessionError struct{ err error }

func (e *sessionError) Error() string { return e.err.Error() }
func (e *sessionError) Unwrap() error { return e.err }
