package gateway

import (
	"context"
	"errors"
	"time"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
)

const (
	// watchAfter is how long a call is open before its session is watched. Most
	// calls are over by then.
	watchAfter = 200 * time.Millisecond

	// apiIdle is how often a call is checked for progress. An answer of which
	// nothing came between two checks ends. Streams may be silent.
	apiIdle = time.Minute
)

// Why a call was cut.
var (
	errSessionOver = errors.New("the session has ended")
	errClosing     = errors.New("the site closes")
	errSilent      = errors.New("the API sends nothing")
)

// watchSoon has the call watched once it is open for watchAfter.
func (c *call) watchSoon() {
	c.watching.Add(1)
	c.watchTimer = time.AfterFunc(watchAfter, func() {
		defer c.watching.Done()
		ctx := c.in.Context()
		for {
			ended, unlisten, err := c.listen(ctx)
			if err == nil {
				defer unlisten()
				c.watch(ctx, ended)
				return
			}
			if errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrEnded) {
				c.cut(errSessionOver)
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(answer.RetryLater): // the store failed, which ends no session
			}
		}
	})
}

// watchNow has the call watched from now on, if it is not yet.
func (c *call) watchNow() error {
	if !c.watchTimer.Stop() {
		return nil
	}
	ended, unlisten, err := c.listen(c.in.Context())
	if err != nil {
		c.watching.Done()
		return err
	}
	go func() {
		defer c.watching.Done()
		defer unlisten()
		c.watch(c.in.Context(), ended)
	}()
	return nil
}

func (c *call) listen(ctx context.Context) (ended <-chan struct{}, stop func(), err error) {
	return c.api.config.Vault.Done(ctx, c.caller.VaultKey)
}

// watch cuts the call when its session ends, in whatever process. The channel
// ended is closed when the session's tokens are deleted.
func (c *call) watch(ctx context.Context, ended <-chan struct{}) {
	config, caller, closing := c.api.config, c.caller, c.api.streams.closing
	silence := time.NewTicker(apiIdle)
	defer silence.Stop()
	sent := int64(-1)
	until := time.NewTimer(caller.Until.Sub(config.Now()))
	defer until.Stop()
	for {
		select {
		case <-until.C: // the session was used meanwhile, or has ended
			now, err := config.Sessions.CheckAgain(ctx, caller)
			switch {
			case err == nil:
				caller = now
			case errors.Is(err, answer.ErrNoSession):
				c.cut(errSessionOver)
				return
			default: // the store failed, which ends no session
				caller.Until = config.Now().Add(answer.RetryLater)
			}
			until.Reset(caller.Until.Sub(config.Now()))
		case <-silence.C:
			if now := c.out.written.Load(); now != sent || c.streaming.Load() {
				sent = now
				continue
			}
			c.cut(errSilent)
			return
		case <-ended:
			c.cut(errSessionOver)
			return
		case <-closing:
			if c.streaming.Load() {
				c.cut(errClosing)
				return
			}
			closing = nil // becomeStream looks, too
		case <-ctx.Done():
			return
		}
	}
}

// cut ends the exchange with the API, and the answer if it has begun.
func (c *call) cut(reason error) {
	c.out.cut()
	c.cancel(reason)
	if c.body != nil {
		c.body.cut()
	}
}
