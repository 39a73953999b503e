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

func secondFactorPath(a *attempt) string {
	return "/sign-in/second-factor?" + url.Values{attemptField: {a.ID}}.Encode()
}

func (s *Server) secondFactorPage(w http.ResponseWriter, r *http.Request) error {
	a, err := s.attempt(r, r.URL.Query().Get(attemptField))
	if err != nil {
		return err
	}
	return s.askForCode(w, r, a, http.StatusOK, "")
}

// secondFactor takes the one-time code of a sign-in under way.
func (s *Server) secondFactor(w http.ResponseWriter, r *http.Request) error {
	form, err := answer.Form(r)
	if err != nil {
		return err
	}
	a, err := s.attempt(r, form.Get(attemptField))
	if err != nil {
		return err
	}
	if err := s.mayTry(r, a.Email); err != nil {
		return err
	}
	select {
	case a.turn <- struct{}{}: // an identity.SignIn is for one at a time
		defer func() { <-a.turn }()
	case <-r.Context().Done():
		return r.Context().Err()
	}
	if !s.attempts.Has(a.ID) {
		return attemptOver() // the request before this one has finished it
	}
	started := s.config.Now()
	ctx, rec := s.record(r.Context(), a.Flow)
	if err := a.SignIn.VerifySecondFactor(ctx, strings.TrimSpace(form.Get("code"))); err != nil {
		a.Flow = rec.all()
		return s.secondFactorRefused(w, r, a, err)
	}
	s.attempts.Remove(a.ID)
	s.events.record(ctx, eventSecondFactorAccepted, "client", a.Client.ID(), "account", accountHash(a.Email))
	return s.finishSignIn(ctx, w, r, a, rec, started)
}

// secondFactorRefused asks again for a code, a few times.
func (s *Server) secondFactorRefused(w http.ResponseWriter, r *http.Request, a *attempt, err error) error {
	s.events.record(r.Context(), eventSecondFactorFailed, "client", a.Client.ID(), "account", accountHash(a.Email), "error", err)
	if !errors.Is(err, identity.ErrSecondFactorRefused) {
		return err
	}
	if !s.attempts.Wrong(a.ID) {
		return &answer.Error{
			Status: http.StatusForbidden, Code: "second_factor_refused", Err: err,
			Actions: []templates.Link{templates.LinkSignIn},
		}
	}
	return s.askForCode(w, r, a, http.StatusUnprocessableEntity, texts.SecondFactor.Wrong)
}

func (s *Server) askForCode(w http.ResponseWriter, r *http.Request, a *attempt, status int, problem string) error {
	return s.answers.Render(w, r, status, templates.SecondFactorPage(templates.SecondFactor{
		Page:     s.frame(r, ""),
		Attempt:  a.ID,
		Provider: a.factor.Provider, Message: a.factor.Message,
		Problem: problem,
	}))
}

// attempt returns the sign-in under way that is named id and belongs to the browser.
func (s *Server) attempt(r *http.Request, id string) (*attempt, error) {
	a, ok := s.attempts.Get(id, s.sessions.Browser(r.Context()))
	if !ok {
		return nil, attemptOver()
	}
	return a, nil
}

func attemptOver() error {
	return &answer.Error{
		Status: http.StatusForbidden, Code: "attempt_over", Err: errors.New("no such sign-in under way"),
		Args:    []any{int(attemptLife.Minutes())},
		Actions: []templates.Link{templates.LinkSignIn},
	}
}
