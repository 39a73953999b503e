package answer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/request"
)

// statusAbandoned is logged for a request whose browser went away.
const statusAbandoned = 499

// Handler answers a request, or returns an error and answers nothing.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Config is what [New] needs. All fields are required.
type Config struct {
	Logger *slog.Logger

	// Blank is a page of the site without a title and a user. Its Texts are
	// complete.
	Blank templates.Page

	// Frame returns what a page shows around its content: the signed-in user and
	// the navigation.
	Frame func(r *http.Request, title string) templates.Page

	// Translate turns an error of another package into one that this package
	// knows. It returns other errors as they are.
	Translate func(error) error

	// EndSession ends the session of the request, whose tokens have ended.
	EndSession func(context.Context) error
}

// Answers answers requests with pages and errors.
type Answers struct {
	config   Config
	fallback []byte // the error page that is sent if no page can be rendered
}

// New returns an Answers. Its error is that the fallback page cannot be
// rendered.
func New(config Config) (*Answers, error) {
	e := (&Error{Status: http.StatusInternalServerError}).withDefaults(nil)
	var b bytes.Buffer
	page := config.Blank
	page.Title = e.Text(page.Texts).Headline
	if err := errorPage(page, e).Render(context.Background(), &b); err != nil {
		return nil, fmt.Errorf("render the fallback page: %w", err)
	}
	return &Answers{config: config, fallback: b.Bytes()}, nil
}

// Page makes an http.Handler of h.
func (a *Answers) Page(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			a.Fail(w, r, err)
		}
	})
}

// Fail logs err and answers r with it. If the session's entry in the vault has
// ended, Fail ends the session.
func (a *Answers) Fail(w http.ResponseWriter, r *http.Request, err error) {
	a.FailOnForm(w, r, err, func(*Error) templ.Component { return nil })
}

// FailOnForm is Fail for a form that was submitted. The form is the page that
// says what is wrong, so that what was typed stays. If form returns nil, the
// answer is that of Fail.
func (a *Answers) FailOnForm(w http.ResponseWriter, r *http.Request, err error, form func(*Error) templ.Component) {
	ctx := r.Context()
	if Abandoned(r, err) {
		a.config.Logger.InfoContext(ctx, "request abandoned", "error", err)
		w.WriteHeader(statusAbandoned)
		return
	}
	dropBodyHeaders(w.Header())
	err = a.config.Translate(err)
	if asked, ok := errors.AsType[signIn](err); ok && a.askToSignIn(w, r, asked.ended) {
		return
	}
	e := Explain(r, err)
	if sessionOver(err) {
		a.endSession(ctx, err)
	}
	a.config.Logger.Log(ctx, Level(e), "request failed", "status", e.Status, "error", e.Err)
	if e.RetryAfter > 0 {
		SetRetryAfter(w.Header(), e.RetryAfter)
	}
	headline := e.Text(a.config.Blank.Texts).Headline
	if request.WantsJSON(r) {
		JSON(w, e.Status, map[string]string{"error": e.ShortCode(), "message": headline, "request_id": request.Of(ctx).ID})
		return
	}
	page := form(e)
	if page == nil {
		page = errorPage(a.config.Frame(r, headline), e)
	}
	if err := a.Render(w, r, e.Status, page); err != nil {
		a.config.Logger.ErrorContext(ctx, "error page failed", "error", err)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(a.fallback)
	}
}

func (a *Answers) endSession(ctx context.Context, reason error) {
	a.config.Logger.InfoContext(ctx, "session over", "error", reason)
	if err := a.config.EndSession(ctx); err != nil {
		a.config.Logger.ErrorContext(ctx, "session not ended", "error", err)
	}
}

func errorPage(page templates.Page, e *Error) templ.Component {
	text := e.Text(page.Texts)
	return templates.ErrorPageView(templates.ErrorPage{
		Page: page, Status: e.Status, Headline: text.Headline, Explanation: text.Explanation, Actions: e.Actions,
	})
}

// askToSignIn answers a request for a page by leading to the sign-in page. It
// returns false if r is not for a page.
func (a *Answers) askToSignIn(w http.ResponseWriter, r *http.Request, ended bool) bool {
	if request.WantsJSON(r) || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if !request.FromOtherSite(r) {
		http.Redirect(w, r, signInPath(r, ended), http.StatusSeeOther)
	} else if err := a.LandingPage(w, r); err != nil {
		a.Fail(w, r, err)
	}
	return true
}

// LandingPage answers a link from another site with a page that loads r's page
// again. This site is then the origin of the request, so the browser sends the
// SameSite=Strict cookie.
func (a *Answers) LandingPage(w http.ResponseWriter, r *http.Request) error {
	target, texts := ReturnTo(r.URL.RequestURI()), a.config.Blank.Texts.Landing
	w.Header().Set("Refresh", "0; url="+target)
	return a.Render(w, r, http.StatusOK, templates.ErrorPageView(templates.ErrorPage{
		Page:        a.config.Frame(r, texts.Headline),
		Headline:    texts.Headline,
		Explanation: texts.Explanation,
		Actions:     []templates.Action{templates.ActionContinue.To(target)},
	}))
}

// Level returns the level that an Error is logged at. A misconfigured client is
// an error, as the operator must act.
func Level(e *Error) slog.Level {
	switch {
	case errors.Is(e.Err, tokenapi.ErrMisconfigured), e.Status == http.StatusInternalServerError:
		return slog.LevelError
	case e.Status > http.StatusInternalServerError:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// Render renders c into a buffer and then answers, so that the browser gets a
// whole page or none.
func (a *Answers) Render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // fails only if the browser went away
	return nil
}

// JSON answers with v in JSON. It panics if v cannot be encoded: v must be of
// a plain type of this site.
func JSON(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("web: %v", err))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(raw, '\n'))
}

// Abandoned reports whether err is only that the browser went away.
func Abandoned(r *http.Request, err error) bool {
	// net/http cancels a request also if its body does not arrive in time.
	if e, ok := errors.AsType[*Error](err); ok && e.Status == http.StatusRequestTimeout {
		return false
	}
	return errors.Is(r.Context().Err(), context.Canceled) && err != nil
}

// Seconds returns d in whole seconds, rounded up, and at least 1.
func Seconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// SetRetryAfter sets Retry-After to d.
func SetRetryAfter(h http.Header, d time.Duration) { h.Set("Retry-After", strconv.Itoa(Seconds(d))) }
