package traderevolution

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/internal/strictjson"
	"b2trader.identity.auth/identity/tokenapi"
)

// The codes that a working client knows.
const (
	codeBadCredentials = "1.2.0.11"   // wrong login or password
	codeNoAccess       = "2.0.2.4"    // the user has no access to the REST API
	codeTooMany        = "2.147.1.27" // more than a few requests in a second
)

// verdict returns a Verdict of the statuses and the known codes; wrongLogin is
// the meaning of a wrong login or password.
func verdict(wrongLogin error, status map[int]error) httpx.Verdict {
	codes := map[string]error{codeBadCredentials: wrongLogin, codeNoAccess: tokenapi.ErrMisconfigured, codeTooMany: tokenapi.ErrUnavailable}
	return httpx.Verdict{Codes: codes, Status: status, Parse: parseProblem}
}

// dotted matches a code.
var dotted = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9}){3}$`)

// refused returns the error of the last answer, which is no 2xx. A 404 with a
// dotted code comes from the API and means the same as a 401; any other 404 is a
// wrong path.
func refused(call *httpx.Call, v httpx.Verdict) error {
	if call.Last.StatusCode == http.StatusNotFound && dotted.MatchString(parseProblem(call.Last.Body).Code) {
		v.Status = map[int]error{http.StatusNotFound: v.Status[http.StatusUnauthorized]}
	}
	return call.Refused(v)
}

// parseProblem reads the body of an error, whose members no document names: a
// dotted code, the first text, and all that [httpx.ParseProblem] reads. It never
// fails.
func parseProblem(body []byte) httpx.Problem {
	problem := httpx.ParseProblem(body)
	members := texts(body)
	problem.Code = cmp.Or(codeAmong(members, text.isCode), codeAmong(members, text.isDotted), problem.Code)
	for _, name := range []string{"message", "errorMessage", "error", "description", "detail"} {
		i := slices.IndexFunc(members, func(m text) bool {
			return strings.EqualFold(m.name, name) && m.value != "" && m.value != problem.Code
		})
		if i >= 0 {
			problem.Description = members[i].value
			break
		}
	}
	return problem
}

// errorCode returns the error code in the body of a 2xx, or "".
func errorCode(body []byte) string { return codeAmong(texts(body), text.isCode) }

// codeAmong returns the value of the first member that fits, or "".
func codeAmong(members []text, fits func(text) bool) string {
	for _, m := range members {
		if fits(m) {
			return m.value
		}
	}
	return ""
}

// A text is a member of a JSON object whose value is a string.
type text struct{ name, value string }

// isDotted reports whether t has the form of a code. It may be an IP address or a
// version.
func (t text) isDotted() bool { return dotted.MatchString(t.value) }

// isCode reports whether t is a dotted code whose name contains code or error.
func (t text) isCode() bool {
	name := strings.ToLower(t.name)
	return t.isDotted() && (strings.Contains(name, "code") || strings.Contains(name, "error"))
}

// texts lists the texts at the top level of a body and then those one level
// below, each object's in order of their names.
func texts(body []byte) []text {
	var top any
	if strictjson.Unmarshal(body, &top) != nil {
		return nil
	}
	var found []text
	level := objects(top)
	for range 2 {
		var below []map[string]any
		for _, object := range level {
			for _, name := range slices.Sorted(maps.Keys(object)) {
				if s, ok := object[name].(string); ok {
					found = append(found, text{name, strings.TrimSpace(s)})
				}
				below = append(below, objects(object[name])...)
			}
		}
		level = below
	}
	return found
}

// objects returns v if it is an object, or the objects in v if it is a list.
func objects(v any) []map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		var found []map[string]any
		for _, item := range v {
			if object, ok := item.(map[string]any); ok {
				found = append(found, object)
			}
		}
		return found
	}
	return nil
}
