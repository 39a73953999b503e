package showcase

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web"
)

const (
	signInLife  = 30 * 24 * time.Hour // as long as a refresh token of the IdentityServer may live
	tokenWait   = 10 * time.Second    // what a page waits for a renewal; the renewal goes on
	signOutWait = 10 * time.Second    // what a sign-out waits for the platform
)

// signIns keeps one sign-in of each platform, for all processes that share the
// store. The tokens are in a vault. A record for each platform holds the key of
// the vault's entry, because each sign-in needs a key of its own: a key whose
// entry was deleted stays empty.
type signIns struct {
	vault     *vault.Vault
	keys      *records.Kind[string]
	platforms map[string]Platform // by their names in the vault
	metrics   *web.Metrics
	logger    *slog.Logger
	retry     *retryTimes
	now       func() time.Time
	storeNow  func() time.Time
}

// entryKey is the codec of a key of the vault. A record that cannot be opened
// counts as empty: the platform is not signed in.
var entryKey = records.Codec[string]{
	Encode:           func(key string) ([]byte, error) { return []byte(key), nil },
	Decode:           func(b []byte) (string, error) { return string(b), nil },
	ZeroIfUnreadable: true,
}

func newSignIns(config Config) (*signIns, error) {
	s := &signIns{platforms: make(map[string]Platform), metrics: config.Metrics, logger: config.Logger, now: config.Now, storeNow: config.Records.Now}
	s.retry = &retryTimes{now: config.Now, refuse: make(map[string]refusedUntil)}
	refreshers := make(map[string]vault.Refresher)
	for _, p := range config.Platforms {
		s.platforms[p.client()] = p
		refreshers[p.client()] = p.Refresher
	}
	var err error
	s.vault, err = vault.New(vault.Config{
		Records: config.Records, Refreshers: refreshers, MaxWait: tokenWait,
		Revoke:    func(ctx context.Context, e vault.Entry) { s.signOut(ctx, s.platforms[e.Client], e.Token) },
		OnRenewal: s.logRenewal, OnWait: config.Metrics.Waited, Logger: config.Logger, Now: config.Now,
	})
	if err != nil {
		return nil, err
	}
	config.Metrics.AddVault(s.vault)
	s.keys = records.NewKind(config.Records, "held:", entryKey)
	return s, nil
}

// record returns where the record of a platform is. Another account, or another
// server, has another record: a change of the configuration never renews the
// tokens of one account at the other.
func (s *signIns) record(p Platform) records.ID {
	return s.keys.ID(strings.Join([]string{p.client(), p.Call.URL, p.Account}, "\n"))
}

// key returns the vault's key of a platform's sign-in.
//
// Errors: vault.ErrNotFound; a *web.Error if the store fails.
func (s *signIns) key(ctx context.Context, p Platform) (string, error) {
	r, err := s.keys.Get(ctx, s.record(p))
	switch {
	case records.Absent(err), err == nil && r.Value == "":
		return "", vault.ErrNotFound
	case err != nil:
		return "", storeFails(err)
	}
	return r.Value, nil
}

// replace keeps key, or none, as that of a platform's sign-in, and signs out the
// sign-in before. Each key that ever was there is replaced by exactly one caller,
// in whatever process.
func (s *signIns) replace(ctx context.Context, p Platform, key string) error {
	var before string
	_, err := s.keys.Update(ctx, s.record(p), func(old *records.Record[string]) (records.Record[string], error) {
		before = ""
		if old != nil {
			before = old.Value
		}
		return records.Record[string]{Value: key, Expires: s.storeNow().Add(signInLife + time.Minute)}, nil // the entry ends first
	})
	if err != nil {
		return storeFails(err)
	}
	if before != "" {
		s.end(ctx, p, before)
	}
	return nil
}

