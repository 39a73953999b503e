// Package checkconfig checks the fields of a Config. Every client, test server
// and service of this module reports its problems through it, so a problem
// reads the same everywhere: the package, the field, and what the field must
// be.
//
//	p := checkconfig.Problems{Package: "b2core"}
//	p.Missing("Bearer", config.Bearer == nil)
//	p.Negative("DefaultLifetime", config.DefaultLifetime < 0)
//	base := p.URL("URL", config.URL, config.HTTP.InsecureAllowHTTP)
//	if err := p.Err(); err != nil {
//		return nil, err
//	}
//
// Packages outside of identity use it as tokenapi.Problems.
package checkconfig

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// A FieldError is the problem of one field of a Config.
type FieldError struct {
	Field string // with its struct, such as Config.URL
	Err   error  // what is wrong, such as "is missing"
}

// Error returns the field's name and its problem.
func (e *FieldError) Error() string { return e.Field + " " + e.Err.Error() }

// Unwrap returns Err.
func (e *FieldError) Unwrap() error { return e.Err }

// Problems collects what is wrong with a Config, in the order in which it is
// found. Each problem is a *[FieldError], behind the name of the package.
type Problems struct {
	// Package begins every problem, such as "b2core". Empty: a problem begins
	// with the field.
	Package string

	// Struct is the type that has the fields. Empty: Config.
	Struct string

	found []error
}

// Add reports a problem of a field. The format describes the problem in words
// that follow the field's name, such as "must be a UUID"; %w wraps a cause.
func (p *Problems) Add(field, format string, args ...any) {
	var err error = &FieldError{cmp.Or(p.Struct, "Config") + "." + field, fmt.Errorf(format, args...)}
	if p.Package != "" {
		err = fmt.Errorf("%s: %w", p.Package, err)
	}
	p.found = append(p.found, err)
}

// Check reports err as the problem of a field, unless it is nil.
func (p *Problems) Check(field string, err error) {
	if err != nil {
		p.Add(field, "%w", err)
	}
}

// Missing reports a field that must be set and is not.
func (p *Problems) Missing(field string, missing bool) {
	if missing {
		p.Add(field, "is missing")
	}
}

// Negative reports a field that must not be negative and is.
func (p *Problems) Negative(field string, negative bool) {
	if negative {
		p.Add(field, "is negative")
	}
}

// WholeSeconds reports a field that goes over the wire in seconds and is
// negative or has a fraction of a second.
func (p *Problems) WholeSeconds(field string, value time.Duration) {
	p.Negative(field, value < 0)
	if value%time.Second != 0 {
		p.Add(field, "is not in whole seconds")
	}
}

// Err joins every problem. It returns nil if there is none.
func (p *Problems) Err() error { return errors.Join(p.found...) }
