package vault

import (
	"errors"
	"log/slog"
	"sync"

	"b2trader.identity.auth/identity/tokenapi"
)

// alarms logs what an operator must correct, once for each client and cause
// until a renewal of the client succeeds.
type alarms struct {
	logger *slog.Logger

	mu     sync.Mutex
	raised map[string]string // the message of the last alarm, by client
}

// report logs err if no retry helps against it.
func (a *alarms) report(client string, err error) {
	if _, other := errors.AsType[*UnavailableError](err); other { // the entry that this one needs raised the alarm
		return
	}
	var message string
	switch {
	case errors.Is(err, tokenapi.ErrBadCredentials): // also while a Keeper pauses after it
		message = "vault: renewals fail until the account's password or secret is corrected; the entry is kept"
	case tokenapi.OutcomeOf(err).Kind == tokenapi.Misconfigured:
		message = "vault: renewals fail until the client's configuration is corrected; the entries are kept"
	case errors.Is(err, errExpired):
		message = "vault: renewals bring tokens that have expired; the entries are kept"
	default:
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.raised[client] == message {
		return
	}
	a.raised[client] = message
	a.logger.Error(message, slog.String("client", client), slog.Any("error", err))
}

// clear lets the next failure of the client raise an alarm.
func (a *alarms) clear(client string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.raised, client)
}