// signIn signs in to a platform, and ends the sign-in before. It signs out what
// it cannot keep.
func (s *signIns) signIn(ctx context.Context, p Platform) error {
	if _, err := s.key(ctx, p); err != nil && !errors.Is(err, vault.ErrNotFound) {
		return err
	}
	if err := s.retry.check(p.client()); err != nil {
		return err
	}
	token, err := p.Refresher.Refresh(ctx, tokenapi.FirstToken())
	if err != nil {
		s.retry.note(p.client(), err)
		return err
	}
	ctx = context.WithoutCancel(ctx) // the platform gave a token: keep it
	key := rand.Text()
	entry := vault.Entry{Owner: p.client(), Client: p.client(), Token: token, Until: s.now().Add(signInLife)}
	if err := s.vault.Put(ctx, key, entry); err != nil {
		s.signOut(ctx, p, token)
		return storeFails(err)
	}
	if err := s.replace(ctx, p, key); err != nil {
		s.end(ctx, p, key)
		return err
	}
	return nil
}

// forget signs out of a platform, whichever administrator signed in.
func (s *signIns) forget(ctx context.Context, p Platform) error {
	return s.replace(context.WithoutCancel(ctx), p, "")
}

// end deletes an entry of the vault and signs its token out.
func (s *signIns) end(ctx context.Context, p Platform, key string) {
	entry, err := s.vault.Delete(ctx, key)
	switch {
	case errors.Is(err, vault.ErrNotFound):
	case err != nil:
		s.logger.ErrorContext(ctx, "tokens not deleted", "client", p.client(), "error", err)
	case entry.Token != nil && entry.Token.AccessToken != "":
		s.signOut(ctx, p, entry.Token)
	}
}

// signOut signs a token out at its platform, if that can be done there. If it
// fails, the token ends by itself.
func (s *signIns) signOut(ctx context.Context, p Platform, token *oauth2.Token) {
	if p.SignOut == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signOutWait)
	defer cancel()
	err := p.SignOut(ctx, token)
	s.metrics.Revoked(p.client(), err)
	if err != nil {
		s.logger.WarnContext(ctx, "remote sign-out failed", "client", p.client(), "error", err)
		return
	}
	s.logger.InfoContext(ctx, "tokens revoked", "client", p.client())
}

// status describes a platform's sign-in. It renews nothing.
//
// Errors: vault.ErrNotFound, vault.ErrEnded; a *web.Error if the store fails.
func (s *signIns) status(ctx context.Context, p Platform) (vault.Status, error) {
	key, err := s.key(ctx, p)
	if err != nil {
		return vault.Status{}, err
	}
	status, err := s.vault.Status(ctx, key)
	if err != nil && !errors.Is(err, vault.ErrNotFound) && !errors.Is(err, vault.ErrEnded) {
		err = storeFails(err)
	}
	return status, err
}

// renew gets the next token, whether it is due or not.
func (s *signIns) renew(ctx context.Context, p Platform) error {
	key, err := s.key(ctx, p)
	if err != nil {
		return err
	}
	before, err := s.vault.Status(ctx, key)
	if err != nil {
		return err
	}
	expired := !before.Expiry.IsZero() && !s.now().Before(before.Expiry)
	token, err := s.vault.Token(ctx, key)
	if err != nil || expired { // an expired token has just been renewed
		return err
	}
	_, err = s.vault.Renew(ctx, key, token)
	return err
}

func (s *signIns) logRenewal(r vault.Renewal) {
	s.metrics.Renewed(r)
	s.retry.note(r.Client, r.Err)
	level := slog.LevelDebug
	switch {
	case errors.Is(r.Err, tokenapi.ErrMisconfigured):
		level = slog.LevelError
	case r.Err != nil:
		level = slog.LevelWarn
	}
	s.logger.Log(context.Background(), level, "token renewal", "result", string(r.Result), "client", r.Client, "took", r.Duration, "error", r.Err)
}

// storeFails returns the answer while the store fails: the sign-ins are
// unknown.
func storeFails(err error) error {
	return &web.Error{
		Status: http.StatusServiceUnavailable, RetryAfter: 5 * time.Second, Err: err,
		Headline:    "The sign-ins of the platforms cannot be read",
		Explanation: "The store does not answer. Nothing has changed. Try again in a moment.",
	}
}
