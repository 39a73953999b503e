package showcase

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/templates/pagetest"
)

// An answer stands after what it waited for, at its own time, and an arrow ends
// at the host that serves it. field 5
func TestFlowIsInOrder(t *testing.T) {
	t.Parallel()
	const server = "https://trader.example.com/identity"
	for name, c := range map[string]struct {
		exchanges []tokenapi.Exchange
		want      string
	}{
		"one request": {[]tokenapi.Exchange{browserRequest("/sign-in", 0, 5)}, "0 0>1, 5 1>0"},
		"nested":      {[]tokenapi.Exchange{browserRequest("/sign-in", 0, 9), exchange("POST", server+"/a", 1, 2, 200), exchange("POST", server+"/b", 4, 3, 200)}, "0 0>1, 1 1>2, 3 2>1, 4 1>2, 7 2>1, 9 1>0"},
		"second factor": {[]tokenapi.Exchange{browserRequest("/sign-in", 0, 3), exchange("POST", server+"/a", 1, 1, 200), browserRequest("/sign-in/second-factor", 60, 9), exchange("POST", server+"/b", 62, 3, 200)},
			"0 0>1, 1 1>2, 2 2>1, 3 1>0, 60 0>1, 62 1>2, 65 2>1, 69 1>0"},
		"at once":        {[]tokenapi.Exchange{browserRequest("/sign-in", 0, 9), exchange("GET", server+"/a", 1, 6, 200), exchange("GET", server+"/b", 2, 2, 200)}, "0 0>1, 1 1>2, 2 1>2, 4 2>1, 7 2>1, 9 1>0"},
		"no time passes": {[]tokenapi.Exchange{browserRequest("/sign-in", 0, 0), exchange("GET", server+"/a", 0, 0, 200), exchange("GET", server+"/b", 0, 0, 200)}, "0 0>1, 0 1>2, 0 2>1, 0 1>2, 0 2>1, 0 1>0"},
		"another host":   {[]tokenapi.Exchange{exchange("POST", server+"/a", 0, 1, 200), exchange("GET", "http://keys:8080/a", 2, 1, 0), exchange("GET", server+"/b", 4, 1, 200)}, "0 1>2, 1 2>1, 2 1>3, 3 3>1, 4 1>2, 5 2>1"},
		"none":           {nil, ""},
	} {
		var got []string
		f := newFlow(c.exchanges)
		for _, m := range f.Messages {
			got = append(got, fmt.Sprintf("%d %d>%d", m.At.Milliseconds(), m.From, m.To))
		}
		if got := strings.Join(got, ", "); got != c.want {
			t.Errorf("%s: messages = %s, want %s", name, got, c.want)
		}
	}
}

// More hosts than there are lanes share the last one.
func TestFlowHasFewLanes(t *testing.T) {
	t.Parallel()
	var many []tokenapi.Exchange
	for i := range 9 {
		many = append(many, exchange("GET", fmt.Sprintf("https://host%d.example.com/", i), i, 0, 200))
	}
	f := newFlow(many)
	if want := []string{"Browser", "This server", "IdentityServer", "host1.example.com", "host2.example.com"}; !slices.Equal(f.Lanes, want) {
		t.Errorf("lanes = %q, want %q", f.Lanes, want)
	}
	if last := f.Messages[len(f.Messages)-1]; last.From != maxLanes-1 {
		t.Errorf("lane of the ninth host = %d, want %d", last.From, maxLanes-1)
	}
}

func TestFlowPage(t *testing.T) {
	t.Parallel()
	doc := pagetest.Document(t, page(t, "/flow", flowPage(sampleFlow())))
	messages := doc.Find("ol.messages > li")
	if messages.Length() != 10 {
		t.Fatalf("%d messages on the page, want 5 requests and 5 answers", messages.Length())
	}
	for i, want := range []string{
		"+0 ms Browser → to This server POST /sign-in client_id=spa",
		"+1.0 ms This server → to IdentityServer POST /identity/sign-in client_id=spa",
		"+97 ms IdentityServer → to This server 200 OK · 96 ms",
		"+98 ms This server → to keys.example.com GET /jwks client_id=spa",
		"+118 ms keys.example.com → to This server no answer · 20 ms",
		"+119 ms This server → to IdentityServer GET /identity/connect/authorize client_id=spa",
		"+123 ms IdentityServer → to This server 302 Found · 4.0 ms redirects to https://trader.example.com/identity/sign-in-done",
	} {
		got := pagetest.Words(messages.Eq(i))
		if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") { // a URL is in parts
			t.Errorf("message %d = %q, want %q", i, got, want)
		}
	}
	// A URL breaks between its parts only. field 12
	parts := doc.Find(".message-details:contains(redirects) .part").Map(func(_ int, e *goquery.Selection) string { return e.Text() })
	if got := strings.Join(parts, "|"); got != "redirects to https://|trader.example.com/|identity/|sign-in-done" {
		t.Errorf("the parts of a URL are %s", got)
	}
	if lost := doc.Find(".message-lost"); lost.Length() != 1 || !lost.HasClass("message-answer") {
		t.Errorf("%d messages are lost, want the answer of keys.example.com", lost.Length())
	}
}
