package apitest

import (
	"errors"
	"fmt"
	"time"
)

// Problems are what is wrong with the Config of a test server, in the order in which it was
// found.
type Problems struct {
	// Package is the test server's, such as "b2coretest": every problem begins with it.
	Package string

	found []error
}

// Add says what is wrong with a field, in words that follow its name.
func (p *Problems) Add(field, format string, args ...any) {
	p.found = append(p.found, fmt.Errorf("%s: Config.%s %s", p.Package, field, fmt.Sprintf(format, args...)))
}

// Lifetime adds a problem if the field is negative.
func (p *Problems) Lifetime(field string, value time.Duration) {
	if value < 0 {
		p.Add(field, "is negative")
	}
}

// WholeSeconds is Lifetime for what the server tells in seconds: a fraction of one is a
// problem too.
func (p *Problems) WholeSeconds(field string, value time.Duration) {
	p.Lifetime(field, value)
	if value%time.Second != 0 {
		p.Add(field, "is not in whole seconds")
	}
}

// Err joins every problem. It is nil if there is none.
func (p *Problems) Err() error { return errors.Join(p.found...) }
