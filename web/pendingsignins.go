package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/web/internal/session"
)

const (
	pendingLife   = 10 * time.Minute // for the second factor
	maxPerBrowser = 5                // of one browser: one a tab
	maxCodes      = 5                // tried before a sign-in starts over
	pendingField  = "attempt"        // the ID in forms and queries

	// codeTime is how long a request has the sign-in for itself while it
	// verifies a code. Another one takes over then: the process was killed.
	codeTime  = 20 * time.Second
	codeRetry = 100 * time.Millisecond
)

// pendingSignIn is a sign-in under way.
type pendingSignIn struct {
	ID        string // empty: no second factor is needed
	Client    *identity.Client
	Email     string
	ReturnTo  string
	SignIn    *identity.SignIn
	Exchanges []tokenapi.Exchange

	counted  *countedAttempt               // of this request
	remember bool                          // whether the browser is to remember Email
	record   *records.Record[storedSignIn] // nil before Add
}

// storedSignIn is a sign-in that waits for its second factor, as it is stored.
type storedSignIn struct {
	Client    string           `json:"c"`
	Email     string           `json:"e"`
	ReturnTo  string           `json:"r"`
	Browser   string           `json:"b"` // a secret in the session that the sign-in belongs to
	Number    int              `json:"o"` // of the browser's sign-ins: the oldest has the lowest
	SignIn    []byte           `json:"s"` // an identity.PendingSignIn
	Exchanges []storedExchange `json:"x,omitempty"`
	Codes     int              `json:"n,omitempty"` // tried
	Busy      time.Time        `json:"u,omitzero"`  // a request verifies a code until then
	Finished  bool             `json:"f,omitempty"`
}

// storedExchange is an exchange with its error as text.
type storedExchange struct {
	tokenapi.Exchange
	Err string `json:",omitempty"` // in place of Exchange.Err
}

// pendingSignIns keeps sign-ins in the store until their second factor comes, to
// whatever process. Each tab of a browser has its own.
type pendingSignIns struct {
	kind    *records.Kind[storedSignIn]
	clients map[string]*identity.Client
	now     func() time.Time
}

func newPendingSignIns(c *records.Cache, clients map[string]*identity.Client) *pendingSignIns {
	return &pendingSignIns{records.NewUncachedKind(c, "sign-in:", records.JSON[storedSignIn]()), clients, c.Now}
}

// Add stores p for pendingLife and gives it a secret ID. If the browser has too
// many, Add deletes the oldest ones.
//
// Errors: *[session.StoreError], or those of [identity.SignIn.Pending].
func (s *pendingSignIns) Add(ctx context.Context, p *pendingSignIn, browser string) error {
	owner := s.kind.Owner(browser)
	list, err := s.kind.List(ctx, s.kind.Owners(browser)...)
	if err != nil {
		return &session.StoreError{Err: err}
	}
	slices.SortFunc(list, func(a, b *records.Record[storedSignIn]) int { return a.Value.Number - b.Value.Number })
	for i := range len(list) - maxPerBrowser + 1 {
		if err := s.kind.Delete(ctx, list[i].ID); err != nil {
			return &session.StoreError{Err: err}
		}
	}
	number := 1
	if len(list) > 0 {
		number += list[len(list)-1].Value.Number
	}
	p.ID = rand.Text()
	p.record = &records.Record[storedSignIn]{
		ID: s.kind.ID(p.ID), Owner: owner, Expires: s.now().Add(pendingLife),
		Value: storedSignIn{Client: p.Client.ID(), Email: p.Email, ReturnTo: p.ReturnTo, Browser: browser, Number: number},
	}
	return s.put(ctx, p, func(v *storedSignIn) error { return v.update(p) })
}

// Get returns the pending sign-in with an ID if it belongs to the browser.
//
// Errors: attemptOver's, *[session.StoreError].
func (s *pendingSignIns) Get(ctx context.Context, id, browser string) (*pendingSignIn, error) {
	r, err := s.kind.Get(ctx, s.kind.ID(id))
	switch {
	case records.Absent(err):
		return nil, attemptOver()
	case err != nil:
		return nil, &session.StoreError{Err: err}
	}
	v := r.Value
	if browser == "" || subtle.ConstantTimeCompare([]byte(v.Browser), []byte(browser)) != 1 || v.Finished || !s.now().Before(r.Expires) {
		return nil, attemptOver()
	}
	return s.restore(id, r)
}

