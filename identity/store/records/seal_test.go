package records_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
)

func newSealer(t testing.TB, keys ...records.Key) *records.Sealer {
	t.Helper()
	s, err := records.NewSealer(keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// req 73, 81: a sealed value opens at its place only, with any of the keys, and
// unchanged in every byte. I9
func TestSealer(t *testing.T) {
	old, current := records.NewKey("old"), records.NewKey("current")
	sealed := newSealer(t, old).Seal("here", []byte("plain text"))
	if bytes.Contains(sealed, []byte("plain")) {
		t.Errorf("Seal = %q, which shows the text", sealed)
	}
	if got, err := newSealer(t, current, old).Open("here", sealed); err != nil || string(got) != "plain text" {
		t.Errorf("Open after a rotation = %q, %v, want the text", got, err)
	}
	if _, err := newSealer(t, current).Open("here", sealed); !errors.Is(err, records.ErrUnreadable) {
		t.Errorf("Open without the key = %v, want ErrUnreadable", err)
	}
	s := newSealer(t, old)
	if _, err := s.Open("there", sealed); !errors.Is(err, records.ErrUnreadable) {
		t.Errorf("Open at another place = %v, want ErrUnreadable", err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := s.Open("here", changed); !errors.Is(err, records.ErrUnreadable) {
			t.Errorf("Open with byte %d changed = %v, want ErrUnreadable", i, err)
		}
	}
}

// Each record has a key of its own, so that no key seals too often, and a record
// that an earlier version sealed by the Key itself still opens.
//
// field 31
func TestSealingKeys(t *testing.T) {
	key := records.NewKey("a")
	block, err := aes.NewCipher(key.Secret)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	s := newSealer(t, key)
	earlier := whole.Seal([]byte("\x01\x01a"), nil, []byte("text"), []byte("here\x01\x01a"))
	if got, err := s.Open("here", earlier); err != nil || string(got) != "text" {
		t.Errorf("Open of an earlier version's record = %q, %v, want the text", got, err)
	}
	sealed := s.Seal("here", []byte("text"))
	if head := sealed[:3]; string(head) != "\x02\x01a" {
		t.Errorf("Seal begins with %x, want version 2 and the key's ID", head)
	}
	if _, err := whole.Open(nil, nil, sealed[3:], append([]byte("here"), sealed[:3]...)); err == nil {
		t.Error("the Key itself opens what Seal returns, want a key of the record")
	}
}

func FuzzOpen(f *testing.F) {
	s := newSealer(f, records.Key{ID: "a", Secret: bytes.Repeat([]byte{7}, 32)})
	for _, seed := range [][]byte{nil, {1}, {1, 255}, {1, 1, 'a'}, {2, 1, 'a', 0}, s.Seal("elsewhere", []byte("x"))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if plain, err := s.Open("here", sealed); err == nil || plain != nil {
			t.Errorf("Open(%x) = %q, %v, want ErrUnreadable", sealed, plain, err)
		}
	})
}

func TestKeysAreChecked(t *testing.T) {
	good := records.NewKey("a")
	for name, keys := range map[string][]records.Key{
		"none":    {},
		"short":   {{ID: "a", Secret: make([]byte, 16)}},
		"unnamed": {{Secret: good.Secret}},
		"twice":   {good, good},
	} {
		if _, err := records.NewSealer(keys); err == nil {
			t.Errorf("NewSealer(%s) = nil, want an error", name)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(verb, good); got != "Key(a)" {
			t.Errorf("%s prints %q, want Key(a)", verb, got)
		}
	}
}

// Whatever is derived from a key is another key, and the same in each process.
func TestDerivedKeys(t *testing.T) {
	k := records.Key{ID: "a", Secret: bytes.Repeat([]byte{7}, 32)}
	one, two := k.Derive("one"), k.Derive("two")
	if bytes.Equal(one, two) || bytes.Equal(one, k.Secret) || bytes.Equal(one, records.NewKey("a").Derive("one")) {
		t.Error("Derive returns one key for two purposes, or the key itself")
	}
	if got := hex.EncodeToString(one[:8]); got != "ff21ed6f978c1380" {
		t.Errorf("Derive = %s, want that of the last version", got)
	}
}

// An update of this program must find what the last version stored.
func TestPlacesAndFormStayTheSame(t *testing.T) {
	c, err := records.Open(records.Config{Store: memstore.New(), Keys: []records.Key{testKey}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	k := records.NewKind(c, "session:", records.JSON[string]())
	const hash = "LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM"
	if got := k.ID("key"); got != "session:"+hash {
		t.Errorf("ID = %q, want %q", got, "session:"+hash)
	}
	owners := k.Owners("key")
	if len(owners) != 2 || owners[0] != k.Owner("key") || owners[1] != "session:"+hash || k.Owner("") != "" || k.Owners("") != nil {
		t.Errorf("Owners = %q, want %q and, of version 0.1.0, the hash of the ID; and none for none", owners, k.Owner("key"))
	}
	if got := k.KeyedIDs("key"); len(got) != 2 || string(got[0]) != string(owners[0]) || string(got[1]) != string(owners[1]) {
		t.Errorf("KeyedIDs = %q, want %q", got, owners)
	}
	sealed := newSealer(t, records.NewKey("id")).Seal("p", nil)
	if !strings.HasPrefix(string(sealed), "\x02\x02id") || len(sealed) != 4+12+16 {
		t.Errorf("Seal = %x, want version 2, the key's ID, 12 bytes of nonce and 16 of tag", sealed)
	}
}
