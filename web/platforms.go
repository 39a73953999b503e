package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
)

// Platform is a token system that administrators sign in to, to see how its
// tokens live. ID, Name and Refresher are required.
type Platform struct {
	ID      string         // lower-case letters, digits and dashes; "platform/" before it makes the client in logs and metrics
	Name    string         // as people know it
	About   string         // what it is for, in one sentence
	Account string         // who signs in, if that may be shown
	Facts   []PlatformFact // how it works, to be compared with the others by name

	// Refresher gets the tokens: from [tokenapi.FirstToken], by signing in. A [tokenapi.Keeper] does.
	Refresher vault.Refresher

	// Call is what "Use the API" does. Zero: that is not offered.
	Call PlatformCall

	// Expire makes the server forget the access tokens that it gave. Nil: that is not offered, as with real servers.
	Expire func()

	// Fail makes the server's token requests fail until undo is called. Nil: that is not offered.
	Fail func() (undo func())
}

// PlatformFact is one line of how a platform works, such as what rotates.
type PlatformFact struct{ Name, Text string }

// PlatformCall is one GET of a platform's API.
type PlatformCall struct {
	// URL of the resource, without a query. It is https, or http on loopback or with Config.InsecureAllowHTTP.
	URL string

	// Transport sends the call, which has the token as bearer by then, and adds what else the API wants.
	// Nil: Config.APITransport.
	Transport http.RoundTripper
}

// platformName is how the vault, the log and the metrics know a platform.
func platformName(p Platform) string { return "platform/" + p.ID }

var platformID = regexp.MustCompile(`^[a-z0-9-]+$`)

func validatePlatforms(platforms []Platform, insecure bool) []error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	seen := map[string]bool{}
	for i, p := range platforms {
		switch {
		case !platformID.MatchString(p.ID):
			report("Config.Platforms[%d].ID must be of lower-case letters, digits and dashes", i)
		case seen[p.ID]:
			report("Config.Platforms[%d]: %s is there twice", i, p.ID)
		}
		seen[p.ID] = true
		if p.Name == "" {
			report("Config.Platforms[%d].Name is empty", i)
		}
		if p.Refresher == nil {
			report("Config.Platforms[%d].Refresher is nil", i)
		}
		if p.Call.URL == "" {
			continue
		}
		if err := checkURL(p.Call.URL, insecure); err != nil {
			report("Config.Platforms[%d].Call.URL (%s) %w", i, p.ID, err)
		}
	}
	return problems
}

// platformNews is what the card of one platform says, once, of what has just been done. No token is in it.
type platformNews struct {
	Platform      string                // its ID
	Notice        string                // what was done
	Problem, Code string                // what went wrong, and the platform's own code for it
	Result        *templates.CallResult // what its API answered
}

// The bounds of "Use the API".
const (
	platformMaxShow = 8 << 10         // bytes of the answer, which the session keeps until they are shown
	renewalPatience = 5 * time.Second // with a renewal that the use has begun
)

// platformsPage shows all platforms. After an action it is asked with the
// platform's ID, and shows what became of it.
func (s *Server) platformsPage(w http.ResponseWriter, r *http.Request, _ user) error {
	news := s.sessions.News(r.Context(), r.URL.Query().Get("of"))
	view := templates.Platforms{Page: s.view(r, "Platforms")}
	for _, p := range s.config.Platforms {
		shown, err := s.platformView(r.Context(), p)
		if err != nil {
			return err
		}
		if p.ID == news.Platform {
			shown.Notice, shown.Result = news.Notice, news.Result
			if news.Problem != "" {
				shown.Problem, shown.Code = news.Problem, news.Code
			}
		}
		view.Platforms = append(view.Platforms, shown)
	}
	return s.answers.Render(w, r, http.StatusOK, templates.PlatformsPage(view))
}

