package request

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// req 109: X-Forwarded-For counts only if a trusted proxy sent it.
func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"direct", "203.0.113.7:1234", nil, "203.0.113.7"},
		{"a stranger's claim", "203.0.113.7:1234", []string{"198.51.100.1"}, "203.0.113.7"},
		{"through a proxy", "10.1.1.1:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"a claim passed on by a proxy", "10.1.1.1:1234", []string{"192.0.2.66, 198.51.100.1"}, "198.51.100.1"},
		{"through two", "10.1.1.1:1234", []string{"192.0.2.66", "198.51.100.1, 10.2.2.2"}, "198.51.100.1"},
		{"only proxies", "10.1.1.1:1234", []string{"10.3.3.3"}, "10.3.3.3"},
		{"proxy without a header", "10.1.1.1:1234", nil, "10.1.1.1"},
		{"nonsense", "10.1.1.1:1234", []string{"198.51.100.1, nonsense"}, "10.1.1.1"},
		{"IPv4 in IPv6", "[::ffff:10.1.1.1]:1234", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"with a zone", "[fe80::1%eth0]:1234", nil, "fe80::1"},
		{"no address", "@", nil, "invalid IP"},
		{"peer without a port", "203.0.113.7", nil, "203.0.113.7"},

		// field 16: proxies write addresses in many forms.
		{"port", "10.1.1.1:1234", []string{"203.0.113.9:51008"}, "203.0.113.9"},
		{"ports through two", "10.1.1.1:1234", []string{"203.0.113.9:51008, 10.2.2.2:443"}, "203.0.113.9"},
		{"IPv6", "10.1.1.1:1234", []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv6 in brackets with a port", "10.1.1.1:1234", []string{"[2001:db8::1]:443"}, "2001:db8::1"},
		{"IPv6 in brackets", "10.1.1.1:1234", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"IPv6 with a zone", "10.1.1.1:1234", []string{"fe80::1%eth0"}, "fe80::1"},
		{"IPv6 with a zone and a port", "10.1.1.1:1234", []string{"[fe80::1%eth0]:443"}, "fe80::1"},
		{"IPv4 in IPv6 with a port", "10.1.1.1:1234", []string{"[::ffff:198.51.100.1]:443"}, "198.51.100.1"},
		{"trusted IPv6 proxies with ports", "[fd00::1]:1234", []string{"198.51.100.1:9, [fd00::2]:443"}, "198.51.100.1"},
		{"spaces", "10.1.1.1:1234", []string{" \t203.0.113.9:51008 \t"}, "203.0.113.9"},
		{"quotation marks", "10.1.1.1:1234", []string{`"[2001:db8::1]:443"`}, "2001:db8::1"},
		{"empty elements", "10.1.1.1:1234", []string{"", "203.0.113.9:51008, ,"}, "203.0.113.9"},
		{"port out of range", "10.1.1.1:1234", []string{"203.0.113.9:70000"}, "10.1.1.1"},
		{"unknown", "10.1.1.1:1234", []string{"203.0.113.9, unknown"}, "10.1.1.1"},
		{"half a bracket", "10.1.1.1:1234", []string{"[2001:db8::1"}, "10.1.1.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Header["X-Forwarded-For"] = c.peer, c.forwarded
			if got := ClientAddress(r, trusted).String(); got != c.want {
				t.Errorf("ClientAddress = %s, want %s", got, c.want)
			}
		})
	}
	if a, b := AddressKey(netip.MustParseAddr("2001:db8:1:2::1")), AddressKey(netip.MustParseAddr("2001:db8:1:2:ffff::9")); a != b {
		t.Errorf("one subscriber counts as %s and %s", a, b)
	}
	if a, b := AddressKey(netip.MustParseAddr("192.0.2.1")), AddressKey(netip.MustParseAddr("192.0.2.2")); a == b {
		t.Error("two IPv4 addresses count as one")
	}
}
