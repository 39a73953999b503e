package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
)

func secondFactorPath(p *pendingSignIn) string {
	return "/sign-in/second-factor?" + url.Values{pendingField: {p.ID}}.Encode()
}

func (s *signInPages) secondFactorPage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.find(r, r.URL.Query().Get(pendingField))
	if err != nil {
		return err
	}
	return s.askForCode(w, r, p, http.StatusOK, "")
}

// submitCode takes the one-time code of a pending sign-in.
func (s *signInPages) submitCode(w http.ResponseWriter, r *http.Request) error {
	form, err := answer.Form(r)
	if err != nil {
		return err
	}
	p, err := s.find(r, form.Get(pendingField))
	if err != nil {
		return err
	}
	if err := s.limit.take(r, p.Email); err != nil {
		return err
	}
	select {
	case p.turn <- struct{}{}: // an identity.SignIn is not safe for concurrent use
		defer func() { <-p.turn }()
	case <-r.Context().Done():
		return r.Context().Err()
	}
	if !s.pending.Has(p.ID) {
		return attemptOver() // the request before this one has finished it
	}
	started := s.config.Now()
	ctx, rec := s.record(r.Context(), p.Exchanges)
	if err := p.SignIn.VerifySecondFactor(ctx, strings.TrimSpace(form.Get("code"))); err != nil {
		p.Exchanges = rec.all()
		return s.codeRefused(w, r, p, err)
	}
	s.pending.Remove(p.ID)
	s.events.record(ctx, eventSecondFactorAccepted, "client", p.Client.ID(), "account", accountHash(p.Email))
	return s.finish(ctx, w, r, p, rec, started)
}

// codeRefused asks for a code again after a wrong one, maxWrongCodes times at
// most.
func (s *signInPages) codeRefused(w http.ResponseWriter, r *http.Request, p *pendingSignIn, err error) error {
	s.events.record(r.Context(), eventSecondFactorFailed, "client", p.Client.ID(), "account", accountHash(p.Email), "error", err)
	if !errors.Is(err, identity.ErrSecondFactorRefused) {
		return err
	}
	if !s.pending.Wrong(p.ID) {
		return &answer.Error{
			Status: http.StatusForbidden, Code: "second_factor_refused", Err: err, Actions: []templates.Link{templates.LinkSignIn},
		}
	}
	return s.askForCode(w, r, p, http.StatusUnprocessableEntity, texts.SecondFactor.Wrong)
}

func (s *signInPages) askForCode(w http.ResponseWriter, r *http.Request, p *pendingSignIn, status int, problem string) error {
	return s.answers.Render(w, r, status, templates.SecondFactorPage(templates.SecondFactor{
		Page:     s.frame(r, ""),
		Attempt:  p.ID,
		Provider: p.factor.Provider, Message: p.factor.Message,
		Problem: problem,
	}))
}

// find returns the pending sign-in with an ID that belongs to the browser.
func (s *signInPages) find(r *http.Request, id string) (*pendingSignIn, error) {
	p, ok := s.pending.Get(id, s.sessions.Browser(r.Context()))
	if !ok {
		return nil, attemptOver()
	}
	return p, nil
}

func attemptOver() error {
	return &answer.Error{
		Status: http.StatusForbidden, Code: "attempt_over", Err: errors.New("no such pending sign-in"),
		Args:    []any{int(pendingLife.Minutes())},
		Actions: []templates.Link{templates.LinkSignIn},
	}
}
