package httpx

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"b2trader.identity.auth/identity/internal/checkconfig"
)

// The functions below are what the clients called before package checkconfig.

func ConfigError(system string, problems ...error) error {
	var named []error
	for _, problem := range problems {
		if problem != nil {
			named = append(named, fmt.Errorf("%s: %w", system, problem))
		}
	}
	return errors.Join(named...)
}

func FieldError(name string, err error) error {
	if err == nil {
		return nil
	}
	return &checkconfig.FieldError{Field: "Config." + name, Err: err}
}

func Missing(name string, missing bool) error {
	return problem(func(p *checkconfig.Problems) { p.Missing(name, missing) })
}

func CheckDuration(name string, d time.Duration) error {
	return problem(func(p *checkconfig.Problems) { p.Negative(name, d < 0) })
}

func CheckPath(name, path string) error {
	return problem(func(p *checkconfig.Problems) { p.Path(name, path) })
}

func CheckScopes(name string, scopes []string) error {
	return problem(func(p *checkconfig.Problems) { p.Scopes(name, scopes) })
}

func ParseURL(raw string, insecure bool) (*url.URL, error) {
	return checkconfig.ParseURL(raw, insecure)
}

func problem(check func(*checkconfig.Problems)) error {
	var p checkconfig.Problems
	check(&p)
	return p.Err()
}
