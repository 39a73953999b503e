package tokenapi

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted stands where a secret was.
const Redacted = "[redacted]"

// A Secret is a string that no formatting verb, logger or encoder shows: they print "[redacted]",
// also where the Secret is a field, exported or not, of a larger struct. Its zero value means that there is none.
type Secret struct {
	value *string // behind a pointer: fmt follows none below the top level
}

// NewSecret hides s. An empty s gives the zero Secret.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// Reveal returns what NewSecret hid.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.value == nil }

// Format prints "[redacted]" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// LogValue is what slog shows.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText is what encoders of text, JSON among them, write.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }
