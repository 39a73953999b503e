package templates

import (
	"time"

	"github.com/a-h/templ"
)

// Page is the frame around the content of every page.
type Page struct {
	Title string
	Path  string // the page's own path, to mark it in the navigation
	User  *User  // the signed-in user, or nil

	// Theme is the colour scheme that the user has chosen, "light" or "dark", or
	// "" for that of the system. Here is the page's path and query, to return to
	// after a change; empty: the start page.
	Theme, Here string

	Now   time.Time // when the page was made; zero: past times are not compared with it
	Brand *Brand    // nil is the site's own

	// Navigation lists the pages of the host application, and Styles the style
	// sheets that this page needs beside the site's own.
	Navigation []Link
	Styles     []string

	Notice    string // what an action just did, in one sentence, or empty
	RequestID string // shown on error pages; the log has it, too
	Texts     *Texts // the page's language; nil is English
}

// Brand is the name and the logo of a product.
type Brand struct {
	Product string // empty: "B2Trader identity"
	Logo    string // its URL; empty: the site's own
}

// User is the signed-in user, as the header shows it.
type User struct {
	Name, Email, Client string
	Administrator       bool
}

// SignIn is the view of SignInPage.
type SignIn struct {
	Page
	Clients  []ClientChoice
	Email    string
	ReturnTo string
	Remember bool   // whether the browser is to remember Email
	Reason   string // why one is asked to sign in; empty: not shown
	Problem  Problem
	Aside    templ.Component // beside the form; nil: nothing
}

// ClientChoice is one client that a user may choose.
type ClientChoice struct {
	ID, Name, Description string
	Selected              bool
}

// SecondFactor is the view of SecondFactorPage, which asks for a one-time code.
type SecondFactor struct {
	Page
	Attempt           string // the sign-in that the code belongs to; the form sends it back as "attempt"
	Email             string // the account that signs in
	Provider, Message string // the code's sender, and its words
	Problem           Problem
	Aside             templ.Component // beside the form; nil: nothing
}

// Account is the view of AccountPage: the signed-in user, and what the token may
// do.
type Account struct {
	Page
	Nickname, Email, ID, Client  string
	Scopes                       []Scope
	Token                        Token
	Claims                       []Claim
	SignedIn, IdleEnd, LatestEnd time.Time
}

// Scope is one scope, and whether the token has it.
type Scope struct {
	Name, Meaning string
	Granted       bool
}

// Claim is one verified claim of the ID token.
type Claim struct{ Name, Value, Meaning string }

// Token is an access token without its value: its times and its renewals.
type Token struct {
	Issued, Expires, Now time.Time
	Renewals             int
	Unavailable          bool // the last renewal failed; the session is kept
	RenewedOnUse         bool // an expired token is no fault: its next use renews it
}

// Sessions is the view of SessionsPage, a user's own sessions.
type Sessions struct {
	Page
	Sessions []Session
	Limit    int // how many sessions a user may have; 0: any number
}

// Session is one session of any user.
type Session struct {
	ID                      string // names the session in forms; it is not the cookie
	Kind                    string // of the device: "phone", "computer" or another one
	Device, Address, Client string
	SignedIn, LastSeen      time.Time
	Current                 bool // whether the request belongs to it
}

// AdminSessions is the view of AdminSessionsPage. It has either Of and Sessions,
// or Users and Next.
type AdminSessions struct {
	Page
	Search   string
	Problem  Problem
	Of       *SessionUser // the user that Sessions belong to
	Sessions []Session
	Users    []SessionUser
	Next     string // where the next part of the list starts; empty on the last
}

// SessionUser is a user who signed in recently.
type SessionUser struct {
	Subject, Email, Name string
	SignedIn             time.Time
}

// ErrorPage is the view of ErrorPageView. Status 0 is not shown.
type ErrorPage struct {
	Page
	Status                int
	Headline, Explanation string
	Actions               []Action
}

// Link is a place to go next.
type Link struct{ Text, Href string }
