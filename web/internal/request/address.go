package request

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddress returns the address that r came from. If that is a trusted
// proxy, it returns the rightmost address in X-Forwarded-For that is not a
// trusted proxy itself. It ignores the header of all other clients, so that no
// client can choose the address that its attempts are counted under. If
// r.RemoteAddr is not an address, the result is invalid.
func ClientAddress(r *http.Request, trusted []netip.Prefix) netip.Addr {
	addr, ok := parseAddress(r.RemoteAddr)
	if !ok || !contains(trusted, addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !contains(trusted, addr) {
			return addr
		}
		if strings.TrimSpace(hop) == "" { // "empty elements do not contribute", RFC 9110 section 5.6.1.2
			continue
		}
		next, ok := parseAddress(hop)
		if !ok {
			return addr
		}
		addr = next
	}
	return addr
}

// parseAddress reads an address as servers and proxies write it: with or
// without a port, an IPv6 address with or without brackets and zone, and all of
// it perhaps in quotation marks.
func parseAddress(text string) (netip.Addr, bool) {
	text = strings.Trim(text, " \t\"")
	withPort, err := netip.ParseAddrPort(text) // first: r.RemoteAddr has a port
	addr := withPort.Addr()
	if err != nil {
		addr, err = netip.ParseAddr(text)
	}
	if inner, bracketed := strings.CutPrefix(text, "["); err != nil && bracketed {
		if inner, bracketed = strings.CutSuffix(inner, "]"); bracketed {
			addr, err = netip.ParseAddr(inner)
		}
	}
	return addr.Unmap().WithZone(""), err == nil
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// AddressKey returns the key to count attempts from addr under: the address,
// or the /64 prefix of an IPv6 address, because one subscriber usually has all
// of a /64.
func AddressKey(addr netip.Addr) string {
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}
