package records

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"b2trader.identity.auth/identity/internal/checkconfig"
)

// A Key seals records at rest. Sealed records name the ID of their key, so that
// an old key still opens them while a new one replaces it.
type Key struct {
	ID     string // 1 to 255 bytes, not secret
	Secret []byte // 32 random bytes
}

// NewKey returns a random key.
func NewKey(id string) Key {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return Key{ID: id, Secret: secret}
}

// Derive returns a key of 32 bytes for another purpose, from which the Secret and
// the keys of other purposes cannot be computed (RFC 5869).
func (k Key) Derive(purpose string) []byte {
	derived, err := hkdf.Key(sha256.New, k.Secret, nil, purpose, sha256.Size)
	if err != nil { // only for a longer key than SHA-256 allows
		panic(err)
	}
	return derived
}

// A Sealer seals with the first of its keys and opens with any of them.
type Sealer struct {
	first string
	keys  map[string]sealingKey
}

// A sealingKey is a Key with the cipher that envelopeOfKey uses.
type sealingKey struct {
	Key

	whole cipher.AEAD
}

// NewSealer returns a Sealer.
//
// Errors: every problem of the keys, joined, each a *tokenapi.FieldError.
func NewSealer(keys []Key) (*Sealer, error) {
	var p checkconfig.Problems
	s := newSealer(&p, keys)
	return s, p.Err()
}

func newSealer(p *checkconfig.Problems, keys []Key) *Sealer {
	s := &Sealer{keys: map[string]sealingKey{}}
	p.Missing("Keys", len(keys) == 0)
	for i, k := range keys {
		s.first = keys[0].ID
		p.Check(fmt.Sprintf("Keys[%d]", i), s.add(k))
	}
	return s
}

func (s *Sealer) add(k Key) error {
	switch {
	case len(k.ID) < 1 || len(k.ID) > 255:
		return fmt.Errorf("has an ID of %d bytes, want 1 to 255", len(k.ID))
	case len(k.Secret) != 32:
		return fmt.Errorf("has a secret of %d bytes, want 32", len(k.Secret))
	case s.keys[k.ID].whole != nil:
		return fmt.Errorf("has the ID %q of another key", k.ID)
	}
	s.keys[k.ID] = sealingKey{k, newAEAD(k.Secret)}
	return nil
}

// newAEAD returns AES-256-GCM with random nonces (NIST SP 800-38D section
// 8.2.2) for a key of 32 bytes. The cipher puts the nonce before the ciphertext.
func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil { // only for a key of another length
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil { // only for another block size
		panic(err)
	}
	return aead
}

// The first byte of what is sealed says by which key. After it come the length
// of the Key's ID, the ID, and the nonce and ciphertext.
const (
	envelopeOfKey    = 1 // by the Key itself, in earlier versions
	envelopeOfRecord = 2 // by a key derived from the Key and the record's place
	envelopeRestored = 3 // as envelopeOfRecord, of a version that the store had forgotten
)

// at returns the cipher of a record. At most 2^32 seals with random nonces are
// safe under one key (NIST SP 800-38D section 8.3): busy sites make as many in
// weeks, but no record is written as often in its life.
func (k sealingKey) at(place string) cipher.AEAD { return newAEAD(k.Derive("record at " + place)) }

// Seal encrypts plain and binds it to place, the record's key in the store: it
// does not open at another place.
func (s *Sealer) Seal(place string, plain []byte) []byte {
	return s.seal(envelopeOfRecord, place, plain)
}

func (s *Sealer) seal(envelope byte, place string, plain []byte) []byte {
	head := append([]byte{envelope, byte(len(s.first))}, s.first...) //nolint:gosec // NewSealer allows 255
	//nolint:gosec // this cipher wants a nil nonce
	return s.keys[s.first].at(place).Seal(head, nil, plain, append([]byte(place), head...))
}

// Open returns what was sealed at place.
//
// Errors: ErrUnreadable.
func (s *Sealer) Open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) < 2 || len(sealed) < 2+int(sealed[1]) {
		return nil, ErrUnreadable
	}
	head := sealed[:2+int(sealed[1])]
	key, known := s.keys[string(head[2:])]
	if !known {
		return nil, ErrUnreadable
	}
	var aead cipher.AEAD
	switch sealed[0] {
	case envelopeOfKey:
		aead = key.whole
	case envelopeOfRecord, envelopeRestored:
		aead = key.at(place)
	default:
		return nil, ErrUnreadable
	}
	plain, err := aead.Open(nil, nil, sealed[len(head):], append([]byte(place), head...))
	if err != nil {
		return nil, ErrUnreadable
	}
	return plain, nil
}
