package identitytest

import (
	"bufio"
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/websocket"

	"b2trader.identity.auth/identity/apitest"
)

// hubPath is the path of the hub, in lower case.
const hubPath = "/frontoffice/ws/v4/account"

// The bounds of a connection. Those but maxStreams are the defaults of "ASP.NET
// Core SignalR configuration".
const (
	handshakeWait = 15 * time.Second
	clientSilence = 30 * time.Second
	keepAlive     = 15 * time.Second
	maxHubMessage = 32 << 10 // bytes
	maxStreams    = 16
	hubWriteWait  = 10 * time.Second
)

// hubTick is how often the streams of a connection and its token are looked at.
const hubTick = 100 * time.Millisecond

// hub answers GET /frontoffice/ws/v4/account?access_token=… with the websocket
// of a SignalR hub.
func (s *Server) hub(x *exchange) {
	bearer := cmp.Or(x.Query.Get("access_token"), x.Bearer())
	token, problem := s.authorizeBearer(bearer, scopeFrontOffice)
	switch {
	case problem != nil:
		x.refuseBearer(problem)
	case !strings.EqualFold(x.Header.Get("Upgrade"), "websocket"):
		x.Status(http.StatusBadRequest)
		_, _ = x.Answer().Write([]byte("Connection ID required")) // a buffer never fails
	default:
		x.Upgrade(websocket.Server{Handler: func(conn *websocket.Conn) {
			c := &hubConnection{server: s, conn: conn, bearer: bearer, token: token}
			c.serve()
		}})
	}
}

// hubConnection is one connection to the hub. Its methods run in one goroutine,
// but for read.
type hubConnection struct {
	server  *Server
	conn    *websocket.Conn
	bearer  string
	token   tokenClaims
	streams []hubStream
	sent    time.Time // when the last message was sent, by the machine's clock
}

// hubStream is a stream that a client has opened.
type hubStream struct {
	invocationID string
	items        streamItems
}

// streamItems returns what is new in a stream since the call before.
type streamItems func(now time.Time) []apitest.Object

// errHubClosed ends a connection after its Close message.
var errHubClosed = errors.New("the hub has closed the connection")

// serve talks to the client until one of the two closes, or the token is over.
func (c *hubConnection) serve() {
	defer func() { _ = c.conn.Close() }() // with the websocket's own close frame
	records := bufio.NewScanner(c.conn)
	records.Buffer(nil, maxHubMessage)
	records.Split(splitRecords)
	if !c.handshake(records) {
		return
	}
	messages, done := make(chan hubMessage), make(chan struct{})
	defer close(done)
	go c.read(records, messages, done)
	tick := time.NewTicker(hubTick)
	defer tick.Stop()
	for {
		var err error
		select {
		case m, open := <-messages:
			if !open {
				return
			}
			err = c.answer(m)
		case <-tick.C:
			err = c.move()
		}
		if err != nil {
			return
		}
	}
}

// handshake answers the first message of the client.
func (c *hubConnection) handshake(records *bufio.Scanner) bool {
	_ = c.conn.SetReadDeadline(time.Now().Add(handshakeWait)) // an error shows when reading
	records.Scan()
	if refusal := refuseHandshake(records.Bytes()); refusal != "" {
		_ = c.send(apitest.Object{{"error", refusal}}) // it ends anyway
		return false
	}
	return c.send(apitest.Object{}) == nil
}

// read passes the client's messages on until the client closes or is silent.
func (c *hubConnection) read(records *bufio.Scanner, messages chan<- hubMessage, done <-chan struct{}) {
	defer close(messages)
	for {
		_ = c.conn.SetReadDeadline(time.Now().Add(clientSilence)) // an error shows when reading
		var m hubMessage
		switch {
		case records.Scan():
			m = parseMessage(records.Bytes())
		case errors.Is(records.Err(), bufio.ErrTooLong):
			m.malformed = true
		default:
			return
		}
		select {
		case messages <- m:
		case <-done:
			return
		}
		if m.malformed {
			return
		}
	}
}

