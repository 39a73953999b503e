package identitytest

import (
	"testing"
	"time"
)

// The stores remove expired entries and keep the others.
func TestStoresForgetWhatHasExpired(t *testing.T) {
	const many = 1000
	grants := grantStore{codeLifetime: time.Minute, tokenLifetime: time.Hour, reuseRevokesFamily: true}
	var sessions sessionStore
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	accept := func(refreshGrant) *protocolError { return nil }
	for range many {
		grants.addCode(codeGrant{created: start})
		if _, problem := grants.useToken(grants.addToken(refreshGrant{created: start}, start), start, accept); problem != nil {
			t.Fatal(problem.log())
		}
		grants.addToken(refreshGrant{created: start}, start)
		ticket, _ := sessions.start("user", start, time.Hour)
		sessions.planLogout(ticket, "", start)
	}
	if len(grants.codes) != many || len(grants.tokens) != many || len(grants.consumed) != many ||
		len(sessions.tickets) != many || len(sessions.logouts) != many {
		t.Fatal("something was forgotten too early")
	}
	later := start.Add(2 * time.Hour)
	for range 8 * many {
		grants.addCode(codeGrant{created: later})
		sessions.start("user", later, time.Hour)
	}
	if len(grants.codes) != 8*many || len(grants.tokens)+len(grants.consumed) != 0 {
		t.Errorf("%d codes, %d tokens, %d used tokens are left", len(grants.codes), len(grants.tokens), len(grants.consumed))
	}
	if len(sessions.tickets) != 8*many || len(sessions.logouts) != 0 {
		t.Errorf("%d tickets, %d logouts are left", len(sessions.tickets), len(sessions.logouts))
	}
}
