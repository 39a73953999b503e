package vault_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// A cluster is several processes with a vault each, which share a store and an
// IdentityServer, on virtual time.
type cluster struct {
	*testing.T
	server    *identitytest.Server
	disk      *memstore.Store
	key       vault.Key
	processes []*process

	mu      sync.Mutex
	log     bytes.Buffer
	revoked []vault.Entry
}

// A process is one vault with its ways to the store and to the servers.
type process struct {
	*cluster
	vault    *vault.Vault
	link     *storeLink
	network  *network
	client   *identity.Client
	platform *platform
	ahead    time.Duration // how far its clock is ahead
	maxUses  int           // of each access token; 0: unlimited

	waits    []vault.Wait
	renewals []vault.Renewal
}

// inCluster runs f in a cluster. p is its first process.
func inCluster(t *testing.T, processes int, f func(c *cluster, p *process)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server, err := identitytest.New(identitytest.Config{})
		if err != nil {
			t.Fatal(err)
		}
		c := &cluster{T: t, server: server, disk: memstore.New(), key: vault.NewKey("a")}
		defer func() { _ = c.disk.Close() }()
		for range processes {
			c.start(func(*vault.Config) {})
		}
		defer func() {
			for _, p := range c.processes {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				_ = p.vault.Close(ctx)
				cancel()
			}
		}()
		f(c, c.processes[0])
	})
}

// start starts one more process.
func (c *cluster) start(change func(*vault.Config)) *process {
	c.Helper()
	p := &process{cluster: c, link: newStoreLink(c.disk), network: &network{base: c.server.Transport()}}
	p.platform = &platform{network: p.network}
	var err error
	p.client, err = identity.New(identity.Config{URL: "https://trader.example.com", ClientID: "spa", HTTP: tokenapi.HTTP{Transport: p.network}})
	if err != nil {
		c.Fatal(err)
	}
	noted := func(note func()) {
		c.mu.Lock()
		defer c.mu.Unlock()
		note()
	}
	config := vault.Config{
		Store:      p.link,
		Keys:       []vault.Key{c.key},
		Refreshers: map[string]vault.Refresher{"spa": limited{p.client, p}, "platform": p.platform},
		MaxWait:    time.Minute,
		Logger:     slog.New(slog.NewTextHandler(&c.log, nil)),
		Now:        func() time.Time { return time.Now().Add(p.ahead) },
		Revoke:     func(_ context.Context, e vault.Entry) { noted(func() { c.revoked = append(c.revoked, e) }) },
		OnWait:     func(w vault.Wait) { noted(func() { p.waits = append(p.waits, w) }) },
		OnRenewal:  func(r vault.Renewal) { noted(func() { p.renewals = append(p.renewals, r) }) },
	}
	change(&config)
	if p.vault, err = vault.New(config); err != nil {
		c.Fatal(err)
	}
	p.platform.bearer = p.vault.Source("k")
	c.processes = append(c.processes, p)
	return p
}

// A network is one process's way to the servers.
type network struct {
	base     http.RoundTripper
	mu       sync.Mutex
	refusals int // connections that fail before one succeeds
}

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	n.mu.Lock()
	refuse := n.refusals > 0
	n.refusals = max(0, n.refusals-1)
	n.mu.Unlock()
	if refuse {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: io.EOF}
	}
	return n.base.RoundTrip(req)
}

// limited is a client whose process may limit the uses of a token.
type limited struct {
	*identity.Client
	process *process
}

func (l limited) MaxUses() int { return l.process.maxUses }

// put puts an entry of the owner "trader", or fails the test.
func (p *process) put(key, client string, token *oauth2.Token, state []byte) {
	p.Helper()
	e := vault.Entry{Owner: "trader", Client: client, Token: token, State: state}
	if err := p.vault.Put(p.Context(), key, e); err != nil {
		p.Fatalf("Put(%q) = %v, want no error", key, err)
	}
}

// login signs in and returns the token.
func (p *process) login() *oauth2.Token {
	p.Helper()
	session, err := p.client.Login(p.Context(), "trader@example.com", "trader-password")
	if err != nil {
		p.Fatal(err)
	}
	return session.Token
}

// signIn puts the token of a new sign-in under key.
func (p *process) signIn(key string) *oauth2.Token {
	p.Helper()
	token := p.login()
	p.put(key, "spa", token, nil)
	return token
}

