package oauth2refresher

import (
	"fmt"
	"io"
	"log/slog"
)

// String returns the client's ID, without the secret in OAuth2.
func (c Config) String() string {
	id := ""
	if c.OAuth2 != nil {
		id = c.OAuth2.ClientID
	}
	return "oauth2refresher.Config(" + id + ")"
}

// Format prints String for every verb.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue returns String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText returns String, for JSON and other encoders of text.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