// platformView tells a platform's state. It renews nothing: looking is not use. Its error is that the state is not known.
func (s *Server) platformView(ctx context.Context, p Platform) (templates.Platform, error) {
	view := templates.Platform{
		ID: p.ID, Name: p.Name, About: p.About, Account: p.Account,
		CanUse: p.offers("use"), CanExpire: p.offers("expire"), CanFail: p.offers("fail"),
	}
	for _, f := range p.Facts {
		view.Facts = append(view.Facts, templates.Fact(f))
	}
	status, err := s.heldStatus(ctx, platformName(p))
	switch {
	case err == nil:
		view.SignedIn, view.Token = true, s.times(status)
		view.Uses, view.MaxUses = status.Uses, status.MaxUses
		if status.Failure != nil {
			later := &vault.UnavailableError{RetryAfter: status.RetryAt.Sub(s.config.Now()), Err: status.Failure}
			view.Problem, view.Code = "The last renewal failed. "+platformFault(p, later).Explanation, vendorCode(later)
		}
	case errors.Is(err, vault.ErrEnded):
		view.Problem = platformFault(p, err).Explanation
	case !errors.Is(err, vault.ErrNotFound):
		return view, err
	}
	return view, nil
}

// platformAction does what a button of a card says. What became of it waits in the session for the page that the answer leads to, so
// that neither to load that again nor to go back does anything twice.
func (s *Server) platformAction(w http.ResponseWriter, r *http.Request, u user) error {
	form, err := answer.Form(r)
	if err != nil {
		return err
	}
	p, ok := s.platform(form.Get("platform"))
	action := form.Get("action")
	if !ok || !p.offers(action) {
		return answer.BadRequest("unknown platform or action")
	}
	news, err := s.doPlatform(r.Context(), p, action)
	if err != nil {
		return s.platformFailed(w, r, u, p, action, err)
	}
	did := eventPlatformAction
	if action == "sign-in" {
		did = eventPlatformSignIn
	}
	s.events.record(r.Context(), did, "action", action, "client", platformName(p), "user", u.Owner)
	s.tellPlatform(w, r, news)
	return nil
}

func (s *Server) tellPlatform(w http.ResponseWriter, r *http.Request, news platformNews) {
	s.sessions.PutNews(r.Context(), news)
	http.Redirect(w, r, "/platforms?of="+news.Platform, http.StatusSeeOther)
}

// offers reports whether the platform has an action.
func (p Platform) offers(action string) bool {
	switch action {
	case "sign-in", "renew", "sign-out":
		return true
	case "use":
		return p.Call.URL != ""
	case "expire":
		return p.Expire != nil
	case "fail":
		return p.Fail != nil
	}
	return false
}

// doPlatform does one of the actions that are offered.
func (s *Server) doPlatform(ctx context.Context, p Platform, action string) (platformNews, error) {
	news := platformNews{Platform: p.ID}
	switch action {
	case "sign-in":
		news.Notice = "Signed in to " + p.Name + "."
		return news, s.signInPlatform(ctx, p)
	case "renew":
		news.Notice = "The token is renewed."
		return news, s.renewPlatform(ctx, p)
	case "use":
		return s.usePlatform(ctx, p)
	case "expire":
		p.Expire()
		news.Notice = "The access tokens of " + p.Name + " are forgotten there. Use the API: the token is renewed and the call repeated."
	case "fail":
		if _, err := s.heldStatus(ctx, platformName(p)); err != nil {
			return news, err // or the failure would wait for the next sign-in
		}
		undo := p.Fail()
		defer undo()
		if err := s.renewPlatform(ctx, p); err != nil { // which is what was asked for
			news.Problem, news.Code = platformFault(p, err).Explanation, vendorCode(err)
			return news, ctx.Err()
		}
		news.Notice = "A request failed, as it was told to, and the token is renewed all the same: this server asked in another way."
	case "sign-out":
		news.Notice = "Signed out of " + p.Name + "."
		return news, s.release(ctx, platformName(p))
	}
	return news, nil
}

func (s *Server) signInPlatform(ctx context.Context, p Platform) error {
	return s.hold(ctx, platformName(p), func() (*oauth2.Token, error) { return p.Refresher.Refresh(ctx, tokenapi.FirstToken()) })
}

