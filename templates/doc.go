// Package templates renders the pages of the Backend-for-Frontend as templ
// components.
//
// Each page is one component that takes one view struct: SignInPage takes SignIn,
// AccountPage takes Account, and so on. TokenCard is also served on its own, as
// the fragment that keeps the account page current. No view struct has a field
// for a token, a code or a secret.
//
// The words of the pages and of the errors are in one Texts value, see
// texts_english.go and texts_german.go.
//
// The pages have no inline script, style or event handler, so they work under a
// Content-Security-Policy of 'self'. They are complete without JavaScript; app.js
// only moves countdowns and refreshes fragments.
package templates

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.1100 generate
