package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/tokenapi"
)

// TestSecretsFindsLeaks gives a secret away in each place and spelling.
func TestSecretsFindsLeaks(t *testing.T) {
	t.Parallel()
	const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMDAwMDAwMSJ9.c2lnbmF0dXJl"
	password := passwords[trader]
	marshalled := must(json.Marshal(password))(t)
	for name, give := range map[string]func(w http.ResponseWriter){
		"body":         func(w http.ResponseWriter) { write(w, "<p>"+token+"</p>") },
		"claims alone": func(w http.ResponseWriter) { write(w, strings.Split(token, ".")[1]) },
		"header":       func(w http.ResponseWriter) { w.Header().Set("X-Debug", token) },
		"redirect": func(w http.ResponseWriter) {
			w.Header().Set("Location", "/?t="+token)
			w.WriteHeader(http.StatusSeeOther)
		},
		"cookie":          func(w http.ResponseWriter) { http.SetCookie(w, &http.Cookie{Name: "t", Value: token}) },
		"password":        func(w http.ResponseWriter) { write(w, password) },
		"in HTML":         func(w http.ResponseWriter) { write(w, html.EscapeString(password)) },
		"in a query":      func(w http.ResponseWriter) { write(w, "?p="+url.QueryEscape(password)) },
		"in a path":       func(w http.ResponseWriter) { write(w, "/"+url.PathEscape(password)) },
		"in JSON":         func(w http.ResponseWriter) { write(w, string(marshalled)) },
		"in hex":          func(w http.ResponseWriter) { write(w, hex.EncodeToString([]byte(password))) },
		"in base64":       func(w http.ResponseWriter) { write(w, base64.StdEncoding.EncodeToString([]byte("x:"+password+"!"))) },
		"in base64, next": func(w http.ResponseWriter) { write(w, base64.StdEncoding.EncodeToString([]byte("xy:"+password))) },
		"in base64url":    func(w http.ResponseWriter) { write(w, base64.RawURLEncoding.EncodeToString([]byte(password))) },
		"in Basic":        func(w http.ResponseWriter) { write(w, base64.StdEncoding.EncodeToString([]byte("spa:"+password))) },
	} {
		t.Run(name, func(t *testing.T) {
			s := &secrets{}
			s.learn("token", token)
			s.learn("password", password)
			recorder := httptest.NewRecorder()
			give(recorder)
			s.received("GET /", recorder.Result(), recorder.Body.Bytes())
			found := s.leaks()
			if len(found) == 0 {
				t.Errorf("leaks() of %q = none, want one", name)
			}
			if text := strings.Join(found, " "); strings.Contains(text, token) || strings.Contains(text, password) {
				t.Error("leaks() repeats the secret")
			}
		})
	}
}

func write(w http.ResponseWriter, text string) { _, _ = w.Write([]byte(text)) }

// TestSecretsFindsTheSessionCookieElsewhere allows the session cookie in
// Set-Cookie and nowhere else. req 66
func TestSecretsFindsTheSessionCookieElsewhere(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{"all is well": 0, "your id is the-session-cookie": 1} {
		s := &secrets{}
		recorder := httptest.NewRecorder()
		http.SetCookie(recorder, &http.Cookie{Name: "s", Value: "the-session-cookie"})
		write(recorder, body)
		s.received("GET /", recorder.Result(), recorder.Body.Bytes())
		if found := s.leaks(); len(found) != want {
			t.Errorf("leaks() of %q = %v, want %d", body, found, want)
		}
	}
}

// TestSecretsLearnsASignIn checks that each secret of a sign-in would be found
// in a log.
func TestSecretsLearnsASignIn(t *testing.T) {
	t.Parallel()
	s := &secrets{}
	server := startIdentityServer(t, s)
	client := must(identity.New(identity.Config{
		URL: server.URL(), ClientID: identity.ClientSPAAdmin, ClientSecret: tokenapi.NewSecret("spa_admin-secret"),
	}))(t)
	token := must(client.Login(t.Context(), admin, passwords[admin]))(t)
	id, _ := token.Extra("id_token").(string)
	for kind, value := range map[string]string{
		"access token": token.AccessToken, "refresh token": token.RefreshToken, "id token": id,
		"password": passwords[admin], "client secret": "spa_admin-secret",
	} {
		if len(s.leaksIn("a text", []byte("before "+value+" after"))) == 0 {
			t.Errorf("leaksIn() of the %s = none, want one", kind)
		}
	}
	for _, kind := range []string{"code", "code_verifier", "state", "nonce", "IdentityServer cookie"} {
		if s.knows(kind) == 0 {
			t.Errorf("knows(%q) = 0, want at least 1", kind)
		}
	}
	if found := s.leaksIn("a text", []byte("nothing to see here")); len(found) != 0 {
		t.Errorf("leaksIn() of a harmless text = %v, want none", found)
	}
}
