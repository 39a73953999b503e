package vault

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// refresh gets the successor from the server while the lease is held. It
// repeats a request that was not sent. After a request without an answer it
// reads the record again and, if that has no successor, asks once more.
//
// Errors: as holdLease, or the Refresher's.
func (r *renewal) refresh(ctx context.Context) (*oauth2.Token, error) {
	const tries = 3
	askedTwice := r.takenOver
	for try := 1; ; try++ {
		if err := r.holdLease(ctx); err != nil {
			return nil, err
		}
		token, err := r.request(ctx)
		switch kind := tokenapi.OutcomeOf(err).Kind; {
		case err == nil:
			return token, nil
		case kind == tokenapi.NotSent && try < tries && retryAfter(err) == 0:
			r.pause(ctx, jitter(100*time.Millisecond<<try))
		case kind == tokenapi.Unanswered && !askedTwice:
			askedTwice = true
			if err := r.reread(ctx); err != nil {
				return nil, err
			}
		default:
			return nil, err
		}
	}
}

// request sends one token request and extends the lease meanwhile.
func (r *renewal) request(ctx context.Context) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, r.vault.config.Timeout)
	defer cancel()
	name := r.stored.Value.Client
	client, known := r.vault.config.Refreshers[name]
	if !known {
		return nil, fmt.Errorf("this process has no Refresher for the client %q: add it to Config.Refreshers", name)
	}
	token := r.stored.Value.token(r.vault.storeAhead()) // before extendLease, which changes stored
	r.sent = r.vault.storeNow()
	extending, stop := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.extendLease(extending)
	}()
	defer func() { stop(); <-stopped }()
	var next *oauth2.Token
	err := r.turn.exchange(func() (err error) {
		next, err = client.Refresh(ctx, token)
		return err
	})
	return next, err
}
