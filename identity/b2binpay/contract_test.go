package b2binpay_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// The members of signin.response.json.
const (
	sampleRefresh = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCIsImV4cCI6MTcxODIzNjA2NCwiaWF0IjoxNzE4MjE0NDY0LCJqdGkiOiI0OGFlOTA3ZmNhMjY0NjI1YTQzYmU4ZGFmNzgxZGM3NiIsInVzZXJfaWQiOjM0fQ.hr3Q6gW4Ht9dFzQR-BFXkCKHwBJDFQL_XFoqTHcmv-Y"
	sampleAccess  = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIiwiZXhwIjoxNzE4MjE1MzY0LCJpYXQiOjE3MTgyMTQ0NjQsImp0aSI6ImFhMzU0ZmE4NGFlOTQyZjZhZTMzOGViYjdkMzQzNGZkIiwidXNlcl9pZCI6MzR9.dcZFcTPUwrDo3wT4C5CINcJTbsRwmcX5btFLKg13pY0"
	sampleSign    = "39c20afc367abfde2a971a189fb10d76b74769a6add5e01e211c951246b77ce9"
)

// opensslSign returns a line of signatures.txt, made by OpenSSL.
func opensslSign(t testing.TB, line int) string {
	t.Helper()
	sign, _, _ := strings.Cut(strings.Split(string(clienttest.Sample(t, "signatures.txt")), "\n")[line], " ")
	return sign
}

// signedSample returns signin.response.json with OpenSSL's signature for the
// credentials of signin.request.json.
func signedSample(t testing.TB) []byte {
	t.Helper()
	return bytes.Replace(clienttest.Sample(t, "signin.response.json"), []byte(sampleSign), []byte(opensslSign(t, 0)), 1)
}

// wantSample checks a token of signin.response.json, requested at sent.
func wantSample(t *testing.T, token *oauth2.Token, err error, sent time.Time) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if token.AccessToken != sampleAccess || token.RefreshToken != sampleRefresh || token.TokenType != "Bearer" {
		t.Errorf("got %+v, want the sample's tokens", token)
	}
	if life := token.Expiry.Sub(sent); life != 15*time.Minute {
		t.Errorf("the access token lives %v, want 15 minutes", life)
	}
	if life := clienttest.RefreshExpiry(token).Sub(sent); life != 6*time.Hour {
		t.Errorf("the refresh token lives %v, want 6 hours", life)
	}
	if confirmed, told := token.Extra("is_2fa_confirmed").(bool); confirmed || !told {
		t.Errorf("is_2fa_confirmed is %v, want false", token.Extra("is_2fa_confirmed"))
	}
}

// The page's sample is signed for unknown credentials, so a sign-in refuses it. A
// refresh, whose answer is unsigned, accepts it.
func TestSampleAsItIs(t *testing.T) {
	inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
		server.Inject(b2binpaytest.EndpointToken, answering(clienttest.Sample(t, "signin.response.json")))
		token, err := client.SignIn(t.Context(), "your_login", "your_password")
		if wantError(t, err, tokenapi.ErrUnusableAnswer); token != nil {
			t.Error("got a token with the error, want none")
		}
		server.Inject(b2binpaytest.EndpointRefresh, answering(clienttest.Sample(t, "signin.response.json")))
		token, err = client.Refresh(t.Context(), &oauth2.Token{RefreshToken: sentRefresh})
		wantSample(t, token, err, time.Now())
	})
}

// A sign-in accepts the sample with OpenSSL's signature.
func TestSampleSigned(t *testing.T) {
	inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
		server.Inject(b2binpaytest.EndpointToken, answering(signedSample(t)))
		token, err := client.SignIn(t.Context(), "your_login", "your_password")
		wantSample(t, token, err, time.Now())
	})
}

// The requests are the page's, with the deviations of the package doc.
func TestRequests(t *testing.T) {
	server, client := start(t, b2binpaytest.Config{Login: "your_login", Password: "your_password"})
	if _, err := client.SignIn(t.Context(), "your_login", "your_password"); err != nil {
		t.Fatal(err)
	}
	_, err := client.Refresh(t.Context(), &oauth2.Token{RefreshToken: "YOUR_REFRESH_TOKEN"})
	wantError(t, err, tokenapi.ErrGrantRefused)

	for _, c := range []struct {
		endpoint   apitest.Endpoint
		path, file string
	}{
		{b2binpaytest.EndpointToken, "/token/", "signin.request.json"},
		{b2binpaytest.EndpointRefresh, "/token/refresh/", "refresh.request.json"},
	} {
		var body bytes.Buffer
		if err := json.Compact(&body, clienttest.Sample(t, c.file)); err != nil {
			t.Fatal(err)
		}
		sent := server.Requests(c.endpoint)
		if len(sent) != 1 {
			t.Fatalf("%s: got %d requests, want 1", c.path, len(sent))
		}
		want := "POST " + c.path + "\nContent-Type: application/vnd.api+json\n\n" + body.String()
		if got := sent[0].Wire("Content-Type", "Authorization", "Cookie"); got != want {
			t.Errorf("sent\n%s\nwant\n%s", got, want)
		}
		ours := []string{"Accept", "Accept-Encoding", "Content-Length", "Content-Type", "User-Agent"}
		if got := slices.Sorted(maps.Keys(sent[0].Header)); !slices.Equal(got, ours) {
			t.Errorf("%s: sent the header fields %q, want %q", c.path, got, ours)
		}
		if got := sent[0].Header.Get("Accept"); got != "application/vnd.api+json" {
			t.Errorf("%s: sent Accept %q, want application/vnd.api+json", c.path, got)
		}
	}
}

// Deviation: JSON escapes <, > and &.
func TestRequestSpelling(t *testing.T) {
	const odd = `p<&>"ä\`
	server, client := inMemory(t, b2binpaytest.Config{Password: odd})
	if _, err := client.SignIn(t.Context(), login, odd); err != nil {
		t.Fatal(err)
	}
	want := `"password":"p\u003c\u0026\u003e\"ä\\"`
	if got := server.Requests(b2binpaytest.EndpointToken)[0].Body; !bytes.Contains(got, []byte(want)) {
		t.Errorf("sent %s, want %s", got, want)
	}
}
