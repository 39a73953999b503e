package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/pgstore"
	"b2trader.identity.auth/identity/store/redisstore"
	"b2trader.identity.auth/identity/store/sqlitestore"
	"b2trader.identity.auth/identity/tokenapi"
)

// storeWait bounds the opening of the store.
const storeWait = 10 * time.Second

// closingStore is a store that this command opens and closes.
type closingStore interface {
	store.Store
	io.Closer
}

// The kinds of stores that -store may name.
const (
	memory   = "memory"
	sqlite   = "sqlite"
	redis    = "redis"
	postgres = "postgres"
)

// storeKind returns the kind of store that -store names, or "".
func (s *settings) storeKind() string {
	if s.store == memory {
		return memory
	}
	scheme, rest, _ := strings.Cut(s.store, ":")
	switch {
	case rest == "":
		return ""
	case scheme == sqlite:
		return sqlite
	case !strings.HasPrefix(rest, "//"):
		return ""
	case scheme == "redis", scheme == "rediss", scheme == "valkey", scheme == "valkeys":
		return redis
	case scheme == "postgres", scheme == "postgresql":
		return postgres
	}
	return ""
}

// storeName names the store without its password.
func (s *settings) storeName() string {
	u, err := url.Parse(s.store)
	if err == nil && u.Host != "" && !strings.Contains(u.RequestURI()+u.Fragment, "@") { // a password with # has the host in the fragment
		return u.Scheme + "://" + u.Host
	}
	if scheme, _, found := strings.Cut(s.store, "://"); found { // the rest may contain a password
		return scheme + "://…"
	}
	return s.store
}

// storeProblems returns the problems of the settings of the store and its keys.
func (s *settings) storeProblems() []error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	kind := s.storeKind()
	switch {
	case kind == "":
		report("-store must be memory, sqlite:FILE, redis://…, rediss://… or postgres://…")
	case kind == memory && s.sessionKeysFile != "":
		report("-session-keys-file has no effect with -store memory, whose sessions end with the process")
	case kind != memory && s.sessionKeysFile == "":
		report("-session-keys-file is missing: without it a restart would end all sessions in -store %s; make one with -generate-session-key", s.storeName())
	}
	if s.insecurePlaintext && kind != redis && kind != postgres {
		report("-insecure-allow-plaintext has no effect: -store is neither redis://… nor postgres://…")
	}
	if s.storeListenURL != "" && kind != postgres {
		report("-store-listen-url has no effect: -store is not postgres://…")
	}
	for _, f := range []struct{ flag, value string }{{"store", s.store}, {"store-listen-url", s.storeListenURL}} {
		if s.onCommandLine[f.flag] && hasPassword(f.value) {
			report("-%s has a password, which every process of this machine can read: give it as %s", f.flag, envName(f.flag))
		}
	}
	return problems
}

func hasPassword(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return strings.Contains(raw, "@")
	}
	_, given := u.User.Password()
	return given || u.Query().Has("password")
}

// openStore opens the store that -store names. Its error has no password.
func (s *settings) openStore(ctx context.Context) (closingStore, error) {
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	opened, err := s.dialStore(ctx)
	if err == nil {
		return opened, nil
	}
	if _, wrong := errors.AsType[*tokenapi.FieldError](err); wrong {
		return nil, withFlags(err, map[string]string{"Config.URL": "-store", "Config.ListenURL": "-store-listen-url"})
	}
	return nil, fmt.Errorf("-store %s: %w", s.storeName(), err)
}

func (s *settings) dialStore(ctx context.Context) (closingStore, error) {
	switch s.storeKind() {
	case sqlite:
		return opened(sqlitestore.Open(ctx, sqlitestore.Config{File: s.sqliteFile()}))
	case redis:
		return opened(redisstore.Open(ctx, redisstore.Config{URL: s.store, InsecureAllowPlaintext: s.insecurePlaintext}))
	case postgres:
		return opened(pgstore.Open(ctx, pgstore.Config{URL: s.store, ListenURL: s.storeListenURL, InsecureAllowPlaintext: s.insecurePlaintext}))
	}
	return memstore.New(), nil
}

// opened keeps a nil pointer from becoming a store.
func opened[S closingStore](s S, err error) (closingStore, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *settings) sqliteFile() string { return strings.TrimPrefix(s.store, sqlite+":") }

// checkStore opens the store as the start would, and reads from it. It does not
// make a SQLite file: the account that checks may not be the one that serves.
func (s *settings) checkStore(ctx context.Context) (found string, err error) {
	switch s.storeKind() {
	case memory:
		return "in memory: sessions end with the process", nil
	case sqlite:
		if _, err := os.Stat(s.sqliteFile()); errors.Is(err, os.ErrNotExist) {
			if info, err := os.Stat(filepath.Dir(s.sqliteFile())); err != nil || !info.IsDir() {
				return "", fmt.Errorf("-store %s: there is no such directory", s.store)
			}
			return "the file is not there yet, and will be made", nil
		}
	}
	opened, err := s.openStore(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	if _, err := opened.Get(ctx, "ready"); err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", fmt.Errorf("-store %s: %w", s.storeName(), err)
	}
	return "answers", nil
}
