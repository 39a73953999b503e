package showcase

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/vault"
)

const (
	platformMaxShow = 8 << 10         // bytes of an answer; the session keeps them until they are shown
	renewalPatience = 5 * time.Second // what a use waits for the renewal that it began
)

// do does one of the actions that the platform offers.
func (s *Showcase) do(ctx context.Context, p Platform, action string) (done outcome, err error) {
	switch action {
	case "sign-in":
		done.Notice, err = "Signed in to "+p.Name+".", s.signIns.signIn(ctx, p)
		s.config.Metrics.SignedIn(p.client(), err)
	case "renew":
		done.Notice, err = "The token is renewed.", s.signIns.renew(ctx, p)
	case "use":
		return s.use(ctx, p)
	case "expire":
		p.Expire()
		done.Notice = p.Name + " has forgotten its access tokens. Use the API: this server renews the token and repeats the call."
	case "fail":
		return s.fail(ctx, p)
	case "sign-out":
		done.Notice, err = "Signed out of "+p.Name+".", s.signIns.forget(ctx, p)
	}
	return done, err
}

// fail makes the platform's token requests fail during one renewal.
func (s *Showcase) fail(ctx context.Context, p Platform) (done outcome, err error) {
	if _, err := s.signIns.status(ctx, p); err != nil {
		return done, err // or the next sign-in would fail
	}
	undo := p.Fail()
	defer undo()
	if err := s.signIns.renew(ctx, p); err != nil { // as asked for
		done.Problem, done.Code = explain(p, err).Explanation, vendorCode(err)
		return done, ctx.Err()
	}
	done.Notice = "A token request failed as asked. The token is renewed all the same, by another request."
	return done, nil
}

// use calls the platform's API with a live token, and describes what happened to
// the token meanwhile.
//
// Errors: there was no token to send.
func (s *Showcase) use(ctx context.Context, p Platform) (done outcome, err error) {
	key, err := s.signIns.key(ctx, p)
	if err != nil {
		return done, err
	}
	before, err := s.signIns.vault.Status(ctx, key)
	if err != nil {
		return done, err
	}
	sent := &witness{base: p.Call.Transport}
	if sent.base == nil {
		sent.base = s.config.APITransport
	}
	call := apiCall{id: p.client(), url: p.Call.URL, show: platformMaxShow}
	result, err := s.callAPI(ctx, call, &vault.Transport{Vault: s.signIns.vault, Key: key, Base: sent}, sent)
	if err != nil && (len(sent.tokens) == 0 || ctx.Err() != nil) {
		return done, err
	}
	if err != nil {
		s.config.Logger.WarnContext(ctx, "API call failed", "call", call.id, "error", err)
	}
	done.Result = result
	renewing := s.awaitRenewal(ctx, key)
	after, err := s.signIns.vault.Status(ctx, key)
	switch {
	case err != nil:
		return done, err
	case len(sent.tokens) > 1 && result.Status == http.StatusUnauthorized:
		result.Explanation = "The API refused the token, so this server renewed it and repeated the call. The API refused the new token too. It may not trust the server that issued them."
	case len(sent.tokens) > 1:
		result.Explanation = "The API refused the token, so this server renewed it and repeated the call. " + result.Explanation
	case result.Status == http.StatusUnauthorized:
		result.Explanation = "The API refused the token, and there is no other yet: the card says why."
		if done.Problem, done.Code = s.whyNotRenewed(ctx, p, key, sent.tokens[0]); done.Problem == "" {
			result.Explanation = "The API refused the token. There is another now: use the API again."
		}
	case renewing:
		result.Explanation = "The token is due for renewal, and the renewal is under way. " + result.Explanation
	case after.Renewals > before.Renewals:
		result.Explanation = "The token was due for renewal, so this server renewed it. " + result.Explanation
	}
	return done, nil
}

// awaitRenewal waits for the renewal under way, and reports whether that takes
// longer than renewalPatience.
func (s *Showcase) awaitRenewal(ctx context.Context, key string) bool {
	ctx, cancel := context.WithTimeout(ctx, renewalPatience)
	defer cancel()
	return s.signIns.vault.Await(ctx, key) != nil
}

// whyNotRenewed says why there was no other token in place of a refused one.
// So soon after a failure the vault makes no request.
func (s *Showcase) whyNotRenewed(ctx context.Context, p Platform, key, refused string) (problem, code string) {
	_, err := s.signIns.vault.Renew(ctx, key, &oauth2.Token{AccessToken: refused})
	if err == nil {
		return "", "" // there is one now, for the next call
	}
	return explain(p, err).Explanation, vendorCode(err)
}
