package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/gateway"
	"b2trader.identity.auth/web/internal/request"
	"b2trader.identity.auth/web/internal/session"
)

// maxHostValue bounds one value that [Session.Put] keeps, in bytes of JSON.
const maxHostValue = 64 << 10

// clientTimeout bounds one request of [Session.HTTPClient].
const clientTimeout = 30 * time.Second

// A Session is the session of one request, for a page of the host application.
// It is valid until the handler returns, and not safe for concurrent use.
type Session struct {
	Issuer        string   // the IdentityServer that knows the user, the claim iss
	Subject       string   // the user's id at the issuer, the claim sub
	Email         string   // empty: the IdentityServer did not say
	Nickname      string   // empty: the IdentityServer did not say
	Client        string   // the client that the user signed in with, such as "spa"
	Scopes        []string // the scopes that the token was granted
	Administrator bool     // see the package's doc
	SignedIn      time.Time

	site     *site
	request  *http.Request
	vaultKey string
	caller   gateway.Caller
}

// Format prints the client and the subject, for every verb.
func (s *Session) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "web.Session(%s of %s)", s.Client, s.Subject)
}

func (s *site) hostSession(r *http.Request, u user) (*Session, error) {
	status, err := s.vault.Status(r.Context(), u.VaultKey)
	if err != nil {
		return nil, err
	}
	return &Session{
		Issuer: u.Issuer, Subject: u.Subject, Email: u.Email, Nickname: u.Nickname, Client: u.Client,
		Scopes: strings.Fields(status.Scope), Administrator: u.Administrator, SignedIn: u.SignedIn,
		site: s, request: r, vaultKey: u.VaultKey, caller: s.callerOf(r.Context(), u),
	}, nil
}

// observer returns the call of Config.OnSignIn for a session that begins.
func (s *site) observer(r *http.Request, u user, exchanges []tokenapi.Exchange) (func(), error) {
	if s.config.OnSignIn == nil {
		return func() {}, nil
	}
	began, err := s.hostSession(r, u)
	return func() { s.config.OnSignIn(began, exchanges) }, err
}

// HTTPClient returns a client on [Session.Transport] with Config.APITransport.
// It does not follow a redirect: that is the answer. A request, with its body,
// takes at most 30 seconds.
func (s *Session) HTTPClient() *http.Client {
	return &http.Client{
		Transport:     s.Transport(s.site.config.APITransport),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       clientTimeout,
	}
}

// Content is what a page of the host application shows inside the site's frame.
type Content struct {
	// Title is the page's title, without the site's name.
	Title string

	// Body is what stands between header and footer. [templ.FromGoHTML] makes
	// one of an html/template.
	Body templ.Component

	// Styles are the URLs of style sheets that the page needs beside the
	// site's own. [Config.Public] can serve them.
	Styles []string

	// Status is the HTTP status. Zero: 200.
	Status int
}

// Render answers with a page in the site's frame: header, navigation and, once,
// the sentence that [Session.Notify] has kept. Nothing is sent if c.Body cannot
// be rendered, or if the session has ended meanwhile.
//
// The site's Content-Security-Policy allows style sheets, scripts, pictures and
// fetch requests of the site's own origin, and forms that post to it. Inline
// scripts and inline styles do not work.
func (s *Session) Render(w http.ResponseWriter, c Content) error {
	if _, err := s.site.vault.Status(s.request.Context(), s.vaultKey); err != nil {
		return &sessionError{err}
	}
	return s.site.renderContent(w, s.request, s.site.view(s.request, c.Title), c)
}

// renderContent answers with the content in the frame.
func (s *site) renderContent(w http.ResponseWriter, r *http.Request, frame templates.Page, c Content) error {
	frame.Styles = slices.Concat(frame.Styles, c.Styles)
	return s.answers.Render(w, r, cmp.Or(c.Status, http.StatusOK), templates.HostPage(frame, c.Body))
}

// Notify keeps a sentence of good news for the next page that the user sees,
// such as after a redirect.
func (s *Session) Notify(sentence string) {
	noticeValue.Put(s.request.Context(), s.site.sessions, sentence)
}

// hostValue is a value of the host application in the session.
func hostValue(name string) session.Value[json.RawMessage] {
	return session.NewValue[json.RawMessage]("host." + name)
}

// Put keeps a small value in the session until it ends or another user signs in
// with the same browser. All processes of the site see the value. It is stored
// as JSON, sealed.
//
// Errors: the value cannot be encoded, or is over 64 KiB.
func (s *Session) Put(name string, value any) error {
	raw, err := json.Marshal(value)
	if err == nil && len(raw) > maxHostValue {
		err = errors.New("is over 64 KiB")
	}
	if err != nil {
		return fmt.Errorf("web: session value %s: %w", name, err)
	}
	hostValue(name).Put(s.request.Context(), s.site.sessions, raw)
	return nil
}

// Get reads a value of [Session.Put] into the pointer, and reports whether there
// is one that fits.
func (s *Session) Get(name string, pointer any) bool {
	raw, ok := hostValue(name).Get(s.request.Context(), s.site.sessions)
	return ok && json.Unmarshal(raw, pointer) == nil
}

// Remove removes a value.
func (s *Session) Remove(name string) { hostValue(name).Remove(s.request.Context(), s.site.sessions) }

// Logger returns a logger that writes to Config.Logger and adds the request's
// ID, the client's address and the session as attributes, as the site's own
// events have them.
func (s *Session) Logger() *slog.Logger {
	info := request.Of(s.request.Context())
	return s.site.config.Logger.With("request", info.ID, "address", info.Address.String(), "session", info.Session)
}