// renewPlatform gets the next token, whether it is due or not.
func (s *Server) renewPlatform(ctx context.Context, p Platform) error {
	key, err := s.held.Key(ctx, platformName(p))
	if err != nil {
		return err
	}
	before, err := s.vault.Status(ctx, key)
	if err != nil {
		return err
	}
	expired := !before.Expiry.IsZero() && !s.config.Now().Before(before.Expiry)
	token, err := s.token(ctx, key)
	if err != nil || expired { // then that was the renewal
		return err
	}
	_, err = s.vault.Renew(ctx, key, token)
	return err
}

// usePlatform calls the platform's API with a live token, and tells what became
// of the token on the way. Its error is that there was no token to send.
func (s *Server) usePlatform(ctx context.Context, p Platform) (platformNews, error) {
	news := platformNews{Platform: p.ID}
	key, err := s.held.Key(ctx, platformName(p))
	if err != nil {
		return news, err
	}
	before, err := s.vault.Status(ctx, key)
	if err != nil {
		return news, err
	}
	sent := &witness{base: p.Call.Transport}
	if sent.base == nil {
		sent.base = s.config.APITransport
	}
	call := apiCall{id: platformName(p), url: p.Call.URL, show: platformMaxShow}
	result, err := s.callAPI(ctx, call, &vault.Transport{Vault: s.vault, Key: key, Base: sent}, sent)
	if err != nil && (len(sent.tokens) == 0 || ctx.Err() != nil) {
		return news, err
	}
	if err != nil {
		s.events.record(ctx, eventAPICallFailed, "call", call.id, "error", err)
	}
	news.Result = result
	renewing := s.awaitRenewal(ctx, key)
	after, err := s.vault.Status(ctx, key)
	switch {
	case err != nil:
		return news, err
	case len(sent.tokens) > 1 && result.Status == http.StatusUnauthorized:
		result.Explanation = "The API refused the token, so it was renewed and the call repeated, and it refused the new one too. It may not trust the server that issued them."
	case len(sent.tokens) > 1:
		result.Explanation = "The API refused the token, so it was renewed and the call repeated. " + result.Explanation
	case result.Status == http.StatusUnauthorized:
		result.Explanation = "The API refused the token, and there is no other yet: see above."
		if news.Problem, news.Code = s.whyNotRenewed(ctx, p, key, sent.tokens[0]); news.Problem == "" {
			result.Explanation = "The API refused the token. There is another now: use the API again."
		}
	case renewing:
		result.Explanation = "The token is due for renewal, and a new one is on its way. " + result.Explanation
	case after.Renewals > before.Renewals:
		result.Explanation = "The token was due for renewal, so a new one was fetched. " + result.Explanation
	}
	return news, nil
}

// awaitRenewal waits for what comes of a renewal under way, and reports whether that takes longer than people like to wait.
func (s *Server) awaitRenewal(ctx context.Context, key string) bool {
	ctx, cancel := context.WithTimeout(ctx, renewalPatience)
	defer cancel()
	return s.vault.Await(ctx, key) != nil
}

// whyNotRenewed says why there was no other token in place of a refused one. The
// vault knows: so soon after a failure it asks nobody again.
func (s *Server) whyNotRenewed(ctx context.Context, p Platform, key, refused string) (problem, code string) {
	_, err := s.vault.Renew(ctx, key, &oauth2.Token{AccessToken: refused})
	if err == nil {
		return "", "" // now there is one, for the next call
	}
	return platformFault(p, err).Explanation, vendorCode(err)
}

// platformFailed leads back to the page, with what went wrong in the platform's card.
func (s *Server) platformFailed(w http.ResponseWriter, r *http.Request, u user, p Platform, action string, err error) error {
	if _, told := errors.AsType[*answer.Error](err); told || answer.Abandoned(r, err) { // a fault is ours, such as a store that is away
		return err
	}
	f := platformFault(p, err)
	failed := eventPlatformFailed
	if action == "sign-in" {
		failed = eventPlatformSignInFailed
	}
	s.events.recordAt(r.Context(), f.level(), failed, "client", platformName(p), "user", u.Owner, "error", err)
	s.tellPlatform(w, r, platformNews{Platform: p.ID, Problem: f.Explanation, Code: vendorCode(err)})
	return nil
}

func (s *Server) platform(id string) (Platform, bool) {
	for _, p := range s.config.Platforms {
		if p.ID == id {
			return p, true
		}
	}
	return Platform{}, false
}
