package oauth2refresher_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest/npmclient"
	"b2trader.identity.auth/identity/oauth2refresher"
	"b2trader.identity.auth/identity/store/storetest/servers"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// Two processes on one Redis keep a foreign provider's token alive, however many
// callers renew it at once. One process is killed while it renews, before its
// request has reached the provider. Each refresh token reaches the provider
// once: it revokes all tokens of the family if one comes twice.
func TestTwoProcessesAtAnotherProvider(t *testing.T) {
	t.Parallel()
	url, first, _ := strings.Cut(npmclient.StartScript(t, "oidc-provider", "9.13.3", "testdata/provider.mjs", "SECRET="+secret), " ")
	redis := servers.StartRedis(t)
	door := &frontDoor{provider: reverseProxy(t, url), seen: map[string]int{}}
	server := httptest.NewServer(door)
	t.Cleanup(server.Close)

	expired := &oauth2.Token{RefreshToken: first, Expiry: time.Unix(1, 0)}
	putEntry(t, redis.URL(0), vault.Entry{Client: "app", Token: expired})
	processes := []*renewer{startRenewer(t, redis.URL(0), server.URL), startRenewer(t, redis.URL(0), server.URL)}
	stale := ""
	renew := func(by ...*renewer) {
		t.Helper()
		for _, p := range by {
			p.ask(t, stale)
		}
		before := stale
		for _, p := range by {
			stale = p.answer(t, before)
		}
	}
	renew(processes...)
	renew(processes...)

	door.kill.Store(processes[0].cmd.Process)
	processes[0].ask(t, stale)
	_ = processes[0].cmd.Wait()
	renew(processes[1])
	processes[0] = startRenewer(t, redis.URL(0), server.URL)
	renew(processes...)

	const rounds = 4
	if len(door.seen) != rounds {
		t.Errorf("the provider got %d refresh tokens in %d rounds, want one each", len(door.seen), rounds)
	}
	for token, times := range door.seen {
		if times != 1 {
			t.Errorf("the provider got the refresh token %q %d times, want once", token, times)
		}
	}

	_, err := refresher(t, tokenapi.HTTP{}, url+"/token").Refresh(t.Context(), expired) // reuse
	if got := tokenapi.OutcomeOf(err).Kind; got != tokenapi.Refused {
		t.Errorf("Refresh of a used token = %v of the kind %v, want it refused", err, got)
	}
	wrong := refresher(t, tokenapi.HTTP{}, url+"/token", func(c *oauth2refresher.Config) { c.OAuth2.ClientSecret = "wrong" })
	_, err = wrong.Refresh(t.Context(), expired)
	if e, ok := errors.AsType[*tokenapi.Error](err); !ok || e.Outcome().Kind != tokenapi.Misconfigured || e.StatusCode != http.StatusUnauthorized {
		t.Errorf("Refresh with a wrong secret = %v, want it misconfigured", err)
	}
}

// A frontDoor stands before the provider and counts the refresh tokens that
// reach it.
type frontDoor struct {
	provider http.Handler
	kill     atomic.Pointer[os.Process] // killed by the next request, which does not reach the provider
	mu       sync.Mutex
	seen     map[string]int
}

func (d *frontDoor) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if process := d.kill.Swap(nil); process != nil {
		_ = process.Kill()
		return
	}
	body, _ := io.ReadAll(req.Body)
	form, _ := url.ParseQuery(string(body))
	d.mu.Lock()
	d.seen[form.Get("refresh_token")]++
	d.mu.Unlock()
	req.Body = io.NopCloser(bytes.NewReader(body))
	d.provider.ServeHTTP(w, req)
}

func reverseProxy(t *testing.T, to string) http.Handler {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	return httputil.NewSingleHostReverseProxy(target)
}

func putEntry(t *testing.T, redisURL string, entry vault.Entry) {
	t.Helper()
	tokens, closeAll, err := openVault(t.Context(), redisURL, "http://127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tokens.Put(t.Context(), "k", entry), closeAll()); err != nil {
		t.Fatal(err)
	}
}
