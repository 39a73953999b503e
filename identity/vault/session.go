package vault

import "golang.org/x/oauth2"

// A Session is the result of a sign-in. *identity.Session is one.
type Session interface {
	// Entry returns the parts of an Entry: its Owner, Token and State.
	Entry() (owner string, token *oauth2.Token, state []byte)
}

// NewEntry returns the entry of a session that has begun, to put into a vault.
// Its State brings new tokens if a refresh token is lost. client is the key of
// its Refresher in Config.Refreshers.
func NewEntry(client string, s Session) Entry {
	e := Entry{Client: client}
	e.Owner, e.Token, e.State = s.Entry()
	return e
}
