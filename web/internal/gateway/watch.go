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
			ends, err := c.listen(ctx)
			if err == nil {
				defer ends.stop()
				c.watch(ctx, ends)
				return
			}
			if errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrEnded) || errors.Is(err, answer.ErrNoSession) {
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
	ends, err := c.listen(c.in.Context())
	if err != nil {
		c.watching.Done()
		return err
	}
	go func() {
		defer c.watching.Done()
		defer ends.stop()
		c.watch(c.in.Context(), ends)
	}()
	return nil
}

// ends are the ways in which the session of a call ends, each a channel that is
// closed then.
type ends struct {
	tokens, sessions         <-chan struct{} // its tokens are deleted; all sessions of the user end
	stopTokens, stopSessions func()
}

func (e ends) stop() {
	e.stopTokens()
	e.stopSessions()
}

func (c *call) listen(ctx context.Context) (e ends, err error) {
	if e.tokens, e.stopTokens, err = c.api.config.Vault.Done(ctx, c.caller.VaultKey); err != nil {
		return e, err
	}
	if e.sessions, e.stopSessions, err = c.api.config.Sessions.Ended(ctx, c.caller); err != nil {
		e.stopTokens()
	}
	return e, err
}

// watch cuts the call when its session ends, in whatever process.
func (c *call) watch(ctx context.Context, ends ends) {
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
		case <-ends.tokens:
			c.cut(errSessionOver)
			return
		case <-ends.sessions:
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
