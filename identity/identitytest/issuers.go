package identitytest

import "sync"

// issuers are the issuers of the tokens that a server has made. Without
// Config.Issuer there is one for each host that clients call, and a token of
// one is good at the others. The zero value is ready to use.
type issuers struct{ made sync.Map }

func (i *issuers) add(issuer string) { i.made.Store(issuer, true) }

func (i *issuers) has(issuer string) bool {
	_, ok := i.made.Load(issuer)
	return ok
}
