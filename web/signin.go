package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// signInPages are the sign-in with its second factor. They are the only way to
// begin a session.
type signInPages struct {
	*site
	ender   *sessionEnder
	limit   *signInLimit
	pending *pendingSignIns

	emailCookie lastingCookie
}

// home leads users who are signed in to the account page, which says so if their
// session has ended. Others get the host application's front page, or the
// sign-in page.
func (s *signInPages) home(w http.ResponseWriter, r *http.Request) error {
	if err := s.sessions.Readable(r.Context()); err != nil {
		return err
	}
	_, err := s.user(r)
	front := s.config.FrontPage
	switch {
	case !errors.Is(err, answer.ErrNoSession):
		http.Redirect(w, r, "/account", http.StatusSeeOther)
		return nil
	case request.FromOtherSite(r):
		return s.answers.LandingPage(w, r)
	case front != nil:
		return s.renderContent(w, r, s.frame(r, front.Title), *front)
	}
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	return nil
}

func (s *signInPages) page(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	email := s.rememberedEmail(r)
	view := s.formView(r, query.Get("return_to"), email, "")
	view.Remember = email != ""
	switch query.Get("done") {
	case "signed-out":
		view.Notice = s.texts.Notices.SignedOut
	case "signed-out-everywhere":
		view.Notice = s.texts.Notices.SignedOutEverywhere
	case "idle":
		view.Reason = s.texts.SignIn.EndedIdle
	case "ended":
		view.Reason = s.texts.SignIn.Ended
	case "":
		if view.ReturnTo != "" {
			view.Reason = s.texts.SignIn.Needed
		}
	}
	return s.answers.Render(w, r, http.StatusOK, templates.SignInPage(view))
}

func (s *signInPages) formView(r *http.Request, back, email, clientID string) templates.SignIn {
	view := templates.SignIn{
		Page:  s.frame(r, ""),
		Email: email,
		Aside: s.config.SignInAside,
	}
	if back = s.returnTo(r, back); back != answer.AfterSignIn {
		view.ReturnTo = back
	}
	for i, c := range s.config.Clients {
		text := s.texts.Clients[c.ID()]
		view.Clients = append(view.Clients, templates.ClientChoice{
			ID: c.ID(), Name: text.Name, Description: text.Description,
			Selected: c.ID() == clientID || clientID == "" && i == 0,
		})
	}
	return view
}

// returnTo is answer.ReturnTo, but no path that only takes forms: a browser
// comes from a page that answered a form, and its address shows no page.
func (s *signInPages) returnTo(r *http.Request, raw string) string {
	back := answer.ReturnTo(raw)
	probe := r.Clone(r.Context())
	if u, err := url.Parse(back); err == nil {
		probe.URL = u
	}
	if slices.Equal(s.methods(probe), []string{http.MethodPost}) {
		return answer.AfterSignIn
	}
	return back
}

// submit takes e-mail and password.
func (s *signInPages) submit(w http.ResponseWriter, r *http.Request) error {
	form, err := answer.Form(r)
	if err != nil {
		return err
	}
	p := &pendingSignIn{
		Client:   s.client(form.Get("client")),
		Email:    strings.TrimSpace(form.Get("email")),
		ReturnTo: s.returnTo(r, form.Get("return_to")),
		remember: form.Get("remember") != "",
	}
	if p.Client == nil {
		return answer.BadRequest("unknown client")
	}
	if p.Email == "" || form.Get("password") == "" {
		missing := templates.Problem{Text: s.texts.SignIn.Missing, Field: "password"}
		if p.Email == "" {
			missing.Field = "email"
		}
		return s.again(w, r, p, http.StatusUnprocessableEntity, missing)
	}
	if p.counted, err = s.limit.take(r, p.Email); err == nil {
		err = p.counted.settle(r.Context(), s.try(w, r, p, form.Get("password")))
	}
	s.failOnForm(w, r, p, err)
	return nil
}

// try sends a password that was counted.
func (s *signInPages) try(w http.ResponseWriter, r *http.Request, p *pendingSignIn, password string) (err error) {
	started := s.config.Now()
	ctx, rec := s.record(r.Context(), nil)
	p.SignIn, err = p.Client.SignIn(ctx, p.Email, password)
	if err != nil {
		return s.refused(w, r, p, err)
	}
	p.counted.accepted()
	s.rememberEmail(w, r, p)
	if p.SignIn.SecondFactor == nil {
		return s.finish(ctx, w, r, p, rec, started)
	}
	if err := s.stepUp(r.Context()); err != nil {
		return err
	}
	rec.add(s.browserStep(r, started, url.Values{"client": {p.Client.ID()}}))
	p.Exchanges = rec.all()
	if err := s.pending.Add(ctx, p, s.sessions.NewBrowser(r.Context())); err != nil {
		return err
	}
	s.events.record(ctx, eventSecondFactorRequired, "client", p.Client.ID(), "account", s.accounts.Of(p.Email))
	http.Redirect(w, r, secondFactorPath(p), http.StatusSeeOther)
	return nil
}