// restore returns the sign-in of a record.
func (s *pendingSignIns) restore(id string, r *records.Record[storedSignIn]) (*pendingSignIn, error) {
	p := &pendingSignIn{ID: id, Client: s.clients[r.Value.Client], Email: r.Value.Email, ReturnTo: r.Value.ReturnTo, record: r}
	var exported identity.PendingSignIn
	err := exported.UnmarshalBinary(r.Value.SignIn)
	if err != nil || p.Client == nil { // of another version or another configuration of the site
		return nil, attemptOver()
	}
	if p.SignIn, err = p.Client.ContinueSignIn(exported); err != nil {
		return nil, attemptOver()
	}
	for _, x := range r.Value.Exchanges {
		if x.Err != "" {
			x.Exchange.Err = errors.New(x.Err)
		}
		p.Exchanges = append(p.Exchanges, x.Exchange)
	}
	return p, nil
}

// Claim counts a code that is about to be sent and returns the sign-in as it is
// then. If another request verifies a code, in any process, Claim waits for it.
// Keep or Finish must follow.
//
// Errors: attemptOver's, *[session.StoreError], the context's.
func (s *pendingSignIns) Claim(ctx context.Context, p *pendingSignIn) (*pendingSignIn, error) {
	for {
		current, err := s.Get(ctx, p.ID, p.record.Value.Browser)
		switch {
		case err != nil:
			return nil, err
		case current.record.Value.Codes >= maxCodes:
			return nil, attemptOver()
		}
		if !s.now().Before(current.record.Value.Busy) {
			err := s.put(ctx, current, func(v *storedSignIn) error {
				v.Codes++
				v.Busy = s.now().Add(codeTime)
				return nil
			})
			if !errors.Is(err, store.ErrConflict) {
				return current, err
			}
		}
		select {
		case <-time.After(codeRetry):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Keep stores a claimed sign-in after its code was not accepted, and reports
// whether another code may be tried. With uncount the code does not count. A
// sign-in without another try is deleted.
//
// Errors: *[session.StoreError].
func (s *pendingSignIns) Keep(ctx context.Context, p *pendingSignIn, uncount bool) (more bool, err error) {
	ctx = context.WithoutCancel(ctx)
	if !uncount && p.record.Value.Codes >= maxCodes {
		if err := s.kind.Delete(ctx, p.record.ID); err != nil {
			return false, &session.StoreError{Err: err}
		}
		return false, nil
	}
	err = s.put(ctx, p, func(v *storedSignIn) error {
		if uncount {
			v.Codes--
		}
		v.Busy = time.Time{}
		return v.update(p)
	})
	if errors.Is(err, store.ErrConflict) { // another request has taken over
		return true, nil
	}
	return true, err
}

// Finish ends a claimed sign-in whose code was accepted. Of several requests it
// lets one continue.
//
// Errors: attemptOver's, *[session.StoreError].
func (s *pendingSignIns) Finish(ctx context.Context, p *pendingSignIn) error {
	err := s.put(ctx, p, func(v *storedSignIn) error {
		*v = storedSignIn{Finished: true}
		return nil
	})
	switch {
	case err == nil:
		_ = s.kind.Delete(context.WithoutCancel(ctx), p.record.ID) // Finished says enough if this fails
	case errors.Is(err, store.ErrConflict):
		return attemptOver()
	}
	return err
}

// put changes the record of p by compare-and-swap.
//
// Errors: store.ErrConflict, unwrapped; attemptOver's if the record is gone;
// *[session.StoreError]; change's.
func (s *pendingSignIns) put(ctx context.Context, p *pendingSignIn, change func(*storedSignIn) error) error {
	next := *p.record
	if err := change(&next.Value); err != nil {
		return err
	}
	saved, err := s.kind.Put(ctx, next)
	switch {
	case err == nil:
		p.record = saved
		return nil
	case errors.Is(err, store.ErrConflict):
		return err
	case records.Absent(err):
		return attemptOver()
	}
	return &session.StoreError{Err: err}
}

// update takes over what a request changes in a sign-in.
func (v *storedSignIn) update(p *pendingSignIn) error {
	exported, err := p.SignIn.Pending()
	if err != nil {
		return err
	}
	if v.SignIn, err = exported.MarshalBinary(); err != nil {
		return err
	}
	v.Exchanges = nil
	for _, x := range p.Exchanges {
		stored := storedExchange{Exchange: x}
		if x.Err != nil {
			stored.Err = x.Err.Error()
		}
		v.Exchanges = append(v.Exchanges, stored)
	}
	return nil
}
