package identitytest

import (
	"crypto/rand"
	"encoding/base64"
	"sync"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// session is a user's session at the IdentityServer. The store's mutex guards
// its fields.
type session struct {
	id       string // the sid
	userID   string
	authTime time.Time
	expires  time.Time
	clients  map[string]string // authorized in this session, with the issuer
	ended    bool
}

// sessionStore keeps the sessions by the tickets in the cookies. Its zero value
// is ready to use.
type sessionStore struct {
	mu      sync.Mutex
	tickets map[string]*session
	logouts map[string]plannedLogout // by logoutId
	sweepAt int
}

// plannedLogout is what the logout page will do.
type plannedLogout struct {
	session  *session // nil: there is none to end
	redirect string   // afterwards; empty: show a page
	expires  time.Time
}

// logoutLifetime is the time between end session and the logout page.
const logoutLifetime = time.Hour

// newTicket returns a ticket in the form of an ASP.NET Core authentication
// cookie.
func newTicket() string {
	b := make([]byte, 120)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return "CfDJ8" + base64.RawURLEncoding.EncodeToString(b)
}

// start begins a session and returns its ticket and sid.
func (st *sessionStore) start(userID string, now time.Time, lifetime time.Duration) (ticket, sid string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.sweep(now)
	if st.tickets == nil {
		st.tickets = make(map[string]*session)
	}
	ticket = newTicket()
	started := &session{
		id: apitest.RandomHex(16), userID: userID, authTime: now, expires: now.Add(lifetime),
		clients: make(map[string]string),
	}
	st.tickets[ticket] = started
	return ticket, started.id
}

// sweep removes expired entries once the store has doubled.
func (st *sessionStore) sweep(now time.Time) {
	if len(st.tickets)+len(st.logouts) < st.sweepAt {
		return
	}
	for ticket, found := range st.tickets {
		if now.After(found.expires) {
			delete(st.tickets, ticket)
		}
	}
	for id, planned := range st.logouts {
		if now.After(planned.expires) {
			delete(st.logouts, id)
		}
	}
	st.sweepAt = 2*(len(st.tickets)+len(st.logouts)) + 256
}

// find returns a copy of the session of ticket.
func (st *sessionStore) find(ticket string, now time.Time) (session, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	found, ok := st.tickets[ticket]
	if !ok || found.ended || now.After(found.expires) {
		return session{}, false
	}
	return *found, true
}

// addClient records that client used the session under an issuer. It returns a new ticket the
// first time, because IdentityServer keeps the list in the cookie. The old
// ticket stays valid.
func (st *sessionStore) addClient(ticket, client, issuer string) (newer string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	found, ok := st.tickets[ticket]
	if !ok || found.ended || found.clients[client] != "" {
		return ""
	}
	found.clients[client] = issuer
	newer = newTicket()
	st.tickets[newer] = found
	return newer
}

// end ends the session of ticket, with all its tickets, and returns a copy of it.
// It returns false if there is none, or it has ended before.
func (st *sessionStore) end(ticket string) (session, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.tickets[ticket].end()
}

// end is called with the store's mutex.
func (s *session) end() (session, bool) {
	if s == nil || s.ended {
		return session{}, false
	}
	s.ended = true
	return *s, true
}

func (st *sessionStore) endAll(userID string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, found := range st.tickets {
		if found.userID == userID {
			found.ended = true
		}
	}
}

// planLogout records what the logout page will do: end the session of ticket,
// if any, and redirect.
func (st *sessionStore) planLogout(ticket, redirect string, now time.Time) (logoutID string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.sweep(now)
	if st.logouts == nil {
		st.logouts = make(map[string]plannedLogout)
	}
	logoutID = newTicket()
	st.logouts[logoutID] = plannedLogout{st.tickets[ticket], redirect, now.Add(logoutLifetime)}
	return logoutID
}

// takeLogout returns the plan under logoutID, once.
func (st *sessionStore) takeLogout(logoutID string, now time.Time) (plannedLogout, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	planned, ok := st.logouts[logoutID]
	delete(st.logouts, logoutID)
	return planned, ok && !now.After(planned.expires)
}

// endPlanned ends the session of a plan, as end does.
func (st *sessionStore) endPlanned(planned plannedLogout) (session, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return planned.session.end()
}

// session returns the session of the request's cookies and its ticket.
func (s *Server) session(x *exchange) (found session, ticket string, ok bool) {
	ticket = requestCookies(x.Header)[cookieTicket]
	found, ok = s.sessions.find(ticket, s.now())
	return found, ticket, ok
}

// dropSessionCookies removes both cookies from the client.
func (x *exchange) dropSessionCookies() {
	x.setCookie(cookieTicket, "")
	x.Answer().Header().Add("Set-Cookie", cookieSessionID+"=.; expires=Thu, 01 Jan 1970 00:00:00 GMT; path="+basePath)
}
