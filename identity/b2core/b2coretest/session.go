package b2coretest

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tokenapi"
)

// ErrSessionEnded is the error of Bearer after EndSession. Its outcome is
// [tokenapi.Refused]: the session gives no more bearers.
var ErrSessionEnded = tokenapi.WithOutcome(errors.New("b2coretest: the B2Core session has ended"), tokenapi.Outcome{Kind: tokenapi.Refused})

// Bearer returns the access token of the B2Core session: the same one until it
// expires or is passed as refused, then another. It sends no request, and fits
// b2core.Config.Bearer.
//
// Errors: ErrSessionEnded, or the context's.
func (s *Server) Bearer(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, ErrSessionEnded
	}
	now := s.config.Now()
	if !now.Before(s.bearer.Expiry) || refused != nil && refused.AccessToken == s.bearer.AccessToken {
		expiry := now.Add(s.config.BearerLifetime)
		s.bearer = oauth2.Token{AccessToken: sampleJWT(now, expiry), TokenType: "Bearer", Expiry: expiry}
		s.bearers.Add(s.bearer.AccessToken, "")
	}
	bearer := s.bearer
	return &bearer, nil
}

// ExpireBearers makes the endpoints refuse every bearer before its time. Bearer
// returns another one only after a call with the refused token.
func (s *Server) ExpireBearers() { s.bearers.Clear() }

// EndSession ends every B2Core session: its tokens are refused, and Bearer
// fails. Users can sign in again.
func (s *Server) EndSession() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.bearers.Clear()
	s.renewed.Clear()
}

// sampleJWT returns a token with the claims of the page's sample.
func sampleJWT(now, expiry time.Time) string {
	header := apitest.Object{{"typ", "JWT"}, {"alg", "RS256"}}
	return apitest.JWT(header, apitest.Object{{"sub", "1"}, {"iat", now.Unix()}, {"exp", expiry.Unix()}, {"iss", "https://ap.vendor.com"}})
}
