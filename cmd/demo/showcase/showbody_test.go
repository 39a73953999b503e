package showcase

import (
	"strings"
	"testing"
)

// req 96: no part of a bearer is shown, not even one that the bound on reading cut off.
func TestShowBodyOfOpaqueBearer(t *testing.T) {
	bearer := strings.Repeat("0123456789abcdef", 4)
	body := strings.Repeat(bearer, apiMaxBody/len(bearer)) + bearer // and one byte more than is read
	shown := showBody([]byte(body[:apiMaxBody+1]), apiMaxShow, bearer)
	if strings.ContainsAny(strings.ReplaceAll(shown, tokenRemoved, ""), "0123456789") || !strings.Contains(shown, tokenRemoved) {
		t.Errorf("shown: …%s", shown[max(0, len(shown)-100):])
	}
	if got := showBody([]byte(strings.Repeat("é", apiMaxBody)[:apiMaxBody+1]), apiMaxShow, bearer); !strings.HasPrefix(got, "éé") {
		t.Errorf("a character that was cut makes it no text: %.20s", got)
	}
}
