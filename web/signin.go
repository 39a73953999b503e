package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// signedOutNotices are the notices of the sign-in page after a sign-out, by ?done=.
var signedOutNotices = map[string]string{
	"signed-out":            texts.Notices.SignedOut,
	"signed-out-everywhere": texts.Notices.SignedOutEverywhere,
}

// home leads to where there is something to do.
func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	target := "/sign-in"
	if _, err := s.user(r); err == nil {
		target = "/account"
	} else if request.FromOtherSite(r) {
		return s.answers.LandingPage(w, r)
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

func (s *Server) signInPage(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	view := s.signInView(r, query.Get("return_to"), "", "")
	view.Notice = signedOutNotices[query.Get("done")]
	return s.answers.Render(w, r, http.StatusOK, templates.SignInPage(view))
}

func (s *Server) signInView(r *http.Request, back, email, clientID string) templates.SignIn {
	view := templates.SignIn{
		Page:      s.frame(r, ""),
		ServerURL: s.config.Clients[0].URL(),
		Email:     email,
		Aside:     s.config.SignInAside,
	}
	if back = answer.ReturnTo(back); back != answer.AfterSignIn {
		view.ReturnTo = back
	}
	for i, c := range s.config.Clients {
		words := texts.Clients[c.ID()]
		view.Clients = append(view.Clients, templates.ClientChoice{
			ID: c.ID(), Name: words.Name, Description: words.Description,
			Selected: c.ID() == clientID || clientID == "" && i == 0,
		})
	}
	return view
}

// signIn takes e-mail and password. It is the only way to start a session, by
// itself or with the second factor.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	form, err := answer.Form(r)
	if err != nil {
		return err
	}
	a := &attempt{
		Client:   s.userClient(form.Get("client")),
		Email:    strings.TrimSpace(form.Get("email")),
		ReturnTo: answer.ReturnTo(form.Get("return_to")),
	}
	if a.Client == nil {
		return answer.BadRequest("unknown client")
	}
	if a.Email == "" || form.Get("password") == "" {
		return s.signInAgain(w, r, a, texts.SignIn.Missing)
	}
	if err := s.mayTry(r, a.Email); err != nil {
		return err
	}
	started := s.config.Now()
	ctx, rec := s.record(r.Context(), nil)
	a.SignIn, err = a.Client.SignIn(ctx, a.Email, form.Get("password"))
	if err != nil {
		return s.signInRefused(w, r, a, err)
	}
	if a.SignIn.SecondFactor == nil {
		return s.finishSignIn(ctx, w, r, a, rec, started)
	}
	if err := s.sessions.StepUp(r.Context()); err != nil {
		return err
	}
	rec.add(s.browserStep(r, started, url.Values{"client": {a.Client.ID()}}))
	a.Browser, a.Flow, a.factor = s.sessions.NewBrowser(r.Context()), rec.all(), *a.SignIn.SecondFactor
	s.attempts.Add(a)
	s.events.record(ctx, eventSecondFactorRequired, "client", a.Client.ID(), "account", accountHash(a.Email))
	http.Redirect(w, r, secondFactorPath(a), http.StatusSeeOther)
	return nil
}

// signInRefused shows the form again after a wrong password, without saying
// which of e-mail and password was wrong. Anything else is an error page.
func (s *Server) signInRefused(w http.ResponseWriter, r *http.Request, a *attempt, err error) error {
	if err := s.signInFailed(r.Context(), a, err); !errors.Is(err, identity.ErrBadCredentials) {
		return err
	}
	return s.signInAgain(w, r, a, texts.SignIn.Wrong)
}

func (s *Server) signInAgain(w http.ResponseWriter, r *http.Request, a *attempt, problem string) error {
	view := s.signInView(r, a.ReturnTo, request.Clip(a.Email, 254), a.Client.ID())
	view.Problem = problem
	return s.answers.Render(w, r, http.StatusUnprocessableEntity, templates.SignInPage(view))
}

// finishSignIn turns a sign-in that the IdentityServer accepted into tokens in
// the vault and a session. The request that led here began at started.
func (s *Server) finishSignIn(ctx context.Context, w http.ResponseWriter, r *http.Request, a *attempt, rec *recording, started time.Time) error {
	u, claims, entry, err := s.retrieve(ctx, a)
	if err != nil {
		return s.signInFailed(ctx, a, err)
	}
	step := url.Values{}
	if r.URL.Path == "/sign-in" {
		step.Set("client", a.Client.ID())
	}
	rec.add(s.browserStep(r, started, step))
	u.UserAgent = request.Clip(r.UserAgent(), maxUserAgent)
	before, wasSignedIn := s.sessions.User(ctx)
	if err := s.begin(r.WithContext(ctx), u, entry, claims, rec.all()); err != nil {
		return s.signInFailed(ctx, a, err)
	}
	s.perAccount.Forget(accountHash(a.Email))
	request.Of(ctx).Session = s.logID(ctx)
	s.events.record(ctx, eventSignedIn, "client", u.Client, "user", u.Owner, "account", accountHash(a.Email), "administrator", u.Administrator)
	if wasSignedIn {
		s.endTokens(ctx, endOne, holdingOf(before))
	}
	http.Redirect(w, r, a.ReturnTo, http.StatusSeeOther) //nolint:gosec // local: it went through returnTo
	return nil
}

