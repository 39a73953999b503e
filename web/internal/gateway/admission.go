package gateway

import (
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
)

// refusal returns the error of a call whose token may not call the API, or nil.
func (a *api) refusal(token *oauth2.Token) error {
	if a.admits == nil {
		return nil
	}
	idToken, _ := token.Extra("id_token").(string)
	scope, _ := token.Extra("scope").(string)
	if a.admits(idToken, scope) {
		return nil
	}
	return notAdmitted()
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
			var status vault.Status
			if status, err = v.Status(c.ctx, key); err == nil && !c.api.admits(status.IDToken.Reveal(), status.Scope) {
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
