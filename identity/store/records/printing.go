package records

import (
	"fmt"
	"io"
	"log/slog"
)

// String returns the ID and never the secret.
func (k Key) String() string { return "Key(" + k.ID + ")" }

// Format prints String for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue returns String, for slog.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText returns String, for JSON and other encoders of text.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// String returns the place and the version, without the value, which is in the
// clear.
func (r Record[T]) String() string { return fmt.Sprintf("Record(%s, version %d)", r.ID, r.Version) }

// Format prints String for every verb.
func (r Record[T]) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue returns String, for slog.
func (r Record[T]) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText returns String, for JSON and other encoders of text.
func (r Record[T]) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Format prints the ID of the first key and no secret, for every verb.
func (s *Sealer) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "Sealer(%s)", s.first) }

// Format prints nothing that the Cache keeps, for every verb.
func (c *Cache) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "records.Cache") }
