package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"b2trader.identity.auth/identity/tokenapi"
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
	return s.answers.Render(w, r, http.StatusOK, s.codeForm(r, p, templates.Problem{}))
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
	counted, err := s.limit.take(r, p.Email)
	if err != nil {
		s.failOnCode(w, r, p, err)
		return nil
	}
	if p, err = s.pending.Claim(r.Context(), p); err != nil {
		return counted.settle(r.Context(), err)
	}
	started := s.config.Now()
	ctx, rec := s.record(r.Context(), p.Exchanges)
	if err := p.SignIn.VerifySecondFactor(ctx, strings.TrimSpace(form.Get("code"))); err != nil {
		p.Exchanges = rec.all()
		return s.codeRefused(w, r, p, counted, err)
	}
	if err := s.pending.Finish(ctx, p); err != nil {
		return counted.settle(ctx, err)
	}
	s.events.record(ctx, eventSecondFactorAccepted, "client", p.Client.ID(), "account", s.accounts.Of(p.Email))
	counted.accepted()
	p.counted = counted
	s.failOnForm(w, r, p, counted.settle(ctx, s.finish(ctx, w, r, p, rec, started)))
	return nil
}

// codeRefused asks for a code again, maxCodes times at most, or returns the
// error of a code that could not be judged. Each code counts, whatever the
// IdentityServer answered, unless the server was away.
func (s *signInPages) codeRefused(w http.ResponseWriter, r *http.Request, p *pendingSignIn, counted *countedAttempt, err error) error {
	ctx := r.Context()
	s.events.record(ctx, eventSecondFactorFailed, "client", p.Client.ID(), "account", s.accounts.Of(p.Email), "error", err)
	// A 500 counts: some servers answer so to codes that they do not expect, and
	// there are only a million codes.
	away := isAway(ctx, err) && !answered(err, http.StatusInternalServerError)
	if away {
		counted.giveBack()
	}
	more, storeErr := s.pending.Keep(ctx, p, away)
	switch {
	case storeErr != nil:
		return storeErr
	case !more:
		return &answer.Error{
			Status: http.StatusForbidden, Code: "second_factor_refused", Err: err, Actions: []templates.Action{templates.ActionSignIn},
		}
	case !errors.Is(err, tokenapi.ErrSecondFactorRefused):
		s.failOnCode(w, r, p, err)
		return nil
	}
	wrong := templates.Problem{Text: s.texts.SecondFactor.Wrong, Field: "code"}
	return s.answers.Render(w, r, http.StatusUnprocessableEntity, s.codeForm(r, p, wrong))
}

func (s *signInPages) codeForm(r *http.Request, p *pendingSignIn, problem templates.Problem) templ.Component {
	page := s.frame(r, "")
	page.Here = secondFactorPath(p)
	return templates.SecondFactorPage(templates.SecondFactor{
		Page:    page,
		Attempt: p.ID, Email: p.Email,
		Provider: p.SignIn.SecondFactor.Provider, Message: p.SignIn.SecondFactor.Message,
		Problem: problem,
		Aside:   s.config.SecondFactorAside,
	})
}

// find returns the pending sign-in with an ID that belongs to the browser.
func (s *signInPages) find(r *http.Request, id string) (*pendingSignIn, error) {
	return s.pending.Get(r.Context(), id, s.sessions.Browser(r.Context()))
}

func attemptOver() error {
	return &answer.Error{
		Status: http.StatusForbidden, Code: "attempt_over", Err: errors.New("no such pending sign-in"),
		Args:    []any{int(pendingLife.Minutes())},
		Actions: []templates.Action{templates.ActionSignIn},
	}
}
