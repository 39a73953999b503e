// Package static holds the style sheets, the script and the icons of the web application,
// served under names that carry a hash of their content, so that browsers may keep them for
// good and a new build is seen at once.
package static

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"time"
)

// Prefix is the path that Handler serves under.
const Prefix = "/static/"

//go:embed base.css app.css flow.css sessions.css platforms.css app.js favicon.svg icon-180.png
var files embed.FS

// asset is one file as it is served.
type asset struct {
	content     []byte
	contentType string
}

var urls, assets = build(files)

// build reads the embedded files. It panics if one cannot be read or has no known type:
// that is a fault of the build, found when any test of this package starts.
func build(fs embed.FS) (map[string]string, map[string]asset) {
	entries, err := fs.ReadDir(".")
	if err != nil {
		panic("static: " + err.Error())
	}
	urls, assets := map[string]string{}, map[string]asset{}
	for _, e := range entries {
		content, err := fs.ReadFile(e.Name())
		if err != nil {
			panic("static: " + err.Error())
		}
		url := Prefix + hashedName(e.Name(), content)
		urls[e.Name()] = url
		assets[url] = asset{content, contentType(e.Name())}
	}
	return urls, assets
}

// hashedName puts the first 64 bits of content's SHA-256 before name's extension.
func hashedName(name string, content []byte) string {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext
}

// contentType names the types itself, because mime's table depends on the machine.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	default:
		panic("static: no content type for " + ext)
	}
}

// URL is the path of the file called name, as pages refer to it: "app.css" is
// "/static/app.<hash>.css". A name that does not exist gives "".
func URL(name string) string { return urls[name] }

// Handler serves the files under Prefix, to GET and HEAD, for browsers to keep for a year.
// Any other path is 404, without a header that would let a cache keep that answer.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.contentType)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content))
	})
}
