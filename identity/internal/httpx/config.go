package httpx

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// ConfigError joins the problems of a Config, each under the system's name. Those that are nil are none.
func ConfigError(system string, problems ...error) error {
	var named []error
	for _, problem := range problems {
		if problem != nil {
			named = append(named, fmt.Errorf("%s: %w", system, problem))
		}
	}
	return errors.Join(named...)
}

// FieldError says what is wrong with the field of that name of a Config; nil if err is.
func FieldError(name string, err error) error {
	if err == nil {
		return nil
	}
	return &tokenapi.FieldError{Field: "Config." + name, Err: err}
}

// Missing says that the field of that name is missing, if it is.
func Missing(name string, missing bool) error {
	if !missing {
		return nil
	}
	return FieldError(name, errors.New("is missing"))
}

// CheckDuration accepts what is not negative.
func CheckDuration(name string, d time.Duration) error {
	if d >= 0 {
		return nil
	}
	return FieldError(name, errors.New("is negative"))
}

// CheckPath accepts a path that can be joined to a URL.
func CheckPath(name, path string) error {
	if !strings.HasPrefix(path, "/") {
		return FieldError(name, errors.New("must begin with a slash"))
	}
	u, err := ParseURL("https://host"+path, false)
	switch {
	case err != nil:
		return FieldError(name, err)
	case u.RawQuery != "":
		return FieldError(name, errors.New("must have no query"))
	}
	return nil
}

// CheckScopes accepts scopes as RFC 6749 section 3.3 has them.
func CheckScopes(name string, scopes []string) error {
	var wrong []string
	for _, scope := range scopes {
		if scope == "" || !HeaderSafe(scope) || strings.ContainsAny(scope, `"\`) {
			wrong = append(wrong, scope)
		}
	}
	if wrong == nil {
		return nil
	}
	return FieldError(name, fmt.Errorf("holds what is no scope (RFC 6749 section 3.3): %q", wrong))
}
