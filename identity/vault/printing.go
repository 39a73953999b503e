package vault

import (
	"fmt"
	"io"
	"log/slog"
)

// String returns the client and the owner, without the token and the State.
func (e Entry) String() string { return fmt.Sprintf("vault.Entry(%s of %q)", e.Client, e.Owner) }

// Format prints String for every verb.
func (e Entry) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// LogValue returns String, for slog.
func (e Entry) LogValue() slog.Value { return slog.StringValue(e.String()) }

// MarshalText returns String, for JSON and other encoders of text.
func (e Entry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }
