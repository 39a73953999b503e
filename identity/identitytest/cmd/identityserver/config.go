package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// configFile is the content of the file of -config: an identitytest.Config, with
// times as JSON has them.
type configFile struct {
	identitytest.Config

	AccessTokenLifetime       duration
	IDTokenLifetime           duration
	AuthorizationCodeLifetime duration
	RefreshTokenLifetime      duration
	SessionLifetime           duration
}

// duration is a time.Duration that is a string in JSON, such as "30s".
type duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("the lifetime %q is not a number and a unit, such as 30s or 5m", text)
	}
	*d = duration(parsed)
	return nil
}

// readConfig reads the file. Without a file it returns the sample installation.
func readConfig(file string) (identitytest.Config, error) {
	if file == "" {
		return identitytest.Config{}, nil
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return identitytest.Config{}, fmt.Errorf("-config: %w", err)
	}
	var c configFile
	if err := decodeStrictly(bytes.NewReader(text), &c); err != nil {
		return identitytest.Config{}, fmt.Errorf("-config: %s: %w", file, err)
	}
	cfg := c.Config
	cfg.AccessTokenLifetime = time.Duration(c.AccessTokenLifetime)
	cfg.IDTokenLifetime = time.Duration(c.IDTokenLifetime)
	cfg.AuthorizationCodeLifetime = time.Duration(c.AuthorizationCodeLifetime)
	cfg.RefreshTokenLifetime = time.Duration(c.RefreshTokenLifetime)
	cfg.SessionLifetime = time.Duration(c.SessionLifetime)
	return cfg, nil
}

// decodeStrictly decodes one JSON value and refuses unknown members.
func decodeStrictly(r io.Reader, v any) error {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the JSON value")
	}
	return nil
}
