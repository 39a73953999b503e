package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"b2trader.identity.auth/identity/vault"
)

const (
	knownBrowserLife = 90 * 24 * time.Hour
	maxKnownAccounts = 4 // in one browser; a further one replaces the oldest
)

// knownBrowsers recognises browsers that have signed in to an account before, by
// a cookie. The cookie opens nothing: it only exempts the browser from limits
// that others can use up. It has one mark for each account, which shows neither
// the account nor its user.
type knownBrowsers struct {
	keys   [][]byte // one for each sealing key; the first makes marks, all verify
	cookie lastingCookie
	now    func() time.Time
}

// A mark is random bytes, the end of its life, and a MAC of both and the account.
const (
	markRandom = 16
	markEnd    = markRandom + 8
	markSize   = markEnd + sha256.Size/2
)

func newKnownBrowsers(keys []vault.Key, secure bool, now func() time.Time) *knownBrowsers {
	b := &knownBrowsers{cookie: lastingCookie{"b2trader-known", knownBrowserLife, secure}, now: now}
	for _, k := range keys {
		b.keys = append(b.keys, k.Derive("b2trader web: browsers that have signed in before"))
	}
	return b
}

// Of returns the mark of the browser for an account, or "" if it has none. Each
// mark is a key for limits.
func (b *knownBrowsers) Of(r *http.Request, email string) string {
	for _, mark := range b.marks(r) {
		if b.verify(mark, email) {
			return string(mark[:markRandom])
		}
	}
	return ""
}

// Remember marks the browser as one that has signed in to an account.
func (b *knownBrowsers) Remember(w http.ResponseWriter, r *http.Request, email string) {
	mark := make([]byte, markRandom, markSize)
	_, _ = rand.Read(mark)                                                                   // never fails
	mark = binary.BigEndian.AppendUint64(mark, uint64(b.now().Add(knownBrowserLife).Unix())) //nolint:gosec // after 1970
	texts := []string{encodeMark(append(mark, b.mac(b.keys[0], mark, email)...))}
	for _, old := range b.marks(r) {
		if len(texts) < maxKnownAccounts && !b.verify(old, email) {
			texts = append(texts, encodeMark(old))
		}
	}
	b.cookie.Set(w, strings.Join(texts, "."))
}

// marks returns the marks of the browser's cookie, not verified.
func (b *knownBrowsers) marks(r *http.Request) (marks [][]byte) {
	for _, text := range strings.SplitN(b.cookie.Of(r), ".", maxKnownAccounts+1) {
		if mark, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(mark) == markSize {
			marks = append(marks, mark)
		}
	}
	return marks
}

func (b *knownBrowsers) verify(mark []byte, email string) bool {
	end := binary.BigEndian.Uint64(mark[markRandom:])
	for _, key := range b.keys {
		if hmac.Equal(mark[markEnd:], b.mac(key, mark[:markEnd], email)) {
			return uint64(b.now().Unix()) < end //nolint:gosec // after 1970
		}
	}
	return false
}

func (*knownBrowsers) mac(key, mark []byte, email string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(mark)
	mac.Write([]byte(normalEmail(email)))
	return mac.Sum(nil)[:markSize-markEnd]
}

func encodeMark(mark []byte) string { return base64.RawURLEncoding.EncodeToString(mark) }
