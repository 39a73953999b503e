package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
	"b2trader.identity.auth/web/internal/session"
)

// usersPages are the administrators' pages of all users' sessions.
type usersPages struct {
	*site
	ender *sessionEnder
}

// list shows users, some at a time, or the sessions of the user whose subject
// is asked for.
func (s *usersPages) list(w http.ResponseWriter, r *http.Request, _ user) error {
	query := r.URL.Query()
	if query.Has("subject") {
		known, err := s.find(r, query.Get("subject"))
		if errors.Is(err, errUnknownUser) {
			return s.notFound(w, r, http.StatusNotFound, query.Get("subject"))
		}
		if err != nil {
			return err
		}
		return s.renderUser(w, r, known)
	}
	from, err := strconv.Atoi(cmp.Or(query.Get("from"), "0"))
	if err != nil || from < 0 || from > session.UserParts {
		return answer.BadRequest("no such page of users")
	}
	users, next, err := s.index.Users(r.Context(), from)
	if err != nil {
		return err
	}
	view := templates.AdminSessions{}
	for _, k := range users {
		view.Users = append(view.Users, userView(k))
	}
	if next < session.UserParts {
		view.Next = strconv.Itoa(next)
	}
	return s.render(w, r, http.StatusOK, view)
}

func (s *usersPages) render(w http.ResponseWriter, r *http.Request, status int, view templates.AdminSessions) error {
	view.Page = s.view(r, "")
	return s.answers.Render(w, r, status, templates.AdminSessionsPage(view))
}

func (s *usersPages) notFound(w http.ResponseWriter, r *http.Request, status int, search string) error {
	search = request.Clip(search, 254)
	problem := templates.Problem{Text: fmt.Sprintf(s.texts.Users.NotFound, search), Field: "search"}
	return s.render(w, r, status, templates.AdminSessions{Search: search, Problem: problem})
}

func (s *usersPages) renderUser(w http.ResponseWriter, r *http.Request, known session.KnownUser) error {
	list, err := s.sessions.Of(r.Context(), known.Owner())
	if err != nil {
		return err
	}
	of := userView(known)
	return s.render(w, r, http.StatusOK, templates.AdminSessions{Of: &of, Sessions: s.sessionViews(list, s.sessions.ID(r.Context()))})
}

func userView(k session.KnownUser) templates.SessionUser {
	return templates.SessionUser{Subject: k.Subject, Email: k.Email, Name: k.Nickname, SignedIn: k.SignedIn}
}

// search leads to a user's sessions. It is a POST so that no URL has an e-mail
// address in it.
func (s *usersPages) search(w http.ResponseWriter, r *http.Request, _ user) error {
	form, err := answer.Form(r)
	if err != nil {
		return err
	}
	search := strings.TrimSpace(form.Get("search"))
	known, err := s.find(r, search)
	if errors.Is(err, errUnknownUser) {
		return s.notFound(w, r, http.StatusUnprocessableEntity, search)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, userPath(known), http.StatusSeeOther)
	return nil
}

func userPath(k session.KnownUser) string {
	return "/admin/sessions?" + url.Values{"subject": {k.Subject}}.Encode()
}

var errUnknownUser = errors.New("no such user")

// find returns the user with a subject or an e-mail, at any of the issuers.
func (s *usersPages) find(r *http.Request, search string) (session.KnownUser, error) {
	if search == "" {
		return session.KnownUser{}, errUnknownUser
	}
	for _, issuer := range s.issuers() {
		known, ok, err := s.index.ByOwner(r.Context(), issuer+" "+search)
		if err == nil && !ok {
			known, ok, err = s.index.ByEmail(r.Context(), issuer, search)
		}
		if err != nil {
			return session.KnownUser{}, err
		}
		if ok {
			return known, nil
		}
	}
	return session.KnownUser{}, errUnknownUser
}

// issuers returns the issuers of the clients, each once.
func (s *usersPages) issuers() []string {
	var issuers []string
	for _, c := range s.config.Clients {
		if !slices.Contains(issuers, c.Issuer()) {
			issuers = append(issuers, c.Issuer())
		}
	}
	return issuers
}

// end ends one session of a user, or all of them.
func (s *usersPages) end(w http.ResponseWriter, r *http.Request, u user) error {
	form, err := answer.Form(r)
	if err != nil {
		return err
	}
	known, err := s.find(r, form.Get("subject"))
	if errors.Is(err, errUnknownUser) {
		return &answer.Error{Status: http.StatusBadRequest, Err: err}
	}
	if err != nil {
		return err
	}
	id := form.Get("session")
	s.events.record(r.Context(), eventAdministratorEnds, "administrator", u.Owner, "user", known.Owner())
	ended, err := s.endOf(r.Context(), known.Owner(), id)
	if err != nil {
		return err
	}
	return s.redirect(w, r, userPath(known), s.texts.Notices.SessionsEnded(ended))
}

// endOf ends the session with an ID, or all sessions of a user if the ID is "".
func (s *usersPages) endOf(ctx context.Context, owner, id string) (int, error) {
	if id != "" {
		return s.ender.endOne(ctx, owner, id)
	}
	ended, err := s.ender.endAll(ctx, owner, "", revokeSession)
	if err == nil {
		s.events.record(ctx, eventSessionsEnded, "user", owner, "sessions", ended)
	}
	return ended, err
}
