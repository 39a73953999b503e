package gateway

import (
	"errors"
	"time"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
)

// apiIdle is how often a call is checked for progress. An answer of which
// nothing came between two checks ends. Streams may be silent.
const apiIdle = time.Minute

// Why a call was cut.
var (
	errSessionOver = errors.New("the session has ended")
	errClosing     = errors.New("the site closes")
	errSilent      = errors.New("the API sends nothing")
	errNotAdmitted = errors.New("the user may not call the API any more")
)

// watchUntilEnd watches the call. While the store fails, which ends no session,
// it tries again.
func (c *call) watchUntilEnd() {
	for {
		ends, err := c.listen()
		if err == nil {
			defer ends.stop()
			c.watch(ends)
			return
		}
		if errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrEnded) || errors.Is(err, answer.ErrNoSession) {
			c.cut(errSessionOver)
			return
		}
		select {
		case <-c.ctx.Done():
			return
		case <-time.After(answer.RetryLater):
		}
	}
}

// watchNow has the call watched from now on, if it is not yet.
func (c *call) watchNow() error {
	if !c.api.watchdog.remove(c) {
		return nil
	}
	ends, err := c.listen()
	if err != nil {
		return err
	}
	c.watching.Go(func() {
		defer ends.stop()
		c.watch(ends)
	})
	return nil
}

// ends are the ways in which the session of a call ends.
type ends struct {
	Ends
	tokens     <-chan struct{} // closed when the session's tokens are deleted
	stopTokens func()
}

func (e ends) stop() {
	e.stopTokens()
	e.Stop()
}

func (c *call) listen() (e ends, err error) {
	if e.tokens, e.stopTokens, err = c.api.config.Vault.Done(c.ctx, c.caller.VaultKey); err != nil {
		return e, err
	}
	if e.Ends, err = c.api.config.Sessions.Ends(c.ctx, c.caller); err != nil {
		e.stopTokens()
	}
	return e, err
}

// watch cuts the call when its session ends, in whatever process.
func (c *call) watch(ends ends) {
	ctx, config, caller, closing := c.ctx, c.api.config, c.caller, c.api.streams.closing
	if c.api.admits != nil {
		c.watching.Go(c.watchToken)
	}
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
		case <-ends.Session:
			c.cut(errSessionOver)
			return
		case <-ends.Group:
			c.cut(errSessionOver)
			return
		case <-ends.Here:
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