// signInExpired puts a sign-in under "k", with or without a State, and lets its
// token expire.
func (p *process) signInExpired(withState bool) {
	p.Helper()
	in, err := p.client.SignIn(p.Context(), "trader@example.com", "trader-password")
	if err != nil {
		p.Fatal(err)
	}
	code, err := in.Authorize(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	token, err := in.RetrieveToken(p.Context(), code)
	if err != nil {
		p.Fatal(err)
	}
	var state []byte
	if withState {
		signedIn, err := in.State()
		if err != nil {
			p.Fatal(err)
		}
		state, _ = signedIn.MarshalBinary()
	}
	p.put("k", "spa", token, state)
	pass(31 * time.Second)
}

// token returns the token of an entry, or fails the test.
func (p *process) token(key string) *oauth2.Token {
	p.Helper()
	token, err := p.vault.Token(p.Context(), key)
	if err != nil {
		p.Fatalf("Token(%q) = %v, want a token", key, err)
	}
	return token
}

// tokenErr returns the error of Token.
func (p *process) tokenErr(key string) error {
	_, err := p.vault.Token(p.Context(), key)
	return err
}

// wantErr checks the error of Token.
func (p *process) wantErr(key string, want error) {
	p.Helper()
	if err := p.tokenErr(key); !errors.Is(err, want) {
		p.Errorf("Token(%q) = %v, want %v", key, err, want)
	}
}

// wantUnavailable checks that err is an UnavailableError and returns its
// RetryAfter.
func (c *cluster) wantUnavailable(err error) time.Duration {
	c.Helper()
	unavailable, ok := errors.AsType[*vault.UnavailableError](err)
	if !ok || unavailable.RetryAfter < time.Second || unavailable.Err == nil {
		c.Fatalf("got %v, want an UnavailableError with a reason and at least 1 s", err)
	}
	return unavailable.RetryAfter
}

// fault makes refresh requests fail.
func (c *cluster) fault(f identitytest.Fault) {
	f.Grant = "refresh_token"
	c.server.Inject(identitytest.EndpointToken, f)
}

// wantRefreshes checks how many refresh requests the server received.
func (c *cluster) wantRefreshes(want int) {
	c.Helper()
	synctest.Wait()
	if n := c.server.Grants("refresh_token"); n != want {
		c.Errorf("the server received %d refresh requests, want %d", n, want)
	}
}

// wantRequests is wantRefreshes, and checks the number of resumptions.
func (c *cluster) wantRequests(refreshes, resumptions int) {
	c.Helper()
	c.wantRefreshes(refreshes)
	if n := c.server.Count(identitytest.EndpointAuthorize) - 1; n != resumptions {
		c.Errorf("the server received %d resumptions, want %d", n, resumptions)
	}
}

// wantLiveToken checks that all processes have the same live token, and what it took.
func (c *cluster) wantLiveToken(refreshes, resumptions int) {
	c.Helper()
	var first *oauth2.Token
	for i, p := range c.processes {
		token := p.token("k")
		first = cmp.Or(first, token)
		if !same(first, token) || time.Until(token.Expiry) <= 0 {
			c.Errorf("process %d: a token that lives %v, equal to the first process's: %v, want a live and equal one", i, time.Until(token.Expiry), same(first, token))
		}
	}
	c.wantRequests(refreshes, resumptions)
}

// wantRevoked checks how many tokens and States went to Config.Revoke.
func (c *cluster) wantRevoked(tokens, states int) {
	c.Helper()
	synctest.Wait()
	withState := 0
	for _, e := range c.revoked {
		if e.State != nil {
			withState++
		}
		if e.Token.RefreshToken == "" {
			c.Error("an entry without a refresh token was revoked")
		}
	}
	if len(c.revoked) != tokens || withState != states {
		c.Errorf("%d tokens and %d States were revoked, want %d and %d", len(c.revoked), withState, tokens, states)
	}
}

// same reports whether two tokens are one.
func same(a, b *oauth2.Token) bool {
	return a.AccessToken == b.AccessToken && a.RefreshToken == b.RefreshToken
}

// isClosed reports whether a channel is closed once all goroutines wait.
func isClosed(c <-chan struct{}) bool {
	synctest.Wait()
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func pass(d time.Duration) { <-time.After(d) }

func errOf[T any](_ T, err error) error { return err }
