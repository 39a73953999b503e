package templates

import "time"

// Texts holds every word that the site's own pages show, in one language. The
// English and the German one have all of them. In a Texts of a host application
// an empty text means the English one.
//
// A text whose comment or whose English has %s or %d is a format: each language
// has exactly these verbs in this order.
type Texts struct {
	Lang string // the lang attribute of each page, a BCP 47 tag

	Frame        FrameTexts
	SignIn       SignInTexts
	SecondFactor SecondFactorTexts
	Account      AccountTexts
	Token        TokenTexts
	Sessions     SessionsTexts
	Users        UsersTexts
	ErrorPage    ErrorPageTexts
	Landing      LandingTexts
	Notices      NoticeTexts
	Formats      FormatTexts
	Links        LinkTexts

	Errors  map[string]ErrorText  // by code; a code with a dot is one case of the code before it
	Clients map[string]ClientText // by client ID
	Scopes  map[string]string     // what each scope allows
	Claims  map[string]string     // what each claim of an ID token says
}

// FrameTexts are around the content of every page.
type FrameTexts struct {
	Skip                   string // the link that jumps over the header
	Navigation             string // names the navigation to screen readers
	SignedInAs, WithClient string // for screen readers, before name and client
	Administrator, SignOut string
	Cancel                 string // closes a question
	Account, Sessions      string // entries of the navigation; that of administrators is UsersTexts.Title
	TokensStayHere         string // the footer
	TimesAreUTC            string // the footer
	Theme                  string // names the switch of the colour scheme
	System, Light, Dark    string // what it offers
	EndsIdle, EndsSoon     string // the warning that the session ends; %s is the time that is left
	StaySignedIn           string // the button of EndsIdle
	TryAgainIn             string // below the problem of a form; %s is the time that is left
	TryAgainNow            string // the same when the time is over
	ErrorTitle             string // the title of a page whose form has a problem; %s is the usual title
}

// SignInTexts are on the sign-in page.
type SignInTexts struct {
	Title, Lead                     string
	Email, Password, Client, Submit string
	Needed, EndedIdle, Ended        string // why one is here: the page needs a session, it was not used, it has ended
	Remember                        string // asks the browser to remember the e-mail
	Show, ShowWhat                  string // shows the password; ShowWhat for screen readers, after Show
	Missing, Wrong                  string // problems: a field is empty, the IdentityServer refused
	NotAdministrator                string // problem: the client is for administrators
}

// SecondFactorTexts are on the page that asks for the one-time code.
type SecondFactorTexts struct {
	Title, Lead, Code, Submit string
	Account                   string // before the e-mail of the account
	NoCode, StartAgain        string
	Wrong                     string // the problem with a code that was refused
}

// AccountTexts are on the account page.
type AccountTexts struct {
	Title                                     string
	NoName                                    string // the heading for a user without name and e-mail
	Administrator                             string
	Session, SignedIn, IdleEnd, LatestEnd     string
	SignOut, SignOutEverywhere, EverywhereAsk string // EverywhereAsk before all sessions end
	Scopes, NoScopes, Granted, NotGranted     string
	Details, DetailsNote                      string // folds the rest of the page
	UserID, ClientID                          string
	Copy, Copied, NotCopied                   string // the button beside an ID; app.js says the others after it was used
	Claims, ClaimsNote, NoClaims              string
	Compared, NotShown                        string // stand for the value of a claim
}

// TokenTexts are on the card of the access token. app.js uses some, too.
type TokenTexts struct {
	Title                                 string
	Valid, Due, Expired, Idle, NotRenewed string // the states of the token
	Left, LeftAt                          string // after the time that is left; LeftAt without JavaScript, %s is a time
	Meter, Expires, Issued, Renewed       string
	Unavailable, Note, Refresh            string
	NotFetched                            string // app.js could not get the card
	SessionEnded, SignInAgain             string // app.js found the session ended
}

// SessionsTexts are on the page of a user's own sessions, and on each session
// wherever it is listed.
type SessionsTexts struct {
	Title, Lead, List, AtMost, None     string // AtMost: %d sessions of at most %d
	EndOthers, EndOthersAsk             string // the button, and what is asked before it acts
	EndAsk                              string // asked before a session ends; %s is its device and address
	Device                              string // "Firefox on Linux"; %s is the browser, %s the system
	Where, Client, Address, Since, Seen string // the columns; Where has the device
	UnknownDevice                       string
	Current, SignOut, End               string // the session that asks; ends it; ends another
}

// UsersTexts are on the administrators' page of all users' sessions.
type UsersTexts struct {
	Title, Lead            string
	Find, Search, Submit   string
	UserID, EndAll, Back   string // on the sessions of one user
	EndAllAsk              string // asked before all sessions of a user end; %s is the user
	List, None, More       string // on the list of users
	User, Name, LastSignIn string // its columns
	NotFound               string // the problem with a search; %s is what was searched for
}

// ErrorPageTexts are on every error page, beside the words of the error.
type ErrorPageTexts struct {
	Headline        string // where the error has none
	Status, Request string // before the HTTP status, for screen readers; before the request ID
	RequestID       string // names it for screen readers, after Copy
}

// LandingTexts are on the page that loads the wanted page once more, after a
// link on another site led to it.
type LandingTexts struct{ Headline, Explanation string }

// NoticeTexts are shown once, on the page after an action.
type NoticeTexts struct {
	SignedOut, SignedOutEverywhere   string
	SessionEnded, SessionEndedBefore string
	OthersEnded                      string
	SessionsEnded                    func(n int) string // by an administrator
}

// LinkTexts are the links on error pages.
type LinkTexts struct {
	SignIn, SignInAgain, BackToSignIn string // to the sign-in page
	OtherClient, OtherAccount         string // the same, to choose another one there
	Account, Home, TryAgain           string
	Continue                          string // to the page that was asked for
}

// ErrorText is what an error page tells people. A script gets the headline, as
// "message". An explanation may be a format.
type ErrorText struct{ Headline, Explanation string }

// ClientText says what a client is for.
type ClientText struct{ Name, Description string }

// FormatTexts write times and numbers. app.js uses Seconds to Days, too.
type FormatTexts struct {
	Seconds, Minutes          string                     // what is left until a time
	Hours, HoursMinutes, Days string                     // the same
	In                        string                     // "in 5 min"; %s is one of the five
	Times                     func(n int) string         // how often
	Ago                       func(time.Duration) string // how long it was before now
	Stamp, Clock              func(t time.Time) string   // a time with its date; a time of day
	Unknown                   string                     // a value or a time that is not known
}

// orEnglish returns t, or English if t is nil.
func (t *Texts) orEnglish() *Texts {
	if t == nil {
		return &English
	}
	return t
}
