package web

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/static"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/gateway"
	"b2trader.identity.auth/web/internal/request"
	"b2trader.identity.auth/web/internal/session"
)

// site is what all pages share: the session of the request, its tokens, and the
// frame around a page.
type site struct {
	config   Config
	blank    templates.Page   // without a title and a user
	texts    *templates.Texts // of blank, complete
	logger   *slog.Logger     // adds the request's attributes
	events   *eventLog
	accounts accountNames
	answers  *answer.Answers
	sessions *session.Manager
	index    *session.Index
	vault    *vault.Vault
	gateway  *gateway.Gateway
	clients  map[string]*identity.Client // by ID
	brand    *static.Files
	methods  func(*http.Request) []string // that the path of a request exists for

	administrators *administrators
}

// user is the signed-in user of a session.
type user = session.User

// userHandler is a handler for a user who is signed in.
type userHandler func(w http.ResponseWriter, r *http.Request, u user) error

// signedIn makes h a page for signed-in users. A request for it is use of the
// session, which keeps the session from becoming idle. Without a session a
// person is asked to sign in.
func (s *site) signedIn(h userHandler) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		u, err := s.user(r)
		if err != nil {
			return answer.AskToSignIn(err, s.sessions.Ended(r.Context()))
		}
		s.sessions.Touch(r.Context())
		return h(w, r, u)
	}
}

// polled makes h a resource that the scripts of a page load by themselves. A
// request for it is not use of the session.
func (s *site) polled(h userHandler) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		u, err := s.user(r)
		if err != nil {
			return err
		}
		return h(w, r, u)
	}
}

// administrator refuses users who are not administrators.
func (s *site) administrator(h userHandler) userHandler {
	return func(w http.ResponseWriter, r *http.Request, u user) error {
		if !u.Administrator {
			return &answer.Error{
				Status: http.StatusForbidden, Code: "forbidden.administrators",
				Actions: []templates.Action{templates.ActionAccount, templates.ActionOtherAccount},
			}
		}
		return h(w, r, u)
	}
}

// user returns the signed-in user. The session is over if its entry in the
// vault has ended or was deleted, even if the browser still has the cookie. The
// newest ID token decides whether the user is an administrator.
//
// Errors: answer.ErrNoSession, *session.StoreError, and those of
// [vault.Vault.Status].
func (s *site) user(r *http.Request) (user, error) {
	u, ok := s.sessions.User(r.Context())
	if !ok {
		return user{}, cmp.Or(s.sessions.Readable(r.Context()), answer.ErrNoSession)
	}
	administrator, err := s.administrators.has(r.Context(), u.VaultKey)
	if err != nil {
		return user{}, err
	}
	if administrator != u.Administrator {
		u.Administrator = administrator
		s.sessions.SetUser(r.Context(), u)
	}
	return u, nil
}

// tokenWait bounds how long a page waits for a renewal, which goes on without
// it.
const tokenWait = 10 * time.Second

// token returns a live token from the vault.
func (s *site) token(ctx context.Context, key string) (*oauth2.Token, error) {
	limited, cancel := context.WithTimeout(ctx, tokenWait)
	defer cancel()
	token, err := s.vault.Token(limited, key)
	if err != nil && errors.Is(limited.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, &vault.UnavailableError{RetryAfter: answer.RetryLater, Err: err}
	}
	return token, err
}

// noticeValue keeps a sentence for the next page.
var noticeValue = session.NewValue[string]("n")

// frame returns what every page shows around its content, error pages included:
// the signed-in user, with a way to sign out, and the navigation.
func (s *site) frame(r *http.Request, title string) templates.Page {
	page := s.blank
	page.Title, page.Path, page.Now, page.RequestID = title, r.URL.Path, s.config.Now(), request.Of(r.Context()).ID
	page.Theme = s.theme(r)
	page.Here = s.here(r)
	if !session.Loaded(r.Context()) {
		return page
	}
	if u, ok := s.sessions.User(r.Context()); ok {
		page.User = &templates.User{Name: u.Nickname, Email: u.Email, Client: u.Client, Administrator: u.Administrator}
		page.Navigation = s.config.navigation(u)
	}
	return page
}

// here returns where to return to after a change of the colour scheme: the
// page of the request, or "" if its path only takes forms.
func (s *site) here(r *http.Request) string {
	switch {
	case r.Method == http.MethodGet:
		return r.URL.RequestURI()
	case slices.Contains(s.methods(r), http.MethodGet):
		return r.URL.EscapedPath()
	}
	return ""
}

// view returns the frame of a page for a signed-in user, with the notice that
// waits for it.
func (s *site) view(r *http.Request, title string) templates.Page {
	page := s.frame(r, title)
	page.Notice, _ = noticeValue.Pop(r.Context(), s.sessions)
	return page
}

// redirect leads to a page, which shows the notice.
func (s *site) redirect(w http.ResponseWriter, r *http.Request, path, notice string) error {
	noticeValue.Put(r.Context(), s.sessions, notice)
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// logID returns the session's name in the log, or "" without a session.
func (s *site) logID(ctx context.Context) string { return request.Clip(s.sessions.ID(ctx), 16) }
