package identitytest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"b2trader.identity.auth/identity/identitytest"
)

const hubPath = "/frontoffice/ws/v4/account"

// hub is a client of the hub after its handshake.
type hub struct {
	t       *testing.T
	conn    *websocket.Conn
	records *bufio.Scanner
}

// message is what the hub sends.
type message struct {
	Type           int
	InvocationID   string
	Item           map[string]string
	Result         map[string]any
	Error          string
	AllowReconnect bool
}

// connect opens a websocket and sends a first message.
func (b *browser) connect(query, bearer, first string) *hub {
	b.t.Helper()
	config, err := websocket.NewConfig(strings.Replace(b.base, "http", "ws", 1)+hubPath+query, b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	if bearer != "" {
		config.Header = http.Header{"Authorization": {"Bearer " + bearer}}
	}
	conn, err := config.DialContext(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		b.t.Fatal(err)
	}
	h := &hub{b.t, conn, bufio.NewScanner(conn)}
	h.records.Split(func(data []byte, _ bool) (int, []byte, error) {
		end := bytes.IndexByte(data, 0x1e)
		if end < 0 {
			return 0, nil, nil
		}
		return end + 1, data[:end], nil
	})
	h.send(first)
	return h
}

const jsonHandshake = `{"protocol":"json","version":1}`

// hub connects with the token in the query.
func (b *browser) hub(token string) *hub {
	b.t.Helper()
	h := b.connect("?access_token="+token, "", jsonHandshake)
	wantEqual(b.t, "answer to the handshake", h.raw(), "{}")
	return h
}

func (h *hub) send(text string) {
	h.t.Helper()
	if _, err := h.conn.Write([]byte(text + "\x1e")); err != nil {
		h.t.Fatal(err)
	}
}

// raw returns the next message, "" after the end.
func (h *hub) raw() string {
	h.records.Scan()
	return h.records.Text()
}

func (h *hub) next() message {
	h.t.Helper()
	var m message
	if err := json.Unmarshal([]byte(h.raw()), &m); err != nil {
		h.t.Fatalf("message %q: %v", h.records.Text(), err)
	}
	return m
}

// until returns the next message that is accepted.
func (h *hub) until(accept func(message) bool) message {
	h.t.Helper()
	for {
		if m := h.next(); accept(m) {
			return m
		}
	}
}

func wantMessage(t *testing.T, what string, got, want message) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s = %+v, want %+v", what, got, want)
	}
}

func TestHubChecksTheToken(t *testing.T) {
	t.Parallel()
	b := start(t, identitytest.Config{})
	token := b.login("trader@example.com", "spa").AccessToken
	code := b.authorize(with(b.authorizeParams("spa"), "scope", "openid")).Query().Get("code")
	other := b.token(b.codeForm(code), basic("spa")...).AccessToken
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket"}
	for _, c := range []struct {
		name, query string
		header      []string
		want        int
	}{
		{"none", "", upgrade, 401},
		{"nonsense", "?access_token=abc", upgrade, 401},
		{"nonsense in the header", "", append(bearer("abc"), upgrade...), 401},
		{"the query's, not the header's", "?access_token=abc", append(bearer(token), upgrade...), 401},
		{"without FrontOffice", "?access_token=" + other, upgrade, 403},
		{"no websocket", "?access_token=" + token, nil, 400},
	} {
		got := b.get(hubPath+c.query, c.header...)
		wantEqual(t, "status of "+c.name, got.status, c.want)
	}
	wantEqual(t, "status of POST", b.send(http.MethodPost, hubPath, "").status, 405)
	b.hub(token)
	h := b.connect("", token, jsonHandshake)
	wantEqual(t, "handshake with the token in the header", h.raw(), "{}")
	requests := b.server.Requests(identitytest.EndpointHub)
	wantEqual(t, "recorded status", requests[len(requests)-1].Status, 101)
	b.server.Inject(identitytest.EndpointHub, identitytest.Fault{Status: 503})
	wantEqual(t, "status by a fault", b.get(hubPath).status, 503)
	m := inMemory(t, identitytest.Config{})
	token = m.login("trader@example.com", "spa").AccessToken
	wantEqual(t, "status without a socket", m.get(hubPath+"?access_token="+token, upgrade...).status, 501)
}

func TestHubHandshake(t *testing.T) {
	t.Parallel()
	b := start(t, identitytest.Config{})
	token := b.login("trader@example.com", "spa").AccessToken
	for first, want := range map[string]string{
		`{"protocol":"messagepack","version":1}`: `{"error":"The protocol 'messagepack' is not supported."}`,
		`{"protocol":"json","version":2}`:        `{"error":"The server does not support version 2 of the 'json' protocol."}`,
		`{"type":6}`:                             `{"error":"Handshake was canceled."}`,
		`nonsense`:                               `{"error":"Handshake was canceled."}`,
	} {
		h := b.connect("?access_token="+token, "", first)
		wantEqual(t, "answer to "+first, h.raw(), want)
		wantEqual(t, "after "+first, h.raw(), "")
	}
}

