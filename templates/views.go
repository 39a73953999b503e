package templates

import "time"

// Page is what every page shows around its content.
type Page struct {
	Title string
	Path  string // the page's own path, to mark it in the navigation
	User  *User  // nil when nobody is signed in

	// Navigation lists the pages of the host application, and Styles the style
	// sheets that this page needs beside the site's own.
	Navigation []Link
	Styles     []string

	Machine   bool   // whether the machine-to-machine page is offered
	Platforms bool   // whether the platforms page is offered
	Notice    string // one sentence of good news, or empty
	RequestID string // shown on error pages, found in the log
}

// User is who is signed in, as the header shows it.
type User struct {
	Name, Email, Client string
	Administrator       bool
}

// SignIn is the sign-in page.
type SignIn struct {
	Page
	ServerURL   string
	Clients     []ClientChoice
	Email       string
	ReturnTo    string
	Problem     string
	SampleUsers []SampleUser
}

// ClientChoice is one client a user may sign in as.
type ClientChoice struct {
	ID, Name, Description string
	Selected              bool
}

// SampleUser is a user of the embedded server. Client is the one that fits; it may be empty.
type SampleUser struct{ Email, Password, Client, Note string }

// SecondFactor is the page that asks for the one-time code.
type SecondFactor struct {
	Page
	Attempt                    string // which sign-in under way the code is for; sent back as "attempt"
	Provider, Message, Problem string
}

// Account is who is signed in and what the token may do.
type Account struct {
	Page
	Nickname, Email, ID, Client  string
	Scopes                       []Scope
	Token                        Token
	Claims                       []Claim
	SignedIn, IdleEnd, LatestEnd time.Time
}

// Scope is one scope and whether the token carries it.
type Scope struct {
	Name, Meaning string
	Granted       bool
}

// Claim is one verified claim of the ID token.
type Claim struct{ Name, Value, Meaning string }

// Token is an access token as people may see it: its times, never its value.
type Token struct {
	Issued, Expires, Now time.Time
	Renewals             int
	Unavailable          bool // it could not be renewed just now; the session lives on
}

// TryAPI is the page that calls an API with the session's token.
type TryAPI struct {
	Page
	Calls  []Call
	Result *CallResult
}

// Call is one API call on offer.
type Call struct {
	ID, API, Method, Path, Summary string
	Allowed                        bool
	Why                            string // what the token may or may not do here
}

// CallResult is what the API answered.
type CallResult struct {
	Call        Call
	Status      int
	StatusText  string
	Duration    time.Duration
	Body        string
	Explanation string
}

// Flow is the sequence diagram of this very sign-in.
type Flow struct {
	Page
	Lanes []string
	Steps []Step
}

// Step is one exchange between two lanes.
type Step struct {
	From, To int // indices into Lanes
	Label    string
	Details  []string // parameters, secrets already redacted
	Status   int      // 0: no answer
	After    time.Duration
	Took     time.Duration
	Failed   bool
}

// Machine is the machine-to-machine page.
type Machine struct {
	Page
	Identities []MachineIdentity
}

// MachineIdentity is one client with configured credentials.
type MachineIdentity struct {
	Client, Email string
	SignedIn      bool
	Scopes        []string
	Token         Token
	Problem       string
}

// Platforms is the page of token systems side by side.
type Platforms struct {
	Page
	Platforms []Platform
}

// Platform is one token system, and what this server holds of it.
type Platform struct {
	ID, Name, About, Account   string
	Facts                      []Fact
	CanUse, CanExpire, CanFail bool
	SignedIn                   bool
	Token                      Token
	Uses, MaxUses              int    // of the access token; MaxUses is 0 if nothing bounds them
	Notice                     string // what was done; or empty
	Problem, Code              string // what went wrong, and the system's own code for it; or empty
	Result                     *CallResult
}

// Fact is one line of how a token system works.
type Fact struct{ Name, Text string }

// Sessions is the page of a user's own sessions.
type Sessions struct {
	Page
	Sessions []Session
	Limit    int // of sessions of one user; 0: none
}

// Session is one session, of whoever it is.
type Session struct {
	ID                      string // names it in forms; it opens nothing
	Device, Address, Client string
	SignedIn, LastSeen      time.Time
	Current                 bool // whether it is the one that asks
}

// AdminSessions is the administrators' page of all users' sessions: those of one user, or users.
type AdminSessions struct {
	Page
	Search, Problem string
	Of              *SessionUser // nil: the users are listed
	Sessions        []Session
	Users           []SessionUser
	Next            string // where the list of users goes on; empty: nowhere
}

// SessionUser is someone who has, or lately had, a session.
type SessionUser struct {
	Subject, Email, Name string
	SignedIn             time.Time
}

// ErrorPage says what went wrong and what to do next.
type ErrorPage struct {
	Page
	Status                int
	Headline, Explanation string
	Actions               []Link
}

// Link is a place to go next.
type Link struct{ Text, Href string }
