package web

import (
	"cmp"
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
	token, entry, status, err := s.tokenView(w, r, u)
	if err != nil {
		return err
	}
	idToken, err := s.vault.IDToken(r.Context(), u.VaultKey)
	if err != nil {
		return err
	}
	idle, latest := s.sessions.Ends(r.Context())
	return s.answers.Render(w, r, status, templates.AccountPage(templates.Account{
		Page:     s.view(r, ""),
		Nickname: u.Nickname, Email: u.Email, ID: cmp.Or(u.AccountID, u.Subject), Client: u.Client,
		Scopes:   s.scopeViews(entry.Scope),
		Token:    token,
		Claims:   s.claimViews(idToken.Reveal()),
		SignedIn: u.SignedIn, IdleEnd: idle, LatestEnd: latest,
	}))
}

// tokenCard answers with the card of the token, which scripts keep current.
func (s *accountPages) tokenCard(w http.ResponseWriter, r *http.Request, u user) error {
	token, _, status, err := s.tokenView(w, r, u)
	if err != nil {
		return err
	}
	return s.answers.Render(w, r, status, templates.TokenCard(token, s.texts))
}

// tokenView renews the token if that is due. It returns what a page shows of the
// token, its entry in the vault, and the status of the page: 503 with Retry-After
// if the token could not be renewed.
func (s *accountPages) tokenView(w http.ResponseWriter, r *http.Request, u user) (templates.Token, vault.Status, int, error) {
	_, err := s.token(r.Context(), u.VaultKey)
	later, unavailable := errors.AsType[*vault.UnavailableError](err)
	if err != nil && !unavailable {
		return templates.Token{}, vault.Status{}, 0, err
	}
	entry, err := s.vault.Status(r.Context(), u.VaultKey)
	if err != nil {
		return templates.Token{}, vault.Status{}, 0, err
	}
	shown := templates.Token{
		Issued: entry.Issued, Expires: entry.Expiry, Now: s.config.Now(), Renewals: entry.Renewals, Unavailable: unavailable,
	}
	if !unavailable {
		return shown, entry, http.StatusOK, nil
	}
	answer.SetRetryAfter(w.Header(), answer.OrLater(later.RetryAfter))
	return shown, entry, http.StatusServiceUnavailable, nil
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
