package b2binpay_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// A merchant is a server that B2BINPAY calls back. It records the callbacks.
type merchant struct {
	*httptest.Server
	told    []*b2binpay.Callback
	refused []error
	fails   error // returned by next
}

func newMerchant(t *testing.T, changes ...func(*b2binpay.CallbackConfig)) *merchant {
	t.Helper()
	m := &merchant{}
	listen := func(c *b2binpay.CallbackConfig) {
		c.OnRefused = func(_ context.Context, err error) { m.refused = append(m.refused, err) }
	}
	callbacks := newCallbacks(t, append(changes, listen)...)
	m.Server = httptest.NewServer(callbacks.Handler(func(_ context.Context, cb *b2binpay.Callback) error {
		m.told = append(m.told, cb)
		return m.fails
	}))
	t.Cleanup(m.Close)
	return m
}

// gets sends a request to m and returns the answer, whose body must be empty.
func (m *merchant) gets(t *testing.T, method, contentType, body string) *http.Response {
	t.Helper()
	m.told, m.refused = nil, nil
	r, err := http.NewRequestWithContext(t.Context(), method, m.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answered, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || len(answered) != 0 {
		t.Errorf("answered %q, %v, want an empty body", answered, err)
	}
	return resp
}

func TestHandler(t *testing.T) {
	server, _ := inMemory(t, b2binpaytest.Config{})
	m := newMerchant(t)
	body := string(server.Callback("2", "10.50", "order-7"))
	for _, contentType := range []string{"application/json", "application/vnd.api+json", "text/plain", ""} {
		if resp := m.gets(t, http.MethodPost, contentType, body); resp.StatusCode != http.StatusOK || len(m.told) != 1 || len(m.refused) != 0 {
			t.Fatalf("%q: got %d, told %v, refused %v", contentType, resp.StatusCode, m.told, m.refused)
		}
		if m.told[0].TrackingID != "order-7" || string(m.told[0].Raw) != body {
			t.Errorf("told %+v", m.told[0])
		}
	}
	m.fails = errors.New("the database is away")
	if resp := m.gets(t, http.MethodPost, "", body); resp.StatusCode != http.StatusInternalServerError || len(m.told) != 1 || len(m.refused) != 0 {
		t.Errorf("next fails: got %d, told %v, refused %v", resp.StatusCode, m.told, m.refused)
	}
}

// Handler does not pass a refused callback to next, nor tell the reason.
func TestHandlerRefuses(t *testing.T) {
	server, _ := inMemory(t, b2binpaytest.Config{})
	good := string(server.Callback("2", "10.50", "order-7"))
	missing := errors.New("the file is missing")
	for _, c := range []struct {
		name, method, body string
		change             func(*b2binpay.CallbackConfig)
		status             int
		want               error
	}{
		{"another method", http.MethodPut, good, nil, 405, nil},
		{"no body", http.MethodGet, "", nil, 405, nil},
		{"malformed", http.MethodPost, good + "}", nil, 400, b2binpay.ErrCallbackMalformed},
		{"empty", http.MethodPost, "", nil, 400, b2binpay.ErrCallbackMalformed},
		{"as large as can be", http.MethodPost, good + strings.Repeat(" ", 1<<20-len(good)-1) + "}", nil, 400, b2binpay.ErrCallbackMalformed},
		{"too large", http.MethodPost, good + strings.Repeat(" ", 1<<20-len(good)+1), nil, 413, b2binpay.ErrCallbackMalformed},
		{"forged", http.MethodPost, strings.Replace(good, "10.50", "99.50", 1), nil, 403, b2binpay.ErrCallbackSignature},
		{"unsigned", http.MethodPost, string(server.UnsignedCallback("")), nil, 403, b2binpay.ErrCallbackUnsigned},
		{"stale", http.MethodPost, good, func(c *b2binpay.CallbackConfig) { c.MaxAge = 1 }, 403, b2binpay.ErrCallbackStale},
		{"no password", http.MethodPost, good, func(c *b2binpay.CallbackConfig) {
			c.Password = func(context.Context) (tokenapi.Secret, error) { return tokenapi.Secret{}, missing }
		}, 503, missing},
	} {
		var changes []func(*b2binpay.CallbackConfig)
		if c.change != nil {
			changes = append(changes, c.change)
		}
		m := newMerchant(t, changes...)
		resp := m.gets(t, c.method, "application/json", c.body)
		if resp.StatusCode != c.status || len(m.told) != 0 || len(m.refused) != 1 || c.want != nil && !errors.Is(m.refused[0], c.want) {
			t.Errorf("%s: got %d, told %v, refused %v, want %d and %v", c.name, resp.StatusCode, m.told, m.refused, c.status, c.want)
		}
		if (resp.Header.Get("Allow") == "POST") != (c.status == 405) {
			t.Errorf("%s: Allow is %q", c.name, resp.Header.Get("Allow"))
		}
	}
}

// Handler works without OnRefused, and accepts a callback of 1 MiB.
func TestHandlerAlone(t *testing.T) {
	server, _ := inMemory(t, b2binpaytest.Config{})
	h := newCallbacks(t, allowUnsigned).Handler(func(_ context.Context, cb *b2binpay.Callback) error {
		if cb.Signed {
			return errors.New("it is not signed")
		}
		return nil
	})
	largest := string(server.UnsignedCallback(""))
	largest += strings.Repeat(" ", 1<<20-len(largest))
	for body, want := range map[string]int{"": 400, largest: 200} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body)))
		if w.Code != want || w.Body.Len() != 0 {
			t.Errorf("%d bytes: got %d, want %d", len(body), w.Code, want)
		}
	}
}

// A handler without next would lose every callback.
func TestHandlerNeedsNext(t *testing.T) {
	defer func() {
		if said := recover(); said != "b2binpay: Callbacks.Handler: next is nil" {
			t.Errorf("Handler(nil) panics with %v, want a message about next", said)
		}
	}()
	newCallbacks(t).Handler(nil)
}
