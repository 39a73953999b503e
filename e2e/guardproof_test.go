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
)

// The guard finds what it is there for: a site that gives a secret away, in
// any place and spelling, is found out.
func TestGuardFindsLeaks(t *testing.T) {
	t.Parallel()
	const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMDAwMDAwMSJ9.c2lnbmF0dXJl"
	password := passwords[trader]
	marshalled, err := json.Marshal(password)
	if err != nil {
		t.Fatal(err)
	}
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
			g := &guard{}
			g.learn("token", token)
			g.learn("password", password)
			recorder := httptest.NewRecorder()
			give(recorder)
			g.received("GET /", recorder.Result(), recorder.Body.Bytes())
			found := g.leaks()
			if len(found) == 0 {
				t.Error("the guard found nothing")
			}
			for _, text := range found {
				if strings.Contains(text, token) || strings.Contains(text, password) {
					t.Error("the guard gives the secret away itself")
				}
			}
		})
	}
}

func write(w http.ResponseWriter, text string) { _, _ = w.Write([]byte(text)) } // a recorder takes all

// A session cookie may be set, and be nowhere else. req 66
func TestGuardFindsTheSessionCookieElsewhere(t *testing.T) {
	t.Parallel()
	answer := func(body string) *guard {
		g := &guard{}
		recorder := httptest.NewRecorder()
		http.SetCookie(recorder, &http.Cookie{Name: "s", Value: "the-session-cookie"})
		write(recorder, body)
		g.received("GET /", recorder.Result(), recorder.Body.Bytes())
		return g
	}
	if found := answer("all is well").leaks(); len(found) != 0 {
		t.Errorf("found %v in a harmless answer", found)
	}
	if found := answer("your id is the-session-cookie").leaks(); len(found) != 1 {
		t.Errorf("found %v", found)
	}
}

// The guard learns from what passes: it would find each token of a sign-in.
func TestGuardLearnsWhatTheServerIssues(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	token, err := w.client(identity.ClientSPAAdmin, setup{}).Login(t.Context(), admin, passwords[admin])
	if err != nil {
		t.Fatal(err)
	}
	id, _ := token.Extra("id_token").(string)
	for kind, value := range map[string]string{
		"access token": token.AccessToken, "refresh token": token.RefreshToken, "id token": id,
		"password": passwords[admin], "client secret": "spa_admin-secret",
	} {
		if len(w.guard.leaksIn("a text", []byte("before "+value+" after"))) == 0 {
			t.Errorf("the guard would not find the %s", kind)
		}
	}
	if w.guard.knows("IdentityServer cookie") < 2 {
		t.Error("the guard does not know the IdentityServer's cookies")
	}
	if found := w.guard.leaksIn("a text", []byte("nothing to see here")); len(found) != 0 {
		t.Errorf("the guard found %v where nothing is", found)
	}
}
