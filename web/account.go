package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
)

// accountPages are the account page and what its scripts load.
type accountPages struct{ *site }

// page shows the user, the token and the claims of the ID token.
func (s *accountPages) page(w http.ResponseWriter, r *http.Request, u user) error {
	token, status, err := s.tokenView(r.Context(), u)
	if err != nil {
		return err
	}
	idToken, err := s.vault.IDToken(r.Context(), u.VaultKey)
	if err != nil {
		return err
	}
	idle, latest := s.sessions.Ends(r.Context())
	return s.answers.Render(w, r, s.tokenStatus(w, token), templates.AccountPage(templates.Account{
		Page:     s.view(r, ""),
		Nickname: u.Nickname, Email: u.Email, ID: cmp.Or(u.AccountID, u.Subject), Client: u.Client,
		Scopes:   s.scopeViews(status.Scope),
		Token:    token.Token,
		Claims:   s.claimViews(idToken.Reveal()),
		SignedIn: u.SignedIn, IdleEnd: idle, LatestEnd: latest,
	}))
}

// tokenCard answers with the card of the token, which scripts keep current.
func (s *accountPages) tokenCard(w http.ResponseWriter, r *http.Request, u user) error {
	token, _, err := s.tokenView(r.Context(), u)
	if err != nil {
		return err
	}
	return s.answers.Render(w, r, s.tokenStatus(w, token), templates.TokenCard(token.Token, s.texts))
}

// shownToken is what a page shows of a token.
type shownToken struct {
	templates.Token
	retryAfter time.Duration // if it is unavailable
}

// tokenView renews the token if that is due, and returns its times.
func (s *accountPages) tokenView(ctx context.Context, u user) (shownToken, vault.Status, error) {
	var shown shownToken
	_, err := s.token(ctx, u.VaultKey)
	if later, ok := errors.AsType[*vault.UnavailableError](err); ok {
		shown.Unavailable, shown.retryAfter = true, later.RetryAfter
	} else if err != nil {
		return shown, vault.Status{}, err
	}
	status, err := s.vault.Status(ctx, u.VaultKey)
	if err != nil {
		return shown, vault.Status{}, err
	}
	shown.Issued, shown.Expires, shown.Renewals, shown.Now = status.Issued, status.Expiry, status.Renewals, s.config.Now()
	return shown, status, nil
}

// tokenStatus returns the status of a page with the token: 503 if the token
// could not be renewed.
func (s *accountPages) tokenStatus(w http.ResponseWriter, token shownToken) int {
	if !token.Unavailable {
		return http.StatusOK
	}
	answer.SetRetryAfter(w.Header(), answer.OrLater(token.retryAfter))
	return http.StatusServiceUnavailable
}

// usualScopes are shown whether they are granted or not.
var usualScopes = []string{"openid", "offline_access", "FrontOffice", "BackOffice"}

// scopeViews lists the usual scopes, and then the others that are granted.
func (s *site) scopeViews(scope string) []templates.Scope {
	granted := strings.Fields(scope)
	var views []templates.Scope
	for _, name := range usualScopes {
		views = append(views, templates.Scope{Name: name, Meaning: s.texts.Scopes[name], Granted: slices.Contains(granted, name)})
	}
	for _, name := range granted {
		if !slices.Contains(usualScopes, name) {
			views = append(views, templates.Scope{Name: name, Meaning: s.texts.Scopes[name], Granted: true})
		}
	}
	return views
}

// sessionJSON tells scripts which user is signed in, and until when.
func (s *accountPages) sessionJSON(w http.ResponseWriter, r *http.Request, u user) error {
	idle, latest := s.sessions.Ends(r.Context())
	answer.JSON(w, http.StatusOK, struct {
		ID            string    `json:"id"`
		Nickname      string    `json:"nickname"`
		Email         string    `json:"email"`
		Client        string    `json:"client"`
		Administrator bool      `json:"administrator"`
		SignedIn      time.Time `json:"signed_in"`
		IdleEnd       time.Time `json:"idle_end"`
		LatestEnd     time.Time `json:"latest_end"`
		Now           time.Time `json:"now"`
	}{cmp.Or(u.AccountID, u.Subject), u.Nickname, u.Email, u.Client, u.Administrator, u.SignedIn.UTC(), idle.UTC(), latest.UTC(), s.config.Now().UTC()})
	return nil
}
