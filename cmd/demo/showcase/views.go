package showcase

import (
	"time"

	"b2trader.identity.auth/templates"
)

// An Offer is one API call on the page Try an API.
type Offer struct {
	ID, API, Method, Path, Summary string
	Allowed                        bool
	Why                            string // why the token may or may not make the call
}

// CallResult is what an API answered.
type CallResult struct {
	Call        Offer
	Status      int // 0: no answer
	StatusText  string
	Duration    time.Duration
	Body        string
	Explanation string
}

// Flow is the sequence of the messages of one sign-in, in the order of their
// times.
type Flow struct {
	Lanes    []string
	Messages []Message
}

// Message is a request or its answer, between two lanes.
type Message struct {
	From, To int           // indices into Lanes
	At       time.Duration // since the first request
	Label    string
	Details  []string // parameters, with the secrets redacted
	Answer   bool
	Lost     bool   // the answer that never came
	Kind     string // of an answer: good, warn or bad
}

// Card is one platform and this server's sign-in to it.
type Card struct {
	ID, Name, About, Warning, Account string
	CanUse, CanExpire, CanFail        bool
	SignedIn                          bool
	Scopes                            []string
	Token                             templates.Token
	Uses, MaxUses                     int    // of the access token; MaxUses is 0 if nothing bounds them
	Notice                            string // what was done; or ""
	Problem, Code                     string // what went wrong, and the platform's own code for it; or ""
	Result                            *CallResult
}

// SampleUser is a user of the embedded IdentityServer. Client is the client
// that fits, and Code the one-time code of a user with a second factor; each
// may be "".
type SampleUser struct{ Email, Password, Client, Code, Note string }
