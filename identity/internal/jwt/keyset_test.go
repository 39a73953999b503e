package jwt_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"b2trader.identity.auth/identity/internal/jwt"
)

func now() time.Time { return time.Now() }

// server publishes a key set and counts its fetches.
type server struct {
	*testing.T
	set      jwt.KeySet
	document []byte
	err      error
	fetches  int
	ignored  []error
}

func newServer(t *testing.T, keyID string) *server {
	s := &server{T: t}
	s.publish(keyID)
	s.set.Now = now
	s.set.Ignored = func(err error) { s.ignored = append(s.ignored, err) }
	s.set.Fetch = func(again bool) ([]byte, error) {
		s.fetches++
		if again != (s.fetches > 1) {
			t.Errorf("fetch %d: again = %t", s.fetches, again)
		}
		return s.document, s.err
	}
	return s
}

// publish makes the set one key with that ID; empty: none.
func (s *server) publish(keyID string, more ...json.RawMessage) {
	s.document = document(append(more, jwk(s.T, rsaKey(), map[string]any{"kid": keyID}))...)
}

// token returns one that the server signed, or that a stranger bent.
func (s *server) token(keyID string, good bool) *jwt.Token {
	s.Helper()
	header := map[string]any{}
	if keyID != "" {
		header["kid"] = keyID
	}
	raw := sign(s.T, jose.RS256, rsaKey(), header)
	if !good {
		raw = raw[:len(raw)-8] + "AAAAAAAA"
	}
	token, err := jwt.Parse(raw, algorithms)
	if err != nil {
		s.Fatal(err)
	}
	return token
}

func (s *server) wantError(what string, token *jwt.Token, want error, fetches int) error {
	s.Helper()
	err := s.set.Verify(s.Context(), token, jwt.ForIDToken)
	got := err
	if _, ok := errors.AsType[*jwt.UnavailableError](err); ok {
		got = errUnavailable
	}
	if !errors.Is(got, want) || s.fetches != fetches {
		s.Errorf("Verify of %s = %v after %d fetches, want %v after %d", what, err, s.fetches, want, fetches)
	}
	return err
}

// wants is wantError for callers that need no more of the error.
func (s *server) wants(what string, token *jwt.Token, want error, fetches int) {
	s.Helper()
	_ = s.wantError(what, token, want, fetches)
}

var errUnavailable = errors.New("an *UnavailableError")

// field 51
func TestBadSignatureByAKnownKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "a")
		s.wants("a good token", s.token("a", true), nil, 1)
		for range 3 {
			s.wants("a bad signature by a known key", s.token("a", false), jwt.ErrSignature, 1)
		}
	})
}

// field 51
func TestPurposesHaveBudgetsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "a")
		s.wants("a good token", s.token("a", true), nil, 1)
		for range 3 { // strangers
			err := s.set.Verify(t.Context(), s.token("x", false), jwt.ForLogoutToken)
			if err == nil {
				t.Fatal("Verify of a forged logout token = nil, want an error")
			}
		}
		s.publish("b")
		s.wants("a token by the new key", s.token("b", true), nil, 3)
	})
}

// field 51: a fetch that a stranger began before the keys were replaced proves
// nothing about a token by the new key.
func TestKeysReplacedDuringAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "a")
		s.wants("a good token", s.token("a", true), nil, 1)
		fetch, slow := s.set.Fetch, make(chan struct{})
		s.set.Fetch = func(again bool) ([]byte, error) {
			document, err := fetch(again)
			<-slow
			return document, err
		}
		go func() { _ = s.set.Verify(t.Context(), s.token("x", false), jwt.ForLogoutToken) }()
		synctest.Wait()
		s.publish("b")
		time.AfterFunc(time.Second, func() { close(slow) })
		s.wants("a token by the new key", s.token("b", true), nil, 3)
	})
}

// field 10, 51
func TestTokenWithoutKeyID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "")
		s.wants("a bad signature at the first fetch", s.token("", false), jwt.ErrSignature, 1)
		s.wants("a bad signature", s.token("", false), jwt.ErrSignature, 2)
		<-time.After(10 * time.Second)
		err := s.wantError("a bad signature ten seconds later", s.token("", false), jwt.ErrSignature, 2)
		if later, ok := errors.AsType[*jwt.SignatureError](err); !ok || later.RetryAfter != 20*time.Second {
			t.Errorf("Verify ten seconds after a fetch = %#v, want a SignatureError with RetryAfter 20s", err)
		}
		<-time.After(20 * time.Second)
		s.wants("a bad signature after 30 seconds", s.token("", false), jwt.ErrSignature, 3)
	})
}

// field 10
func TestKeysReplacedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "a")
		s.wants("a good token", s.token("a", true), nil, 1)
		s.publish("b")
		s.wants("a token by the second key", s.token("b", true), nil, 2)
		s.publish("c")
		err := s.wantError("a token by the third key", s.token("c", true), errUnavailable, 2)
		later, ok := errors.AsType[*jwt.UnavailableError](err)
		if !ok || later.RetryAfter != 30*time.Second {
			t.Fatalf("Verify right after a refetch = %#v, want RetryAfter 30s", err)
		}
		<-time.After(later.RetryAfter)
		s.wants("a token by the third key, after RetryAfter", s.token("c", true), nil, 3)
	})
}

// field 7, 51: a set that cannot be read is a failed fetch, which is tried
// again after a second.
func TestUnreadableKeySet(t *testing.T) {
	for _, page := range []string{"<html>", `{"keys":[]}`, `{}`, `{"keys":[null]}`, `{"KEYS":[]}`, `{"keys":{}}`, `{"keys":null}`, "null", ""} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t, "a")
			good := s.document
			s.document = []byte(page)
			s.wants(page, s.token("a", true), errUnavailable, 1)
			s.wants(page+" at once", s.token("a", true), errUnavailable, 1)
			<-time.After(time.Second)
			s.document = good
			s.wants("a good token after a second", s.token("a", true), nil, 2)
			s.document = []byte(page)
			s.wants("an unknown key", s.token("x", true), errUnavailable, 3)
			s.wants("a known key", s.token("a", true), nil, 3)
			<-time.After(time.Second)
			s.publish("x")
			s.wants("the unknown key after a second", s.token("x", true), nil, 4)
		})
	}
}

// field 6
func TestIgnoredEntriesAreReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "a")
		s.publish("a", []byte(`null`), []byte(`{"kty":"new"}`))
		s.wants("a good token", s.token("a", true), nil, 1)
		s.wants("an unknown key", s.token("b", true), jwt.ErrSignature, 2)
		synctest.Wait()
		if len(s.ignored) != 2 {
			t.Errorf("%d reports of ignored entries after two fetches, want 2: %v", len(s.ignored), s.ignored)
		}
	})
}

func TestCallersShareAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "a")
		gate := make(chan struct{})
		fetch := s.set.Fetch
		s.set.Fetch = func(again bool) ([]byte, error) { <-gate; return fetch(again) }
		impatient, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.set.Verify(impatient, s.token("a", true), jwt.ForIDToken); !errors.Is(err, context.Canceled) {
			t.Errorf("Verify with an ended context = %v, want context.Canceled", err)
		}
		results := make(chan error, 20)
		for range 20 {
			go func() { results <- s.set.Verify(t.Context(), s.token("a", true), jwt.ForIDToken) }()
		}
		synctest.Wait()
		close(gate)
		for range 20 {
			if err := <-results; err != nil {
				t.Errorf("Verify = %v, want nil", err)
			}
		}
		if s.fetches != 1 {
			t.Errorf("%d fetches for 21 callers, want 1", s.fetches)
		}
	})
}
