package tokenapi

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted replaces a secret in texts.
const Redacted = "[redacted]"

// A Secret is a string that no formatting verb, logger or encoder shows. They
// print "[redacted]", also for a Secret in a field of a larger struct, exported
// or not. The zero Secret is no secret.
type Secret struct {
	value *string // a pointer, because fmt follows none below the top level
}

// NewSecret hides s. An empty s gives the zero Secret. For a field that takes a
// function, such as [Account].Password, see [Fixed].
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// Reveal returns the string in the clear.
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

// LogValue returns "[redacted]", for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText returns "[redacted]", for JSON and other encoders of text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }
