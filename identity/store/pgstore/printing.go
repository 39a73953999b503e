package pgstore

import (
	"fmt"
	"io"
	"log/slog"

	"b2trader.identity.auth/identity/store/internal/storeurl"
)

// String returns the scheme of the URL, without the rest of the Config, which
// may contain passwords.
func (c Config) String() string { return "pgstore.Config(" + storeurl.Scheme(c.URL) + ")" }

// Format prints String for every verb.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue returns String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText returns String, for JSON and other encoders of text.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
