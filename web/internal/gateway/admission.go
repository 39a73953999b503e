package gateway

import (
	"context"
	"net/http"
	"time"

	"b2trader.identity.auth/web/internal/answer"
)

// refusal returns the error of a call whose session may not call the API, or
// nil.
func (a *api) refusal(ctx context.Context, c *call) error {
	if a.admits == nil {
		return nil
	}
	switch admitted, err := a.admits(ctx, c.caller.VaultKey); {
	case err != nil:
		return a.tokenError(ctx, c, err)
	case !admitted:
		return notAdmitted()
	}
	return nil
}

func notAdmitted() error {
	return &answer.Error{Status: http.StatusForbidden, Code: "forbidden.call"}
}

// watchToken cuts the call when a renewal of its token, in whatever process,
// brings one that may not call the API.
func (c *call) watchToken() {
	v, key := c.api.config.Vault, c.caller.VaultKey
	for {
		wait := time.Minute
		changed, err := v.Changed(c.ctx, key)
		if err == nil {
			var admitted bool
			if admitted, err = c.api.admits(c.ctx, key); err == nil && !admitted {
				c.cut(errNotAdmitted)
				return
			}
		}
		if err != nil { // the store failed, or the session has ended, which watch sees
			changed, wait = nil, answer.RetryLater
		}
		timer := time.NewTimer(wait)
		select {
		case <-changed:
		case <-timer.C:
		case <-c.ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}
