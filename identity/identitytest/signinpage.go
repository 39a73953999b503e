package identitytest

import (
	"html/template"
	"net/http"
	"net/url"
)

// signInPagePath is the path of the sign-in page, IdentityServer's usual one.
const signInPagePath = basePath + "/account/login"

// signInForm is what the sign-in page shows.
type signInForm struct {
	Problem  string // why the page is shown again
	Email    string
	Provider string // of the code that is due; empty: the form is for e-mail and password
}

// The form posts to its own URL, so that the returnUrl stays.
var signInPageTemplate = template.Must(template.New("sign-in").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in</title>
<h1>Sign in</h1>
{{with .Problem}}<p role="alert">{{.}}</p>
{{end -}}
<form method="post">
{{if .Provider -}}
<p><label for="code">One-time code ({{.Provider}})</label><br>
<input id="code" name="verificationCode" inputmode="numeric" autocomplete="one-time-code" required autofocus></p>
{{else -}}
<p><label for="email">E-mail</label><br>
<input id="email" name="email" type="email" value="{{.Email}}" autocomplete="username" required autofocus></p>
<p><label for="password">Password</label><br>
<input id="password" name="password" type="password" autocomplete="current-password" required></p>
{{end -}}
<p><button>Sign in</button></p>
</form>
`))

// signInPage answers the sign-in page and its form. A sign-in leads back to the
// authorize request.
func (s *Server) signInPage(x *exchange) {
	x.noCache()
	params, ok := returnParams(x.Query.Get("returnUrl"))
	if !ok {
		x.Note("returnUrl is not the authorize endpoint")
		x.problemDetails(http.StatusBadRequest)
		return
	}
	if err := new(http.CrossOriginProtection).Check(x.Request); err != nil {
		x.Note(err.Error())
		x.problemDetails(http.StatusForbidden)
		return
	}
	if x.Method == http.MethodGet {
		x.showSignIn(http.StatusOK, signInForm{Email: params.Get("login_hint")})
		return
	}
	u, next := s.submitSignIn(x)
	switch {
	case u != nil:
		s.startSession(x, u)
		x.redirect(x.origin() + returnURL(params))
	case next.Problem != "":
		x.Note("SignInUnsuccessful: " + next.Problem)
		x.showSignIn(s.config.SignInFailureStatus, next)
	default:
		x.showSignIn(http.StatusOK, next)
	}
}

// submitSignIn returns the user who has signed in, or nil and the next form.
func (s *Server) submitSignIn(x *exchange) (*user, signInForm) {
	if x.Form.Has("verificationCode") {
		u := s.awaitedUser(x)
		switch {
		case u == nil:
			return nil, signInForm{Problem: "The time for the code is over. Enter e-mail and password again."}
		case !s.enterCode(x, u, x.Form.Get("verificationCode")):
			return nil, signInForm{Problem: "The code is wrong.", Provider: u.SecondFactorProvider}
		}
		return u, signInForm{}
	}
	email := x.Form.Get("email")
	u := s.enterPassword(x, email, x.Form.Get("password"))
	switch {
	case u == nil:
		return nil, signInForm{Problem: "The e-mail or the password is wrong.", Email: email}
	case u.SecondFactorCode != "":
		return nil, signInForm{Provider: u.SecondFactorProvider}
	}
	return u, signInForm{}
}

// returnURL returns the path and query that lead back to an authorize request.
func returnURL(params url.Values) string { return callbackPath + "?" + escape(params) }

// returnParams returns the parameters of the authorize request in a returnUrl. A
// URL that leads anywhere else is refused.
func returnParams(target string) (params url.Values, ok bool) {
	u, err := url.Parse(target)
	if err != nil || *u != (url.URL{Path: callbackPath, RawQuery: u.RawQuery}) {
		return nil, false
	}
	return u.Query(), true
}

func (x *exchange) showSignIn(status int, form signInForm) {
	header := x.Answer().Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "same-origin") // no-referrer would make the form's Origin null
	x.Status(status)
	if err := signInPageTemplate.Execute(x.Answer(), form); err != nil {
		panic("identitytest: " + err.Error())
	}
}
