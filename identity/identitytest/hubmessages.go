package identitytest

import (
	"bytes"
	"encoding/json"
	"strings"

	"b2trader.identity.auth/identity/apitest"
)

// The types of messages, "SignalR Hub Protocol", JSON encoding. Other types are
// ignored, as that document asks.
const (
	typeInvocation       = 1
	typeStreamItem       = 2
	typeCompletion       = 3
	typeStreamInvocation = 4
	typeCancelInvocation = 5
	typePing             = 6
	typeClose            = 7
)

// recordSeparator ends each message of the JSON encoding.
const recordSeparator = 0x1e

// hubMessage is a message from a client.
type hubMessage struct {
	Type         int               `json:"type"`
	InvocationID string            `json:"invocationId"`
	Target       string            `json:"target"`
	Arguments    []json.RawMessage `json:"arguments"`

	malformed bool
}

// calls reports whether the message is for that method. SignalR ignores the
// letter case.
func (m hubMessage) calls(method string) bool { return strings.EqualFold(m.Target, method) }

// parseMessage decodes a message, and marks it if that fails.
func parseMessage(record []byte) (m hubMessage) {
	if json.Unmarshal(record, &m) != nil || m.Type == 0 {
		return hubMessage{malformed: true}
	}
	return m
}

// splitRecords is a bufio.SplitFunc for records. It drops what is not complete
// at the end.
func splitRecords(data []byte, _ bool) (advance int, record []byte, err error) {
	if end := bytes.IndexByte(data, recordSeparator); end >= 0 {
		return end + 1, data[:end], nil
	}
	return 0, nil, nil
}

// refuseHandshake returns the error of a handshake request in the words of
// ASP.NET Core, or "".
func refuseHandshake(record []byte) string {
	var in struct {
		Protocol string `json:"protocol"`
		Version  int    `json:"version"`
	}
	switch {
	case json.Unmarshal(record, &in) != nil || in.Protocol == "":
		return "Handshake was canceled."
	case in.Protocol != "json":
		return "The protocol '" + in.Protocol + "' is not supported."
	case in.Version != 1:
		return "The server does not support version " + fixed(int64(in.Version), 0) + " of the 'json' protocol."
	}
	return ""
}

func streamItem(invocationID string, item apitest.Object) apitest.Object {
	return apitest.Object{{"type", typeStreamItem}, {"invocationId", invocationID}, {"item", item}}
}

// completion ends an invocation or a stream, without a result.
func completion(invocationID string) apitest.Object {
	return apitest.Object{{"type", typeCompletion}, {"invocationId", invocationID}}
}

func failure(invocationID, text string) apitest.Object {
	return append(completion(invocationID), apitest.Member{Name: "error", Value: text})
}
