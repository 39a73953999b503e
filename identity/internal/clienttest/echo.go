package clienttest

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tokenapi"
)

// spelt joins every secret, in the clear and as a form and JSON spell it.
func spelt(secrets []string) string {
	var words []string
	for _, secret := range secrets {
		quoted, _ := json.Marshal(secret) // a string can always be marshalled
		words = append(words, secret, url.QueryEscape(secret), string(quoted))
	}
	return strings.Join(words, " ")
}

// echoes returns bodies that repeat said: in every member that a known API has,
// in half an answer, in plain text and in a form.
func echoes(t testing.TB, said string) []string {
	t.Helper()
	item := map[string]any{
		"code": said, "message": said, "title": said, "detail": said, "status": said, "source": map[string]string{"pointer": said},
		"details": []any{map[string]string{"issue": said}},
	}
	body, err := json.Marshal(map[string]any{
		"error": said, "error_description": said, "errorCode": said, "code": said, "message": said, "title": said, "detail": said,
		"traceId": said, "errors": []any{item}, "valid": said, "login": said, "host": "https://" + said, "header": said,
		"token": said, "access_token": said, "accessToken": said, "accessTokenLifeTime": said, "token_type": said, "expires_in": said,
		"data": map[string]any{"attributes": map[string]any{"access": said, "refresh": said}},
	})
	if err != nil {
		t.Fatal(err)
	}
	nested, err := json.Marshal(map[string]any{"error": item})
	if err != nil {
		t.Fatal(err)
	}
	return []string{string(body), string(nested), string(body[:len(body)-1]), said, "error=" + url.QueryEscape(said)}
}

// Neither an error nor an observed exchange repeats a secret that the server
// sends back.
func (s Subject[C]) echo(t *testing.T, op Operation[C]) {
	server := unavailable()
	var seen []tokenapi.Exchange
	client := s.New(t, tokenapi.HTTP{Transport: server.Transport(), Observe: observing(&seen)}, peer)
	said := spelt(op.Secrets)
	for _, status := range []int{200, 302, 400, 401, 403, 404, 418, 422, 429, 500, 503} {
		for _, mediaType := range []string{"application/json", "application/vnd.api+json", "text/html", "application/x-www-form-urlencoded", said} {
			for _, body := range echoes(t, said) {
				server.Inject(anything, apitest.Fault{Times: -1, Status: status, ContentType: mediaType, Body: []byte(body), RetryAfter: said})
				_, err := s.call(t.Context(), t, op, client)
				server.ClearFaults()
				switch {
				case err != nil:
					if s.Own == nil || !errors.Is(err, s.Own) {
						Refused(t, err, s.System, op.Secrets...)
					}
					Hides(t, err, op.Secrets...)
				case status/100 == 3 || status/100 == 5: // a 4xx may be an answer, such as that a one-time token is not valid
					t.Errorf("%d %s: got no error, want one", status, body)
				}
			}
		}
	}
	if len(seen) != server.Count(anything) {
		t.Errorf("observed %d exchanges, want %d", len(seen), server.Count(anything))
	}
	if x := seen[0]; x.Op != op.Name || x.URL != peer+op.Path || x.StatusCode != http.StatusOK {
		t.Errorf("observed %+v, want %s at %s", x, op.Name, op.Path)
	}
	Hides(t, seen, op.Secrets...)
}

// broken is a transport whose errors repeat the request's secrets.
type broken struct{ said string }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("cannot send " + b.said)
}

// A transport that fails without details may have sent the request.
func (s Subject[C]) brokenTransport(t *testing.T, op Operation[C]) {
	var seen []tokenapi.Exchange
	client := s.New(t, tokenapi.HTTP{Transport: broken{spelt(op.Secrets)}, Observe: observing(&seen)}, peer)
	_, err := s.call(t.Context(), t, op, client)
	if e := s.wantError(t, op, err, tokenapi.ErrUnavailable); !e.Sent {
		t.Errorf("got %#v, want it sent", e)
	}
	if len(seen) != 1 || seen[0].Err == nil {
		t.Errorf("observed %+v, want one exchange with an error", seen)
	}
	Hides(t, seen, op.Secrets...)
}
