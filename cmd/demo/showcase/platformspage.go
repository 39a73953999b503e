package showcase

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web"
)

// outcomeValue names the outcome of the last action in the session.
const outcomeValue = "outcome"

// An outcome is what one card shows, once, of the action that a user has just
// asked for. It has no token.
type outcome struct {
	Platform      string      // its ID
	Notice        string      // what was done
	Problem, Code string      // what went wrong, and the platform's own code for it
	Result        *CallResult // what its API answered
}

// platformsPage shows all platforms. An action leads to it with the platform's
// ID, and its outcome is shown.
func (s *Showcase) platformsPage(w http.ResponseWriter, r *http.Request, session *web.Session) error {
	var done outcome
	if session.Get(outcomeValue, &done) && done.Platform == r.URL.Query().Get("of") {
		session.Remove(outcomeValue)
	} else {
		done = outcome{}
	}
	var cards []Card
	title := "Platforms"
	for _, p := range s.config.Platforms {
		card, err := s.card(r.Context(), p)
		if err != nil {
			return err
		}
		if p.ID == done.Platform {
			card.Notice, card.Result = done.Notice, done.Result
			if done.Problem != "" {
				card.Problem, card.Code = done.Problem, done.Code
			}
		}
		if card.Problem != "" {
			title = "Error: Platforms"
		}
		cards = append(cards, card)
	}
	return session.Render(w, web.Content{Title: title, Styles: styles, Body: platformsPage(cards)})
}

// card describes a platform and its sign-in. It renews nothing.
//
// Errors: the state is unknown.
func (s *Showcase) card(ctx context.Context, p Platform) (Card, error) {
	card := Card{
		ID: p.ID, Name: p.Name, About: p.About, Warning: p.Warning, Account: p.Account,
		CanUse: p.offers("use"), CanExpire: p.offers("expire"), CanFail: p.offers("fail"),
	}
	status, err := s.signIns.status(ctx, p)
	switch {
	case err == nil:
		card.SignedIn, card.Scopes = true, strings.Fields(status.Scope)
		card.Token = templates.Token{Issued: status.Issued, Expires: status.Expiry, Renewals: status.Renewals, Now: s.config.Now()}
		card.Token.RenewedOnUse = status.Failure == nil
		card.Uses, card.MaxUses = status.Uses, status.MaxUses
		if status.Failure != nil {
			later := &vault.UnavailableError{RetryAfter: status.RetryAt.Sub(s.config.Now()), Err: status.Failure}
			card.Problem, card.Code = "The last renewal failed. "+explain(p, later).Explanation, vendorCode(later)
		}
	case errors.Is(err, vault.ErrEnded):
		card.Problem = explain(p, err).Explanation
	case !errors.Is(err, vault.ErrNotFound):
		return card, err
	}
	return card, nil
}

// platformAction does what a button of a card says, and redirects to the page.
// The session keeps the outcome for the page, so that neither a reload nor the
// way back does anything twice.
func (s *Showcase) platformAction(w http.ResponseWriter, r *http.Request, session *web.Session) error {
	i := slices.IndexFunc(s.config.Platforms, func(p Platform) bool { return p.ID == r.PostForm.Get("platform") })
	action := r.PostForm.Get("action")
	if i < 0 || !s.config.Platforms[i].offers(action) {
		return &web.Error{Status: http.StatusBadRequest, Err: errors.New("unknown platform or action")}
	}
	p := s.config.Platforms[i]
	log := session.Logger().With("client", p.client(), "user", session.Issuer+" "+session.Subject)
	done, err := s.do(r.Context(), p, action)
	switch {
	case err == nil:
		log.Info("platform " + action)
	case isTold(err) || r.Context().Err() != nil:
		return err
	default:
		told := explain(p, err)
		event := "platform action failed"
		if action == "sign-in" {
			event = "platform sign-in failed"
		}
		log.Log(r.Context(), level(told), event, "error", err)
		done = outcome{Problem: told.Explanation, Code: vendorCode(err)}
	}
	done.Platform = p.ID
	if err := session.Put(outcomeValue, done); err != nil {
		return err
	}
	http.Redirect(w, r, "/platforms?of="+p.ID, http.StatusSeeOther)
	return nil
}

// isTold reports whether err says itself how to answer.
func isTold(err error) bool {
	_, told := errors.AsType[*web.Error](err)
	return told
}

// level is how loud an error is in the log. A misconfigured client is an alarm.
func level(e *web.Error) slog.Level {
	switch {
	case e.Status == http.StatusInternalServerError:
		return slog.LevelError
	case e.Status > http.StatusInternalServerError:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
