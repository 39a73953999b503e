package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/websocket"

	"b2trader.identity.auth/identity/identitytest"
)

const hubCall = "/ws/frontoffice/v4/account"

// startHub starts an IdentityServer whose tokens live 2 s, and a demo for it.
func startHub(t *testing.T) (*identityServer, *demo) {
	t.Helper()
	s := newSecrets(t)
	server := startIdentityServerWith(t, s, 2*time.Second)
	return server, startDemo(t, s, "-addr", "127.0.0.1:0", "-identity-url", server.URL(), "-frontoffice-url", server.URL()+"/frontoffice")
}

// hubClient is a client of the hub behind the gateway. It speaks SignalR.
type hubClient struct {
	conn    *websocket.Conn
	records *bufio.Scanner
}

// hubMessage is one message of the hub.
type hubMessage struct {
	Type           int
	InvocationID   string
	Item           struct{ Instrument, Bid, Status string }
	AllowReconnect bool
}

// connect opens the streams of prices and orders. It fails while the site has
// no live token.
func (b *browser) connect(t *testing.T) (*hubClient, error) {
	t.Helper()
	conn, err := websocket.DialConfig(b.socket(t, hubCall))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	h := &hubClient{conn, bufio.NewScanner(conn)}
	h.records.Split(func(data []byte, _ bool) (int, []byte, error) {
		if end := bytes.IndexByte(data, 0x1e); end >= 0 {
			return end + 1, data[:end], nil
		}
		return 0, nil, nil
	})
	for _, m := range []string{
		`{"protocol":"json","version":1}`,
		`{"type":4,"invocationId":"p","target":"Prices","arguments":[]}`, `{"type":4,"invocationId":"o","target":"Orders","arguments":[]}`,
	} {
		if _, err := conn.Write([]byte(m + "\x1e")); err != nil {
			return nil, err
		}
	}
	h.records.Scan() // the answer to the handshake
	return h, h.records.Err()
}

// next returns the next message. It returns false at the end of the connection.
func (h *hubClient) next(t *testing.T) (m hubMessage, ok bool) {
	t.Helper()
	if !h.records.Scan() {
		return m, false
	}
	if err := json.Unmarshal(h.records.Bytes(), &m); err != nil || strings.Contains(h.records.Text(), "eyJ") {
		t.Fatalf("message of the hub = %s (%v), want JSON without a token", h.records.Text(), err)
	}
	return m, true
}

// A trader's prices and orders go on over three renewals of the token that the
// connections begin with, and end within a second of the session.
func TestStreamsOverRenewals(t *testing.T) {
	t.Parallel()
	server, d := startHub(t)
	b := d.browser()
	p := b.signIn(trader, "spa")
	prices, lively := map[string]bool{}, 0 // lively: connections with messages of both streams
	var h *hubClient
	reconnect := func() {
		until(t, "connection to the hub", func() (ok bool) {
			var err error
			h, err = b.connect(t)
			return err == nil
		})
	}
	for reconnect(); server.Grants("refresh_token") < 3 || lively < 3; {
		kinds := map[string]int{}
		for m, ok := h.next(t); ok; m, ok = h.next(t) {
			kinds[m.InvocationID]++
			prices[m.Item.Bid] = true
			if m.Type == 7 && !m.AllowReconnect {
				t.Error("the hub does not let the client come back")
			}
		}
		if kinds["p"] > 0 && kinds["o"] > 0 { // else the token had almost expired
			lively++
		}
		reconnect()
	}
	if len(prices) < 20 {
		t.Errorf("%d different prices over %d connections, want at least 20", len(prices), lively)
	}
	reconnect() // with most of the token's life left
	ended := drained(h.conn, h.conn)
	p.submit("/sign-out", "Sign out")
	over := time.Now()
	if late := receive(t, ended, "end of the stream").Sub(over); late > time.Second {
		t.Errorf("the stream ends %v after the sign-out, want at most 1 s", late)
	}
	if _, err := b.connect(t); err == nil {
		t.Error("a connection after the sign-out succeeds, want a refusal")
	}
}

// The page Live prices stays live while tokens are renewed beneath it, says that
// it is not connected, comes back, and stops when the session has ended.
func TestLivePricesInChromium(t *testing.T) {
	t.Parallel()
	server, d := startHub(t)
	b := d.chromium()
	b.signIn()
	const shown = `document.querySelectorAll("[data-cell=bid]")`
	pricesAt := func(connections int) string {
		b.do(chromedp.Poll(`Number(document.querySelector("[data-live-fact=number]").textContent) >= `+strconv.Itoa(connections), nil, chromedp.WithPollingInterval(50*time.Millisecond)))
		return eval[string](b, `[...`+shown+`].map((e) => e.textContent).join()`)
	}
	b.do(chromedp.Navigate(b.site+"/live"), chromedp.WaitVisible(`[data-live-state="live"]`, retry))
	if before, now := pricesAt(2), pricesAt(4); now == before || strings.Contains(now, "–") {
		t.Errorf("prices after three renewals = %s, after one %s, want others in each row", now, before)
	}
	server.Inject(identitytest.EndpointHub, identitytest.Fault{Status: 503, Times: -1})
	b.do(chromedp.WaitVisible(`[data-live-state="waiting"]`, retry), chromedp.WaitVisible("[data-live-now]", retry))
	server.ClearFaults()
	b.do(chromedp.Evaluate(`document.querySelector("[data-live-now]").click()`, nil), // it hides if the page is quicker
		chromedp.WaitVisible(`[data-live-state="live"]`, retry))
	// In a hidden tab only the stream itself notices the end of the session.
	b.do(chromedp.Evaluate(`Object.defineProperty(document, "hidden", { value: true })`, nil),
		chromedp.Evaluate(`fetch("/sign-out", { method: "POST", redirect: "manual" })`, nil),
		chromedp.WaitVisible(`[data-live-state="ended"]`, retry))
	if eval[bool](b, shown+`.length > 0`) {
		t.Error("prices of the session are still on the page after its end")
	}
}
