package identitytest

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// LogoutTokenFault names a way in which a logout token is broken.
type LogoutTokenFault string

// The broken logout tokens. The first seven are those of the OpenID
// Foundation's conformance tests for relying parties; section numbers are those
// of OpenID Connect Back-Channel Logout 1.0.
const (
	// LogoutAlgNone is not signed: its alg is none (2.6 rule 2).
	LogoutAlgNone LogoutTokenFault = "alg-none"
	// LogoutWrongAlg is signed by the published key as a shared secret.
	LogoutWrongAlg LogoutTokenFault = "wrong-alg"
	// LogoutWrongIssuer has the iss of another server (2.6 rule 3).
	LogoutWrongIssuer LogoutTokenFault = "wrong-iss"
	// LogoutWrongAudience has the aud of another client (2.6 rule 3).
	LogoutWrongAudience LogoutTokenFault = "wrong-aud"
	// LogoutNoEvent has no events (2.6 rule 5).
	LogoutNoEvent LogoutTokenFault = "no-event"
	// LogoutWrongEvent has another event (2.6 rule 5).
	LogoutWrongEvent LogoutTokenFault = "wrong-event"
	// LogoutWithNonce has a nonce, as an ID token has (2.6 rule 6).
	LogoutWithNonce LogoutTokenFault = "with-nonce"
	// LogoutNullNonce has a nonce that is null.
	LogoutNullNonce LogoutTokenFault = "null-nonce"
	// LogoutEventNotObject has an event that is a string (2.4: "a JSON
	// object").
	LogoutEventNotObject LogoutTokenFault = "event-not-an-object"
	// LogoutNullEvent has an event that is null.
	LogoutNullEvent LogoutTokenFault = "null-event"
	// LogoutBadSignature is signed by a key that is not published.
	LogoutBadSignature LogoutTokenFault = "bad-signature"
	// LogoutExtraAudience names a second audience.
	LogoutExtraAudience LogoutTokenFault = "extra-aud"
	// LogoutNobody has neither sub nor sid (2.6 rule 4).
	LogoutNobody LogoutTokenFault = "neither-sub-nor-sid"
	// LogoutExpired was issued 100 seconds ago and expired 40 seconds later
	// (2.6 rule 3).
	LogoutExpired LogoutTokenFault = "expired"
	// LogoutStale was issued an hour ago, and expires in an hour.
	LogoutStale LogoutTokenFault = "stale"
	// LogoutNotYet is issued in an hour.
	LogoutNotYet LogoutTokenFault = "not-yet"
	// LogoutNoExpiry has no exp (2.4).
	LogoutNoExpiry LogoutTokenFault = "no-exp"
	// LogoutNoIssuedAt has no iat (2.4).
	LogoutNoIssuedAt LogoutTokenFault = "no-iat"
	// LogoutNoID has no jti (2.4).
	LogoutNoID LogoutTokenFault = "no-jti"
	// LogoutWrongType has the typ of an access token.
	LogoutWrongType LogoutTokenFault = "wrong-typ"
)

const backChannelEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutClaimFaults are the faults that change the claims.
var logoutClaimFaults = map[LogoutTokenFault]claimChange{
	LogoutWrongIssuer:    set("iss", "https://another.example/identity"),
	LogoutWrongAudience:  set("aud", "another-client"),
	LogoutExtraAudience:  addAudience,
	LogoutNoEvent:        drop("events"),
	LogoutWrongEvent:     set("events", apitest.Object{{"http://schemas.openid.net/event/another", apitest.Object{}}}),
	LogoutEventNotObject: set("events", apitest.Object{{backChannelEvent, "yes"}}),
	LogoutNullEvent:      set("events", apitest.Object{{backChannelEvent, nil}}),
	LogoutWithNonce:      set("nonce", "a-nonce"),
	LogoutNullNonce:      set("nonce", nil),
	LogoutNobody:         drop("sub", "sid"),
	LogoutNoExpiry:       drop("exp"),
	LogoutNoIssuedAt:     drop("iat"),
	LogoutNoID:           drop("jti"),
	LogoutStale:          lives(-time.Hour, time.Hour),
	LogoutExpired:        lives(-100*time.Second, -60*time.Second),
	LogoutNotYet:         lives(time.Hour, time.Hour+2*time.Minute),
}

// LogoutToken has the claims of a logout token. Issuer and Client are required,
// and Subject or SessionID.
type LogoutToken struct {
	Issuer, Client     string
	Subject, SessionID string
	ID                 string           // "": a new one
	Typed              bool             // typ is logout+jwt, as in newer servers; otherwise JWT
	Fault              LogoutTokenFault // how it is broken; "": it is not
}

// SignLogoutToken returns a logout token that lives two minutes, signed by the
// server's key.
func (s *Server) SignLogoutToken(t LogoutToken) string {
	now := s.now()
	if t.ID == "" {
		t.ID = apitest.RandomHex(16)
	}
	claims := apitest.Object{{"iss", t.Issuer}, {"aud", t.Client}, {"iat", now.Unix()}, {"exp", now.Add(2 * time.Minute).Unix()}, {"jti", t.ID}}
	if t.Subject != "" {
		claims.Add("sub", t.Subject)
	}
	if t.SessionID != "" {
		claims.Add("sid", t.SessionID)
	}
	claims.Add("events", apitest.Object{{backChannelEvent, apitest.Object{}}})
	if change, ok := logoutClaimFaults[t.Fault]; ok {
		change(&claims, now)
	}
	d := draft{keys: &s.keys, claims: claims, now: now}
	switch t.Fault {
	case LogoutAlgNone:
		return unsigned(d)
	case LogoutWrongAlg:
		return signedBySharedSecret(d)
	case LogoutBadSignature:
		return signedByUnpublishedKey(d)
	case LogoutWrongType:
		return s.keys.signTyped("at+jwt", claims.JSON())
	}
	if t.Typed {
		return s.keys.signTyped("logout+jwt", claims.JSON())
	}
	return s.keys.sign(claims.JSON())
}

// LogoutRequest returns the request by which an IdentityServer posts a logout
// token to a client's back-channel logout URI (section 2.5).
func LogoutRequest(ctx context.Context, to, token string) (*http.Request, error) {
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r, nil
}
