package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/tokenapi"
)

// A renewal succeeds one generation of an entry's token. Its steps, in this order, are what keeps sessions alive:
//
//  1. read the record from the store, never from memory;
//  2. take the lease by compare-and-swap on what was read, so that it is still true;
//  3. send the refresh token, renewing the lease while the answer takes its time;
//  4. store the successor before anybody uses it.
//
// A process that dies between 3 and 4 has spent the refresh token: whoever takes over finds an expired lease, asks once more,
// is refused, and resumes.
type renewal struct {
	*Vault
	*slot
	generation int       // to be succeeded
	began      time.Time // for observers
	leaseWait  time.Duration

	record  record // as it is stored, lease and all
	version uint64 // of record
	taken   bool   // the lease was another's, who did not give it back: the refresh token may have been sent
}

// errAhead says that the record has a successor already.
var errAhead = errors.New("another process has renewed the token")

// run carries the renewal out. Its error is nil if the slot then holds a successor.
func (r *renewal) run(ctx context.Context) (Result, error) {
	switch err := r.lease(ctx); {
	case err == nil:
	case errors.Is(err, errAhead):
		return Joined, nil
	default:
		return r.resultOf(err), err
	}
	token, err := r.refresh(ctx)
	switch {
	case err == nil:
		return r.save(ctx, r.record.with(token, r.config.Now()), Renewed)
	case errors.Is(err, errAhead):
		return Joined, nil
	case tokenapi.OutcomeOf(err).Kind == tokenapi.Refused:
		return r.lost(ctx, err)
	}
	r.giveBack(ctx)
	if tokenapi.OutcomeOf(err).Kind == tokenapi.Misconfigured {
		r.config.Logger.Error("vault: the server refuses this client; its entries are kept", slog.String("client", r.record.Client), slog.Any("error", err))
	}
	return Failed, err
}

// resultOf classifies a step that did not get as far as the server.
func (r *renewal) resultOf(err error) Result {
	switch {
	case gone(err):
		r.end(r.slot)
		return Discarded
	case errors.Is(err, ErrEnded):
		return Refused
	}
	return Failed
}

// lease reads the record and takes its lease, waiting for a holder that is alive.
func (r *renewal) lease(ctx context.Context) error {
	for {
		if err := r.reread(ctx); err != nil {
			return err
		}
		now := r.config.Now()
		if l := r.record.Lease; l != nil && l.Holder != r.holder && now.Before(l.Until) {
			r.pauseFor(ctx, jitter(l.Until.Sub(now)+r.config.Lease/8))
			r.leaseWait += r.config.Now().Sub(now)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		r.taken = r.record.Lease != nil
		switch err := r.extend(ctx); {
		case err == nil:
			return nil
		case !errors.Is(err, store.ErrConflict):
			return err
		}
		r.pauseFor(ctx, jitter(20*time.Millisecond)) // what is in the way is about to be reported
	}
}

// reread brings the renewal up to date. It fails with errAhead if there is nothing left to do.
func (r *renewal) reread(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	epoch := r.live.Load()
	record, version, err := r.shelf.get(ctx, r.place)
	if err != nil {
		return err
	}
	r.record, r.version = record, version
	r.install(r.hold(record, version, epoch))
	switch {
	case record.Dead:
		return ErrEnded
	case record.Generation > r.generation:
		return errAhead
	}
	return nil
}

// extend writes our lease into the record.
func (r *renewal) extend(ctx context.Context) error {
	next := r.record
	next.Lease = &lease{Holder: r.holder, Until: r.config.Now().Add(r.config.Lease)}
	return r.write(ctx, next)
}

// write replaces the record that was read last.
func (r *renewal) write(ctx context.Context, next record) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	epoch := r.live.Load()
	version, err := r.shelf.put(ctx, r.place, next, r.version)
	if err != nil {
		return err
	}
	r.record, r.version = next, version
	r.install(r.hold(next, version, epoch))
	return nil
}

// giveBack ends our lease, so that others need not wait for it. If it fails they wait.
func (r *renewal) giveBack(ctx context.Context) {
	if r.record.Lease != nil && r.record.Lease.Holder == r.holder {
		next := r.record
		next.Lease = nil
		_ = r.write(context.WithoutCancel(ctx), next)
	}
}

// pauseFor waits for a change of the record, but no longer than d.
func (r *renewal) pauseFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.next():
	case <-timer.C:
	case <-ctx.Done():
	}
}

// refresh asks the server, with the lease held. A request that surely was not sent is repeated; one that was not answered
// is followed, once, by another, unless the record shows that it need not be.
func (r *renewal) refresh(ctx context.Context) (*oauth2.Token, error) {
	const tries = 3
	probed := r.taken
	for try := 1; ; try++ {
		token, err := r.request(ctx)
		switch kind := tokenapi.OutcomeOf(err).Kind; {
		case err == nil:
			return token, nil
		case kind == tokenapi.NotSent && try < tries && retryAfter(err) == 0:
			r.pauseFor(ctx, jitter(100*time.Millisecond<<try))
		case kind == tokenapi.Unanswered && !probed:
			probed = true
			if err := r.reread(ctx); err != nil {
				return nil, err
			}
		default:
			return nil, err
		}
	}
}

// request sends one token request, renewing the lease while it takes.
func (r *renewal) request(ctx context.Context) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	client, known := r.config.Refreshers[r.record.Client]
	if !known {
		return nil, fmt.Errorf("this process has no Refresher for the client %q, which another has", r.record.Client)
	}
	token := r.record.token() // keep changes the record
	keeping, stop := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		r.keep(keeping)
	}()
	defer func() { stop(); <-kept }()
	return client.Refresh(ctx, token)
}

// keep renews the lease until ctx ends, or until it is lost: then somebody else took it, as after a long pause of this process.
func (r *renewal) keep(ctx context.Context) {
	tick := time.NewTicker(r.config.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if err := r.extend(ctx); errors.Is(err, store.ErrConflict) || gone(err) {
			return
		}
	}
}