// stepUp gives the session a new ID. The session at the IdentityServer of a user
// who is signed in leads to the new one, too.
func (s *signInPages) stepUp(ctx context.Context) error {
	if err := s.sessions.StepUp(ctx); err != nil {
		return err
	}
	u, signedIn := s.sessions.User(ctx)
	if !signedIn {
		return nil
	}
	_, latest := s.sessions.Ends(ctx)
	return s.index.Remember(ctx, s.sessions.ID(ctx), u, latest)
}

// refused shows the form again after a wrong e-mail or password, without saying
// which of the two was wrong. It returns any other error.
func (s *signInPages) refused(w http.ResponseWriter, r *http.Request, p *pendingSignIn, err error) error {
	if err := s.failed(r.Context(), p, err); !errors.Is(err, tokenapi.ErrBadCredentials) {
		return err
	}
	return s.again(w, r, p, http.StatusUnprocessableEntity, templates.Problem{Text: s.texts.SignIn.Wrong, Field: "password"})
}

func (s *signInPages) again(w http.ResponseWriter, r *http.Request, p *pendingSignIn, status int, problem templates.Problem) error {
	return s.answers.Render(w, r, status, s.formAgain(r, p, problem))
}

// formAgain returns the form as it was filled in, without the password.
func (s *signInPages) formAgain(r *http.Request, p *pendingSignIn, problem templates.Problem) templ.Component {
	view := s.formView(r, p.ReturnTo, request.Clip(p.Email, maxEmail), p.Client.ID())
	view.Problem, view.Remember = problem, p.remember
	return templates.SignInPage(view)
}

// finish makes tokens in the vault and a session of a sign-in that the
// IdentityServer accepted. The browser's request began at started.
func (s *signInPages) finish(ctx context.Context, w http.ResponseWriter, r *http.Request, p *pendingSignIn, rec *recording, started time.Time) error {
	in, err := s.retrieve(ctx, p)
	if err != nil {
		return s.failed(ctx, p, err)
	}
	if in.refused {
		s.ender.revokeBehind(ctx, revokeSession, &in.entry)
		_ = s.failed(ctx, p, errNotAdministrator)
		return s.again(w, r, p, http.StatusForbidden, templates.Problem{Text: s.texts.SignIn.NotAdministrator, Field: "client"})
	}
	step := url.Values{}
	if p.ID == "" {
		step.Set("client", p.Client.ID())
	}
	rec.add(s.browserStep(r, started, step))
	in.user.UserAgent = request.Clip(r.UserAgent(), maxUserAgent)
	before, wasSignedIn := s.sessions.User(ctx)
	if err := s.begin(r.WithContext(ctx), in, rec.all()); err != nil {
		return s.failed(ctx, p, err)
	}
	p.counted.succeeded(w, r, p.Email)
	request.Of(ctx).Session = s.logID(ctx)
	s.events.record(ctx, eventSignedIn, "client", in.user.Client, "user", in.user.Owner,
		"account", s.accounts.Of(p.Email), "administrator", in.user.Administrator)
	if wasSignedIn {
		s.ender.endTokens(ctx, revokeSession, before)
	}
	http.Redirect(w, r, p.ReturnTo, http.StatusSeeOther) //nolint:gosec // a local path: ReturnTo checked it
	return nil
}

// begin puts the tokens into the vault, begins the session and makes it
// findable. If it fails, it ends the session and its tokens.
func (s *signInPages) begin(r *http.Request, in signInResult, exchanges []tokenapi.Exchange) (err error) {
	ctx, u := r.Context(), in.user
	if err := s.vault.Put(ctx, u.VaultKey, in.entry); err != nil {
		s.ender.revokeBehind(ctx, revokeSession, &in.entry)
		return fmt.Errorf("keep the tokens: %w", err)
	}
	defer func() {
		if err != nil {
			s.ender.endTokens(ctx, revokeSession, u)
		}
	}()
	observe, err := s.observer(r, u, exchanges)
	if err != nil {
		return err
	}
	if err := s.sessions.SignIn(ctx, u, observe); err != nil {
		return err
	}
	id := s.sessions.ID(ctx)
	if err := s.index.Remember(ctx, id, u, u.SignedIn.Add(s.config.AbsoluteTimeout)); err != nil {
		_, failed := s.sessions.End(ctx)
		return errors.Join(err, failed)
	}
	return s.ender.keepToLimit(ctx, u, id)
}

var errNotAdministrator = errors.New("the client's tokens have the scope BackOffice, and the user is no administrator")

// failed logs err and returns it.
func (s *signInPages) failed(ctx context.Context, p *pendingSignIn, err error) error {
	s.events.record(ctx, eventSignInFailed, "client", p.Client.ID(), "account", s.accounts.Of(p.Email), "error", err)
	return err
}

// client returns the client of a form, or nil. The only client needs no name.
func (s *signInPages) client(id string) *identity.Client {
	if id == "" && len(s.config.Clients) == 1 {
		return s.config.Clients[0]
	}
	return s.clients[id]
}