// answer acts on a message of the client. Its error ends the connection.
func (c *hubConnection) answer(m hubMessage) error {
	switch {
	case m.malformed, m.Type == typeStreamInvocation && m.InvocationID == "":
		return c.close(apitest.Member{Name: "error", Value: "Connection closed with an error."})
	case m.Type == typeInvocation:
		return c.invoke(m)
	case m.Type == typeStreamInvocation:
		return c.openStream(m)
	case m.Type == typeCancelInvocation:
		return c.cancelStream(m)
	case m.Type == typeClose:
		return errHubClosed
	}
	return nil
}

// invoke answers an invocation. One without an ID has no answer.
func (c *hubConnection) invoke(m hubMessage) error {
	if m.InvocationID == "" {
		return nil
	}
	u, known := c.server.byID[c.token.Subject]
	switch {
	case m.calls("Prices"), m.calls("Orders"):
		return c.send(failure(m.InvocationID, "The client attempted to invoke the streaming '"+m.Target+"' method with a non-streaming invocation."))
	case !m.calls("Account"):
		return c.send(failure(m.InvocationID, "Unknown hub method '"+m.Target+"'"))
	case !known || len(m.Arguments) > 0: // a token of client_credentials has no user
		return c.send(failure(m.InvocationID, "Failed to invoke '"+m.Target+"' due to an error on the server."))
	}
	return c.send(append(completion(m.InvocationID), apitest.Member{Name: "result", Value: u.account()}))
}

// openStream begins a stream with its first items.
func (c *hubConnection) openStream(m hubMessage) error {
	inUse := func(s hubStream) bool { return s.invocationID == m.InvocationID }
	var items streamItems
	switch {
	case slices.ContainsFunc(c.streams, inUse):
		return c.send(failure(m.InvocationID, "Invocation ID '"+m.InvocationID+"' is already in use."))
	case m.calls("Account"):
		return c.send(failure(m.InvocationID, "The client attempted to invoke the non-streaming '"+m.Target+"' method with a streaming invocation."))
	case m.calls("Prices"):
		items = priceStream()
	case m.calls("Orders"):
		items = c.server.orderStream(c.token.Subject)
	default:
		return c.send(failure(m.InvocationID, "Unknown hub method '"+m.Target+"'"))
	}
	if len(m.Arguments) > 0 || len(c.streams) >= maxStreams {
		return c.send(failure(m.InvocationID, "Failed to invoke '"+m.Target+"' due to an error on the server."))
	}
	c.streams = append(c.streams, hubStream{m.InvocationID, items})
	return c.move()
}

// cancelStream ends a stream, which completes without an error.
func (c *hubConnection) cancelStream(m hubMessage) error {
	for i, s := range c.streams {
		if s.invocationID == m.InvocationID {
			c.streams = slices.Delete(c.streams, i, i+1)
			return c.send(completion(m.InvocationID))
		}
	}
	return nil
}

// move sends what is new in the streams, or a ping if nothing was sent for long.
// It closes the connection when the token is over.
func (c *hubConnection) move() error {
	if c.server.isOver(c.bearer, c.token) {
		return c.close(apitest.Member{Name: "allowReconnect", Value: true})
	}
	now := c.server.now()
	var messages []apitest.Object
	for _, s := range c.streams {
		for _, item := range s.items(now) {
			messages = append(messages, streamItem(s.invocationID, item))
		}
	}
	if len(messages) == 0 && time.Since(c.sent) >= keepAlive {
		messages = append(messages, apitest.Object{{"type", typePing}})
	}
	return c.send(messages...)
}

// close sends a Close message that says why.
func (c *hubConnection) close(why apitest.Member) error {
	_ = c.send(apitest.Object{{"type", typeClose}, why}) // it ends anyway
	return errHubClosed
}

// send sends messages in one frame.
func (c *hubConnection) send(messages ...apitest.Object) error {
	if len(messages) == 0 {
		return nil
	}
	var frame []byte
	for _, m := range messages {
		frame = append(append(frame, m.JSON()...), recordSeparator)
	}
	c.sent = time.Now()
	_ = c.conn.SetWriteDeadline(c.sent.Add(hubWriteWait)) // an error shows when writing
	_, err := c.conn.Write(frame)
	return err
}
