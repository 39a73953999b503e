// Package static serves the style sheets, the script and the icons of the web
// application. Each file has a name with a hash of its content, so that
// browsers may keep it for a year, and load a new build at once. [New] does the same for
// the files of a host application.
package static

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// Prefix is the path that Handler serves under.
const Prefix = "/static/"

//go:embed base.css app.css forms.css sessions.css app.js favicon.svg icon-180.png
var files embed.FS

// Files is a set of files with hashed names below one path. It is an
// http.Handler for that path.
type Files struct {
	urls   map[string]string // by name
	assets map[string]asset  // by URL
}

// asset is one file as it is served.
type asset struct {
	content     []byte
	contentType string
}

var own = Must(New(Prefix, files))

// Must panics if the files that are embedded in a program cannot be served.
func Must(f *Files, err error) *Files {
	if err != nil {
		panic(err) // a fault of the build, found when any test of this package starts
	}
	return f
}

// New returns the files at the root of dir, to be served below prefix, which
// begins and ends with a slash. It reads them at once.
//
// Errors: a file cannot be read, or is not a .css, .js, .svg or .png file.
func New(prefix string, dir fs.FS) (*Files, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fmt.Errorf("static: %w", err)
	}
	content := map[string][]byte{}
	for _, e := range entries {
		if content[e.Name()], err = fs.ReadFile(dir, e.Name()); err != nil {
			return nil, fmt.Errorf("static: %w", err)
		}
	}
	return Named(prefix, content)
}

// Named is [New] for files by name.
func Named(prefix string, content map[string][]byte) (*Files, error) {
	f := &Files{urls: map[string]string{}, assets: map[string]asset{}}
	for name, bytes := range content {
		kind := contentTypes[path.Ext(name)]
		if kind == "" {
			return nil, fmt.Errorf("static: the type of %s is unknown", name)
		}
		url := prefix + hashedName(name, bytes)
		f.urls[name] = url
		f.assets[url] = asset{bytes, kind}
	}
	return f, nil
}

// hashedName puts the first 64 bits of content's SHA-256 before name's
// extension.
func hashedName(name string, content []byte) string {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext
}

// contentTypes are stated here, because package mime depends on the machine.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",
}

// svgPolicy lets a picture have styles and nothing else, also if a browser opens
// it as a page: no script, no fetch, no access to the site's origin.
const svgPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

// URL returns the path of one of the site's own files, as pages refer to it:
// "app.css" is "/static/app.<hash>.css". It returns "" for an unknown name.
func URL(name string) string { return own.URL(name) }

// Handler serves the site's own files under Prefix.
func Handler() http.Handler { return own }

// URL returns the path of the file called name, or "" if there is none.
func (f *Files) URL(name string) string { return f.urls[name] }

// ServeHTTP answers GET and HEAD with a file that browsers may keep for a year.
// Any other path is 404, without a header that would let a cache keep that
// answer.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, ok := f.assets[r.URL.Path]
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
	if a.contentType == contentTypes[".svg"] {
		h.Set("Content-Security-Policy", svgPolicy)
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content))
}
