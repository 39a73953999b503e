// Package templates draws the pages of the web application as templ components.
//
// Each page is one component that takes one view struct: SignInPage takes SignIn,
// AccountPage takes Account, and so on. TokenCard is also served alone, as the fragment
// that keeps the account page current. View structs carry what people may see and never
// a token, a code or a secret.
//
// The pages hold no inline script, style or event handler, so they run under a
// Content-Security-Policy of 'self' alone. They are complete without JavaScript; app.js
// only moves countdowns and refreshes fragments.
package templates

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate
