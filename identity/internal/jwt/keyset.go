package jwt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	refetchInterval = 30 * time.Second // between fetches for a key that is not in the set
	retryInterval   = time.Second      // after a fetch that failed
)

// A Purpose is a kind of caller of a KeySet. Each has its own budget of
// fetches, so that strangers who post logout tokens cannot use up the one of
// sign-ins and renewals.
type Purpose int

// The purposes.
const (
	ForIDToken Purpose = iota
	ForLogoutToken
	purposes
)

// ErrSignature means that the signature is not by a key of the server. The
// token is refused.
var ErrSignature = errors.New("its signature is invalid")

// A SignatureError is an ErrSignature of a token that a key newer than the set
// may have signed: it has no kid, or one that the set lacks, which a cache in
// front of the server may have kept too long.
type SignatureError struct {
	RetryAfter time.Duration // until the keys may be fetched again
}

// Error says when a later attempt may succeed.
func (e *SignatureError) Error() string {
	return fmt.Sprintf("%v; if the server has just replaced its keys, try again in %v", ErrSignature, e.RetryAfter.Round(time.Second))
}

// Unwrap returns ErrSignature.
func (e *SignatureError) Unwrap() error { return ErrSignature }

// An UnavailableError says that a signature cannot be judged, because the keys
// cannot be fetched or read, or because the token names a key that is not in
// the set and it is too early to fetch the set again.
type UnavailableError struct {
	RetryAfter time.Duration // until the keys may be fetched again
	Err        error
}

// Error names the cause.
func (e *UnavailableError) Error() string {
	return fmt.Sprintf("the signing keys are unavailable: %v", e.Err)
}

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

var (
	errUnknownKey = errors.New("the token names a key that the key set lacks, and the key set was fetched moments ago")
)

// A KeySet verifies signatures with the keys that a server publishes. It
// fetches them when they are first needed and when a token is signed by a key
// that it lacks: one fetch for all callers, for each Purpose at most once in
// 30 seconds, and not within a second after one that failed. It keeps the keys
// it has if a fetch fails. It is safe for concurrent use.
type KeySet struct {
	// Fetch returns the key set document (RFC 7517 section 5); again reports
	// that the last document did not serve: it could not be had or read, or it
	// lacks a key. The document may have moved then. Fetch runs apart from the
	// callers, so it must end by itself.
	Fetch func(again bool) ([]byte, error)

	// Source names the setting to check if the document cannot be read, for
	// errors. Nil: errors do not name it.
	Source func() string

	// Ignored, if set, receives why an entry of the set is ignored, once for each
	// reason.
	Ignored func(error)

	// Now is the clock.
	Now func() time.Time

	mu       sync.Mutex
	keys     []key
	fetched  bool
	failure  error // of the last fetch
	fetching *fetch
	notUntil time.Time           // no fetch before, after one that failed
	refetch  [purposes]time.Time // no fetch for this purpose before
	told     map[string]bool     // reasons that Ignored received
}

// A fetch is one request for the keys that any number of callers wait for.
type fetch struct {
	done chan struct{}
	keys []key
	err  error
}

// Verify reports whether t is signed by a key of the server.
//
// Errors: ErrSignature, also as a *SignatureError; *UnavailableError, also if
// ctx ends first.
func (s *KeySet) Verify(ctx context.Context, t *Token, p Purpose) error {
	keys, fresh, err := s.current(ctx)
	if err != nil {
		return err
	}
	switch known, ok := judge(keys, t); {
	case ok:
		return nil
	case known, fresh:
		return notSigned(known, t)
	}
	for range 2 { // a fetch of others may have begun before the server published the key
		keys, joined, wait, err := s.newer(ctx, p)
		switch {
		case wait > 0 && t.KeyID != "":
			return &UnavailableError{wait, errUnknownKey}
		case wait > 0:
			return &SignatureError{wait}
		case err != nil:
			return err
		}
		switch known, ok := judge(keys, t); {
		case ok:
			return nil
		case known, !joined:
			return notSigned(known, t)
		}
	}
	return notSigned(false, t)
}

// notSigned returns the error of a token that no key verifies. known says that
// the token names a key of the set.
func notSigned(known bool, t *Token) error {
	if t.KeyID != "" && !known {
		return &SignatureError{refetchInterval}
	}
	return ErrSignature
}

// judge reports whether a key of the set verifies t, and whether t names a key
// of the set.
func judge(keys []key, t *Token) (known, ok bool) {
	for _, k := range keys {
		named := t.KeyID != "" && t.KeyID == k.id
		known = known || named
		if (named || t.KeyID == "" || k.id == "") && k.verifies(t) {
			return known, true
		}
	}
	return known, false
}

// current returns the keys, fetching them if there are none yet; fresh says that
// the fetch began after the call.
func (s *KeySet) current(ctx context.Context) (keys []key, fresh bool, err error) {
	s.mu.Lock()
	if s.fetched {
		defer s.mu.Unlock()
		return s.keys, false, nil
	}
	f, joined, err := s.begin()
	s.mu.Unlock()
	if err != nil {
		return nil, false, err
	}
	keys, err = s.await(ctx, f)
	return keys, !joined, err
}

// newer fetches the keys again, or joins the fetch under way. If it is too early
// for a fetch, it returns how long to wait.
func (s *KeySet) newer(ctx context.Context, p Purpose) (keys []key, joined bool, wait time.Duration, err error) {
	s.mu.Lock()
	now := s.Now()
	if wait := s.refetch[p].Sub(now); wait > 0 && wait <= refetchInterval && s.fetching == nil {
		s.mu.Unlock()
		return nil, false, wait, nil
	}
	f, joined, err := s.begin()
	if err == nil && !joined {
		s.refetch[p] = now.Add(refetchInterval).Round(0)
	}
	s.mu.Unlock()
	if err != nil {
		return nil, false, 0, err
	}
	keys, err = s.await(ctx, f)
	if err != nil && !joined {
		s.mu.Lock()
		s.refetch[p] = time.Time{} // a fetch that failed is not one of the budget
		s.mu.Unlock()
	}
	return keys, joined, 0, err
}

// begin joins the fetch under way, or starts one. It is called with mu held.
func (s *KeySet) begin() (f *fetch, joined bool, err error) {
	if s.fetching != nil {
		return s.fetching, true, nil
	}
	if wait := s.notUntil.Sub(s.Now()); wait > 0 && wait <= retryInterval {
		return nil, false, &UnavailableError{wait, s.failure}
	}
	f = &fetch{done: make(chan struct{})}
	s.fetching = f
	go s.run(f, s.failure != nil || s.fetched)
	return f, false, nil //nolint:nilerr // failure is that of the last fetch
}

func (s *KeySet) run(f *fetch, again bool) {
	document, err := s.Fetch(again)
	var ignored []error
	if err == nil {
		if f.keys, ignored, err = parseKeys(document); err != nil && s.Source != nil {
			err = fmt.Errorf("%w; check %s", err, s.Source())
		}
	}
	s.mu.Lock()
	s.fetching, s.failure = nil, err
	if err != nil {
		s.notUntil = s.Now().Add(retryInterval).Round(0)
		f.err = &UnavailableError{retryInterval, err}
	} else {
		s.keys, s.fetched = f.keys, true
	}
	news := s.news(ignored)
	s.mu.Unlock()
	close(f.done)
	for _, reason := range news {
		s.Ignored(reason)
	}
}

// news returns the reasons that Ignored has not received. It is called with mu
// held.
func (s *KeySet) news(ignored []error) []error {
	if s.Ignored == nil {
		return nil
	}
	var news []error
	for _, reason := range ignored {
		if len(s.told) < 100 && !s.told[reason.Error()] {
			if s.told == nil {
				s.told = map[string]bool{}
			}
			s.told[reason.Error()] = true
			news = append(news, reason)
		}
	}
	return news
}

func (s *KeySet) await(ctx context.Context, f *fetch) ([]key, error) {
	select {
	case <-f.done:
		return f.keys, f.err
	case <-ctx.Done():
		return nil, &UnavailableError{Err: ctx.Err()}
	}
}
