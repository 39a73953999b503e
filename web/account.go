package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
)

// usualScopes are listed on the account page, granted or not.
var usualScopes = []string{"openid", "offline_access", "FrontOffice", "BackOffice"}

func (s *Server) account(w http.ResponseWriter, r *http.Request, u user) error {
	token, status, err := s.tokenView(r.Context(), u)
	if err != nil {
		return err
	}
	idle, latest := s.sessions.Ends(r.Context())
	claims, _ := claimsValue.Get(r.Context(), s.sessions)
	return s.answers.Render(w, r, s.tokenStatus(w, token), templates.AccountPage(templates.Account{
		Page:     s.view(r, ""),
		Nickname: u.Nickname, Email: u.Email, ID: cmp.Or(u.AccountID, u.Subject), Client: u.Client,
		Scopes:   scopeViews(status.Scope),
		Token:    token.Token,
		Claims:   claimViews(claims),
		SignedIn: u.SignedIn, IdleEnd: idle, LatestEnd: latest,
	}))
}

// tokenCard is the part of the account page that scripts keep current.
func (s *Server) tokenCard(w http.ResponseWriter, r *http.Request, u user) error {
	token, _, err := s.tokenView(r.Context(), u)
	if err != nil {
		return err
	}
	return s.answers.Render(w, r, s.tokenStatus(w, token), templates.TokenCard(token.Token, nil))
}

// shownToken is a token for people, and how long to wait if it is unavailable.
type shownToken struct {
	templates.Token
	retryAfter time.Duration
}

// tokenView renews the token if that is due, and tells its times.
func (s *Server) tokenView(ctx context.Context, u user) (shownToken, vault.Status, error) {
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

// tokenStatus is 503 for a token that cannot be renewed: the page is as good
// as it can be, but not what was asked for.
func (s *Server) tokenStatus(w http.ResponseWriter, token shownToken) int {
	if !token.Unavailable {
		return http.StatusOK
	}
	w.Header().Set("Retry-After", strconv.Itoa(answer.Seconds(answer.OrLater(token.retryAfter))))
	return http.StatusServiceUnavailable
}

// tokenWait is how long a request waits for a token to be renewed. The
// renewal itself goes on without it.
const tokenWait = 10 * time.Second

// token returns a live token from the vault.
func (s *Server) token(ctx context.Context, key string) (*oauth2.Token, error) {
	limited, cancel := context.WithTimeout(ctx, tokenWait)
	defer cancel()
	token, err := s.vault.Token(limited, key)
	if err != nil && errors.Is(limited.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, &vault.UnavailableError{RetryAfter: answer.RetryLater, Err: err}
	}
	return token, err
}

// scopeViews lists the usual scopes, granted or not, and then what else was granted.
func scopeViews(scope string) []templates.Scope {
	granted := strings.Fields(scope)
	var views []templates.Scope
	for _, name := range usualScopes {
		views = append(views, templates.Scope{Name: name, Meaning: texts.Scopes[name], Granted: slices.Contains(granted, name)})
	}
	for _, name := range granted {
		if !slices.ContainsFunc(views, func(v templates.Scope) bool { return v.Name == name }) {
			views = append(views, templates.Scope{Name: name, Granted: true})
		}
	}
	return views
}

// sessionJSON tells scripts who is signed in, and until when.
func (s *Server) sessionJSON(w http.ResponseWriter, r *http.Request, u user) error {
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
	}{cmp.Or(u.AccountID, u.Subject), u.Nickname, u.Email, u.Client, u.Administrator, u.SignedIn.UTC(), idle.UTC(), latest.UTC()})
	return nil
}
