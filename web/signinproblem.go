package web

import (
	"net/http"

	"github.com/a-h/templ"

	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// failOnForm answers a sign-in with err. An error that a new attempt may mend is
// a message on the form, which keeps the e-mail and the client. A nil error has
// been answered.
func (s *signInPages) failOnForm(w http.ResponseWriter, r *http.Request, p *pendingSignIn, err error) {
	s.failOn(w, r, err, func(problem templates.Problem) templ.Component { return s.formAgain(r, p, problem) })
}

// failOnCode is failOnForm for the one-time code of a sign-in that goes on.
func (s *signInPages) failOnCode(w http.ResponseWriter, r *http.Request, p *pendingSignIn, err error) {
	s.failOn(w, r, err, func(problem templates.Problem) templ.Component { return s.codeForm(r, p, problem) })
}

func (s *signInPages) failOn(w http.ResponseWriter, r *http.Request, err error, form func(templates.Problem) templ.Component) {
	if err == nil {
		return
	}
	s.answers.FailOnForm(w, r, err, func(e *answer.Error) templ.Component {
		if !mayTryAgain(e) {
			return nil
		}
		text, now := e.Text(s.texts), s.config.Now()
		problem := templates.Problem{Text: text.Headline + ". " + text.Explanation, RequestID: request.Of(r.Context()).ID}
		if e.RetryAfter > 0 {
			problem.Now, problem.Until = now, now.Add(e.RetryAfter)
		}
		return form(problem)
	})
}

// mayTryAgain reports whether another attempt at the same form may succeed.
func mayTryAgain(e *answer.Error) bool {
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway:
		return true
	}
	return e.Code == "sign_in_refused"
}
