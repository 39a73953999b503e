package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"strings"

	"b2trader.identity.auth/identity/tokenapi"
)

// flagOf names the flag that a field of a Config is made of.
var flagOf = map[string]string{
	"Config.URL":                "-identity-url",
	"Config.Issuer":             "-identity-issuer",
	"Config.JWKSURL":            "-identity-jwks-url",
	"Config.PublicURL":          "-public-url",
	"Config.FrontOfficeURL":     "-frontoffice-url",
	"Config.BackOfficeURL":      "-backoffice-url",
	"Config.IdleTimeout":        "-idle-timeout",
	"Config.AbsoluteTimeout":    "-absolute-timeout",
	"Config.MaxSessionsPerUser": "-max-sessions-per-user",
}

// optionNames names the flags of the options that problems recommend.
var optionNames = strings.NewReplacer("InsecureAllowHTTP", "-insecure-allow-http", "InsecureAllowPlaintext", "-insecure-allow-plaintext",
	"Config.ListenURL", "-store-listen-url", "Config.URL", "-store")

// whatIsWrong returns the problem of a field, in words of flags.
func whatIsWrong(field *tokenapi.FieldError) string { return optionNames.Replace(field.Err.Error()) }

// inFlags joins the problems of err. The problem of a field names the field's
// flag, or the member of -platforms-file.
func (p parts) inFlags(err error) error {
	names := maps.Clone(flagOf)
	for i, platform := range p.showcase.Platforms {
		names[fmt.Sprintf("Config.Platforms[%d].Call.URL", i)] = "-platforms-file: " + platform.ID + ".call"
	}
	return withFlags(err, names)
}

// withFlags joins the problems of err. The problem of a field has the name of
// the field's flag, if it has one.
func withFlags(err error, names map[string]string) error {
	var problems []error
	for _, problem := range leaves(err) {
		if field, ok := errors.AsType[*tokenapi.FieldError](problem); ok {
			problem = errors.New(cmp.Or(names[field.Field], field.Field) + " " + whatIsWrong(field))
		}
		problems = append(problems, problem)
	}
	return errors.Join(problems...)
}

// leaves returns the errors that errors.Join has joined in err, also inside
// errors that wrap a join.
func leaves(err error) []error {
	switch e := err.(type) { //nolint:errorlint // the shape of err itself is asked for
	case interface{ Unwrap() []error }:
		var all []error
		for _, joined := range e.Unwrap() {
			all = append(all, leaves(joined)...)
		}
		return all
	case interface{ Unwrap() error }:
		if inner := leaves(e.Unwrap()); len(inner) > 1 {
			return inner
		}
	}
	return []error{err}
}
