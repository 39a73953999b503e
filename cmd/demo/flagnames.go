package main

import (
	"errors"
	"fmt"

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

// inFlags joins the problems of err. The problem of a field names the field's
// flag, or the member of -platforms-file.
func (p parts) inFlags(err error) error {
	flags := make(map[string]string, len(p.showcase.Platforms))
	for i, platform := range p.showcase.Platforms {
		flags[fmt.Sprintf("Config.Platforms[%d].Call.URL", i)] = "-platforms-file: " + platform.ID + ".call"
	}
	var problems []error
	for _, problem := range leaves(err) {
		field, ok := errors.AsType[*tokenapi.FieldError](problem)
		if !ok {
			problems = append(problems, problem)
			continue
		}
		name := flagOf[field.Field]
		if name == "" {
			name = flags[field.Field]
		}
		if name == "" {
			name = field.Field
		}
		problems = append(problems, fmt.Errorf("%s %w", name, field.Err))
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