func TestHubCalls(t *testing.T) {
	t.Parallel()
	b := start(t, identitytest.Config{})
	h := b.hub(b.login("trader@example.com", "spa").AccessToken)
	h.send(`{"type":1,"target":"Account","arguments":[]}` + "\x1e" + `{"type":6}` + "\x1e" + `{"type":99}`) // no answers
	h.send(`{"type":5,"invocationId":"unknown"}`)
	for _, c := range []struct{ sent, want string }{
		{`{"type":1,"invocationId":"1","target":"account","arguments":[]}`, ""},
		{`{"type":1,"invocationId":"2","target":"Magic","arguments":[]}`, "Unknown hub method 'Magic'"},
		{`{"type":4,"invocationId":"3","target":"Magic","arguments":[]}`, "Unknown hub method 'Magic'"},
		{`{"type":1,"invocationId":"4","target":"Prices","arguments":[]}`, "The client attempted to invoke the streaming 'Prices' method with a non-streaming invocation."},
		{`{"type":4,"invocationId":"5","target":"Account","arguments":[]}`, "The client attempted to invoke the non-streaming 'Account' method with a streaming invocation."},
		{`{"type":4,"invocationId":"6","target":"Prices","arguments":[7]}`, "Failed to invoke 'Prices' due to an error on the server."},
	} {
		h.send(c.sent)
		m := h.next()
		if m.Type != 3 || m.InvocationID == "" || m.Error != c.want || (m.Result["id"] == traderID) != (c.want == "") {
			t.Errorf("answer to %s = %+v, want the error %q", c.sent, m, c.want)
		}
	}
	h.send(`{"type":7}`)
	wantEqual(t, "after Close", h.raw(), "")
}

func TestHubStreams(t *testing.T) {
	t.Parallel()
	b := start(t, identitytest.Config{})
	token := b.login("trader@example.com", "spa").AccessToken
	h := b.hub(token)
	h.send(`{"type":4,"invocationId":"p","target":"Prices","arguments":[]}`)
	first := map[string]string{}
	for range 6 {
		m := h.next()
		first[m.Item["instrument"]] = m.Item["bid"]
		if at, err := time.Parse(time.RFC3339, m.Item["time"]); err != nil || time.Since(at).Abs() > time.Minute || m.Item["ask"] == "" {
			t.Errorf("item = %v, want a quote of now", m.Item)
		}
	}
	wantEqual(t, "number of instruments", len(first), 6)
	moved := h.until(func(m message) bool { return m.InvocationID == "p" && m.Item["bid"] != first[m.Item["instrument"]] })
	wantEqual(t, "type of an item", moved.Type, 2)

	h.send(`{"type":4,"invocationId":"o","target":"Orders","arguments":[]}`)
	h.until(func(m message) bool { return m.InvocationID == "o" && m.Item["status"] == "filled" })
	b.postJSON(ordersPath, `{"instrument":"BTC_USD","side":"buy","amount":"0.25"}`, bearer(token)...)
	placed := h.until(func(m message) bool { return m.InvocationID == "o" && m.Item["id"] == "1" })
	wantEqual(t, "amount of the user's order", placed.Item["filled"], "0.25")

	h.send(`{"type":4,"invocationId":"o","target":"Orders","arguments":[]}`)
	again := h.until(func(m message) bool { return m.Type == 3 })
	wantEqual(t, "the same ID again", again.Error, "Invocation ID 'o' is already in use.")
	for _, id := range []string{"o", "p"} {
		h.send(`{"type":5,"invocationId":"` + id + `"}`)
		end := h.until(func(m message) bool { return m.Type != 2 })
		wantMessage(t, "end of a canceled stream", end, message{Type: 3, InvocationID: id})
	}
	h.send(`{"type":1,"invocationId":"1","target":"Magic"}`)
	wantEqual(t, "what comes after the streams", h.next().InvocationID, "1")
	for i := range 17 {
		h.send(`{"type":4,"invocationId":"` + string(rune('a'+i)) + `","target":"Orders"}`)
	}
	h.until(func(m message) bool { return m.Error == "Failed to invoke 'Orders' due to an error on the server." })
}

func TestHubEndsBadConnections(t *testing.T) {
	t.Parallel()
	b := start(t, identitytest.Config{})
	token := b.login("trader@example.com", "spa").AccessToken
	for name, sent := range map[string]string{
		"no JSON": "nonsense", "no type": "{}", "a stream without an ID": `{"type":4,"target":"Prices"}`,
		"a huge message": `{"type":6,"x":"` + strings.Repeat("x", 32<<10) + `"}`,
	} {
		h := b.hub(token)
		h.send(sent)
		wantMessage(t, "answer to "+name, h.next(), message{Type: 7, Error: "Connection closed with an error."})
		wantEqual(t, "after "+name, h.raw(), "")
	}
}

// A connection ends with its token, by time or by ExpireTokens, and says that
// the client may come back with another.
func TestHubEndsWithTheToken(t *testing.T) {
	t.Parallel()
	for name, lifetime := range map[string]time.Duration{"time": time.Second * 2, "ExpireTokens": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, identitytest.Config{AccessTokenLifetime: lifetime})
			h := b.hub(b.login("trader@example.com", "spa").AccessToken)
			if lifetime == time.Hour {
				b.server.ExpireTokens("trader@example.com")
			}
			wantMessage(t, "last message", h.next(), message{Type: 7, AllowReconnect: true})
			wantEqual(t, "after it", h.raw(), "")
		})
	}
}
