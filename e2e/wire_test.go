package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

// sent is one request as the server received it.
type sent struct {
	call   string // see purpose
	method string
	path   string
	query  []field // in order, decoded
	header http.Header
	body   []byte
}

// field is one parameter of a query or a form.
type field struct{ name, value string }

// wire is an IdentityServer that records its requests.
type wire struct {
	*identitytest.Server
	mu       sync.Mutex
	requests []sent
}

func startWire(t *testing.T, config identitytest.Config) *wire {
	t.Helper()
	w := &wire{Server: must(identitytest.New(config))(t)}
	listen(t, w.Server, w)
	return w
}

// ServeHTTP implements http.Handler.
func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body := copyBody(r)
	s := sent{method: r.Method, path: r.URL.Path, query: fields(r.URL.RawQuery), header: r.Header.Clone(), body: body}
	s.call = s.purpose()
	w.mu.Lock()
	w.requests = append(w.requests, s)
	w.mu.Unlock()
	w.Server.ServeHTTP(rw, r)
}

// take returns the requests since the last call.
func (w *wire) take() []sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.requests
	w.requests = nil
	return taken
}

// fields decodes a query or a form in its order.
func fields(raw string) []field {
	var all []field
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		if name == "" {
			continue
		}
		decodedName, errName := url.QueryUnescape(name)
		decodedValue, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			decodedName, decodedValue = "undecodable "+name, value
		}
		all = append(all, field{decodedName, decodedValue})
	}
	return all
}

func (s sent) isForm() bool {
	return strings.HasPrefix(s.header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

// purpose names the call that a request belongs to.
func (s sent) purpose() string {
	switch path := strings.TrimPrefix(s.path, "/identity"); path {
	case "/connect/token":
		form, _ := url.ParseQuery(string(s.body))
		return "token by " + form.Get("grant_type")
	default:
		return path
	}
}

// difference is one point in which two requests of the same call differ.
type difference struct {
	call, what string
	npm, ours  string // described, without one-time values
}

func (d difference) String() string {
	return fmt.Sprintf("%s: %s: npm %q, Go %q", d.call, d.what, d.npm, d.ours)
}

// none describes an absent value.
const none = "none"

// compare finds the differences of two recordings, call by call.
func compare(npm, ours []sent) []difference {
	var found []difference
	calls := map[string]bool{}
	for _, s := range slices.Concat(npm, ours) {
		calls[s.call] = true
	}
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		a, b := of(npm, call), of(ours, call)
		if len(a) != len(b) {
			found = append(found, difference{call, "number of requests", strconv.Itoa(len(a)), strconv.Itoa(len(b))})
		}
		for i := range min(len(a), len(b)) {
			found = append(found, compareRequests(call, a[i], b[i])...)
		}
	}
	return found
}

func of(all []sent, call string) []sent {
	return slices.DeleteFunc(slices.Clone(all), func(s sent) bool { return s.call != call })
}

func compareRequests(call string, npm, ours sent) []difference {
	var found []difference
	add := func(what, a, b string) {
		if a != b {
			found = append(found, difference{call, what, a, b})
		}
	}
	add("method", npm.method, ours.method)
	add("path", npm.path, ours.path)
	compareFields(add, "query", npm.query, ours.query)
	for _, name := range slices.Sorted(maps.Keys(merged(npm.header, ours.header))) {
		if name != "Content-Length" { // follows from the body
			add("header "+name, describeHeader(name, npm.header), describeHeader(name, ours.header))
		}
	}
	if npm.isForm() && ours.isForm() {
		compareFields(add, "body", fields(string(npm.body)), fields(string(ours.body)))
		return found
	}
	a, b := describeJSON(npm.body), describeJSON(ours.body)
	if !reflect.DeepEqual(a, b) {
		add("body", fmt.Sprint(a), fmt.Sprint(b))
	} else if a == nil || !oneTime(a) { // one-time values have no spelling to compare
		add("spelling of the body", string(npm.body), string(ours.body))
	}
	return found
}

func merged(a, b http.Header) http.Header {
	all := a.Clone()
	maps.Copy(all, b)
	return all
}

// compareFields compares names and values, and the order of the names that both
// have.
func compareFields(add func(what, a, b string), where string, npm, ours []field) {
	var names []string
	for _, f := range slices.Concat(npm, ours) {
		if !slices.Contains(names, f.name) {
			names = append(names, f.name)
		}
	}
	for _, name := range names {
		add(where+" "+name, describeField(name, npm), describeField(name, ours))
	}
	add("order of the "+where, order(npm, ours), order(ours, npm))
}

// order lists the names of a that b has too.
func order(a, b []field) string {
	var names []string
	for _, f := range a {
		if slices.ContainsFunc(b, func(g field) bool { return g.name == f.name }) {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, " ")
}

// oneTimeValues differ in each call, so only their lengths are compared.
var oneTimeValues = []string{"state", "nonce", "code", "code_challenge", "code_verifier", "refresh_token"}

func describeField(name string, all []field) string {
	var values []string
	for _, f := range all {
		if f.name != name {
			continue
		}
		if slices.Contains(oneTimeValues, name) {
			values = append(values, fmt.Sprintf("%d characters", len(f.value)))
		} else {
			values = append(values, "= "+f.value)
		}
	}
	if values == nil {
		return none
	}
	return strings.Join(values, ", ")
}

// describeHeader returns a header's value, with credentials decoded and without
// tokens.
func describeHeader(name string, header http.Header) string {
	value := strings.Join(header[name], " | ")
	switch {
	case value == "":
		return none
	case name == "Cookie":
		var names []string
		for _, pair := range strings.FieldsFunc(value, func(r rune) bool { return r == ';' || r == ',' }) {
			n, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
			names = append(names, n)
		}
		return strings.Join(names, " ")
	case name == "Authorization":
		if id, secret, ok := (&http.Request{Header: header}).BasicAuth(); ok {
			return "Basic " + id + ":" + secret
		}
		return fmt.Sprintf("%.7s and %d dots", value, strings.Count(value, "."))
	}
	return value
}

// describeJSON decodes a body and replaces one-time values by their lengths.
func describeJSON(body []byte) map[string]any {
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		return nil
	}
	for name, value := range members {
		if text, ok := value.(string); ok && slices.Contains(oneTimeValues, name) {
			members[name] = fmt.Sprintf("%d characters", len(text))
		}
	}
	return members
}

func oneTime(members map[string]any) bool {
	return slices.ContainsFunc(oneTimeValues, func(name string) bool { return members[name] != nil })
}