// begin keeps the tokens and begins the session that goes with them, findable
// by those who may end it. Of a session that cannot begin nothing is left.
func (s *Server) begin(r *http.Request, u user, entry vault.Entry, claims []claim, exchanges []identity.Exchange) (err error) {
	ctx := r.Context()
	if err := s.vault.Put(ctx, u.VaultKey, entry); err != nil {
		s.behind(ctx, remoteSignOutWait, func(ctx context.Context) { s.revoke(ctx, endOne, []vault.Entry{entry}) })
		return fmt.Errorf("keep the tokens: %w", err)
	}
	defer func() {
		if err != nil {
			s.endTokens(ctx, endOne, holdingOf(u))
		}
	}()
	notice := texts.Notices.SignedInNoName
	if name := cmp.Or(u.Nickname, u.Email); name != "" {
		notice = fmt.Sprintf(texts.Notices.SignedIn, name)
	}
	observe, err := s.observer(r, u, exchanges)
	if err != nil {
		return err
	}
	if err := s.sessions.SignIn(ctx, u, claimsValue.Is(claims), noticeValue.Is(notice), observe); err != nil {
		return err
	}
	if err := s.index.Remember(ctx, s.sessions.ID(ctx), u, u.SignedIn.Add(s.config.AbsoluteTimeout)); err != nil {
		return errors.Join(err, s.sessions.End(ctx))
	}
	return s.keepToLimit(ctx, u, s.sessions.ID(ctx))
}

// signInFailed logs err and returns it.
func (s *Server) signInFailed(ctx context.Context, a *attempt, err error) error {
	s.events.record(ctx, eventSignInFailed, "client", a.Client.ID(), "account", accountHash(a.Email), "error", err)
	return err
}

// retrieve gets and verifies the tokens.
func (s *Server) retrieve(ctx context.Context, a *attempt) (user, []claim, vault.Entry, error) {
	code, err := a.SignIn.Authorize(ctx)
	if err != nil {
		return user{}, nil, vault.Entry{}, err
	}
	token, err := a.SignIn.RetrieveToken(ctx, code)
	if err != nil {
		return user{}, nil, vault.Entry{}, err
	}
	id, err := a.Client.VerifyIDToken(ctx, token)
	if err != nil {
		return user{}, nil, vault.Entry{}, err
	}
	claims, roles, err := readClaims(id)
	if err != nil {
		return user{}, nil, vault.Entry{}, err
	}
	scope, _ := token.Extra("scope").(string)
	now := s.config.Now()
	u := user{
		Owner: id.Issuer + " " + id.Subject, Issuer: id.Issuer, Subject: id.Subject, IdentityID: identityID(id),
		Client: a.Client.ID(), VaultKey: rand.Text(),
		Nickname: a.SignIn.Account.Nickname, Email: cmp.Or(a.SignIn.Account.Email, a.Email), AccountID: a.SignIn.Account.ID,
		Administrator: slices.Contains(roles, s.config.AdministratorRole) && slices.Contains(strings.Fields(scope), "BackOffice"),
		SignedIn:      now,
	}
	// The vault lets go of the tokens even if nobody ends the session; the sweeper comes first and revokes them.
	until := now.Add(s.config.AbsoluteTimeout + 5*sweepEvery)
	return u, claims, vault.Entry{Owner: u.Owner, Client: u.Client, Token: token, State: s.stateToKeep(a), Until: until}, nil
}

// stateToKeep is the session at the IdentityServer, which saves a session whose
// refresh token was lost, and which a sign-out ends; nil if there is none or it is not to be kept.
func (s *Server) stateToKeep(a *attempt) []byte {
	if s.config.ForgetIdentitySession {
		return nil
	}
	state, err := a.SignIn.State()
	if err != nil {
		return nil
	}
	raw, _ := state.MarshalBinary() // its error is always nil
	return raw
}

// mayTry counts an attempt to sign in, first for the address, then for the account.
func (s *Server) mayTry(r *http.Request, email string) error {
	by, wait := "address", s.perAddress.Take(request.AddressKey(request.Of(r.Context()).Address))
	if wait == 0 {
		by, wait = "account", s.perAccount.Take(accountHash(email))
	}
	if wait == 0 {
		return nil
	}
	s.events.record(r.Context(), eventTooManyAttempts, "by", by, "account", accountHash(email))
	return &answer.Error{
		Status: http.StatusTooManyRequests, Code: "too_many_attempts", RetryAfter: wait,
		Args:    []any{inWords(wait), s.config.Now().Add(wait + time.Second - 1).UTC().Format("15:04:05")},
		Actions: []templates.Link{templates.LinkBackToSignIn},
	}
}

func (s *Server) userClient(id string) *identity.Client {
	for _, c := range s.config.Clients {
		if c.ID() == id {
			return c
		}
	}
	return nil
}

// accountHash names an account in the log and in the limiter without telling
// what was typed: people type passwords into the wrong field.
func accountHash(email string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(email))))
	return hex.EncodeToString(sum[:8])
}

func inWords(d time.Duration) string {
	if n := answer.Seconds(d); n != 1 {
		return fmt.Sprintf("%d seconds", n)
	}
	return "a second"
}
