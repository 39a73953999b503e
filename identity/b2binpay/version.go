package b2binpay

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/internal/strictjson"
	"b2trader.identity.auth/identity/tokenapi"
)

// A version is what the sign-in of one version of the API needs to tell it from
// the other.
type version struct {
	refusals     httpx.Verdict
	foreign      []string // the other version's names of the credentials
	wrongVersion string   // the description of an error if the server is the other's
	wrongKeys    string   // the advice of ErrBadCredentials
}

var (
	version2 = version{
		refusals: signInRefusals, foreign: []string{"client_id", "client_secret"},
		wrongVersion: "the server speaks version 3: use a V3Client with a client_id and client_secret, or check Config.URL",
		wrongKeys:    "check the login and the password; a client_id and client_secret are version 3's and need a V3Client",
	}
	version3 = version{
		refusals: v3Refusals(), foreign: []string{"login", "password"},
		wrongVersion: "the server speaks version 2: use a Client with a login and password, or check V3Config.URL",
		wrongKeys:    "check the client_id and the client_secret; a login and password are version 2's and need a Client",
	}
)

// v3Refusals maps refusals of version 3, of which the vendor names only the
// statuses 400 and 429. The codes are version 2's.
func v3Refusals() httpx.Verdict {
	v := signInRefusals
	v.URLField = "V3Config.URL"
	return v
}

// refused returns the error of a sign-in's refusal. A server that asks for the
// other version's credentials cannot read these, however good they are.
func refused(call *httpx.Call, v version) *tokenapi.Error {
	if call.Last.StatusCode/100 == 4 && !httpx.Later(call.Last.StatusCode) && asksFor(call.Last.Body, v.foreign) {
		return misdirected(call, v)
	}
	e := call.Refused(v.refusals)
	if errors.Is(e, tokenapi.ErrBadCredentials) {
		e.Advice = v.wrongKeys
	}
	return e
}

// misdirected returns the error of an answer of the other version.
func misdirected(call *httpx.Call, v version) *tokenapi.Error {
	problem := httpx.ParseProblem(call.Last.Body)
	problem.Description = v.wrongVersion
	return call.Refusal(tokenapi.ErrMisconfigured, problem)
}

// asksFor reports whether a refusal is about one of the attributes: by the
// pointer of an error of JSON:API, or as a member of the body, in which Django
// reports errors by field.
func asksFor(body []byte, attributes []string) bool {
	var members map[string]json.RawMessage
	_ = strictjson.Unmarshal(body, &members)
	var problems []struct {
		Source struct {
			Pointer string `json:"pointer"`
		} `json:"source"`
	}
	_ = strictjson.Unmarshal(members["errors"], &problems) // what it can read is enough
	named := func(name string) bool { return slices.Contains(attributes, name) }
	for name := range members {
		if named(name) {
			return true
		}
	}
	for _, p := range problems {
		if named(p.Source.Pointer[strings.LastIndex(p.Source.Pointer, "/")+1:]) {
			return true
		}
	}
	return false
}
