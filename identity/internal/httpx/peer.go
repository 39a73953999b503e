package httpx

import (
	"net/url"
	"strings"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/tokenapi"
)

// A Peer is one server as one client sees it.
type Peer struct {
	System string // the client's package, for errors
	HTTP   tokenapi.HTTP
	Base   *url.URL // without a trailing slash
	Clock  *Clock   // learns from the peer's answers; nil: none
}

// ParsePeer returns the peer at the URL of Config.URL, with the defaults of h.
// It reports what is wrong with either to p, whose Package becomes the System.
func ParsePeer(p *checkconfig.Problems, rawURL string, h tokenapi.HTTP) Peer {
	p.Negative("HTTP.Timeout", h.Timeout < 0)
	base := p.URL("URL", strings.TrimRight(rawURL, "/"), h.InsecureAllowHTTP)
	return Peer{System: p.Package, HTTP: h.WithDefaults(), Base: base}
}

// Patient returns p for requests that may use up a token that works once: they
// have at least tokenapi.RefreshTimeout.
func (p Peer) Patient() Peer {
	p.HTTP.Timeout = max(p.HTTP.Timeout, tokenapi.RefreshTimeout)
	return p
}

// URL appends path, which begins with a slash, to the peer's URL. The URL's own
// path stays, because a server may live below a prefix.
func (p Peer) URL(path string) string { return p.Base.String() + path }
