package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// A Key seals records at rest. ID names it in what it sealed, so that several can be in use while one replaces another.
type Key struct {
	ID     string // 1 to 255 bytes, not secret
	Secret []byte // 32 random bytes
}

// Format prints the ID alone.
func (k Key) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "vault.Key(%s)", k.ID) }

// NewKey returns a random key.
func NewKey(id string) Key {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return Key{ID: id, Secret: secret}
}

// A Sealer seals with the first of its keys and opens with any. A Vault has one of its own; others are for what else
// is kept in the same store.
type Sealer struct {
	first string
	keys  map[string]cipher.AEAD
}

// NewSealer returns a Sealer, or every problem of the keys at once.
func NewSealer(keys []Key) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("vault: there are no keys to seal with")
	}
	return newSealer(keys)
}

func newSealer(keys []Key) (*Sealer, error) {
	s := &Sealer{keys: map[string]cipher.AEAD{}}
	var problems []error
	for i, k := range keys {
		block, err := aes.NewCipher(k.Secret)
		switch {
		case len(k.ID) < 1 || len(k.ID) > 255:
			problems = append(problems, fmt.Errorf("vault: Config.Keys[%d]: the ID must have 1 to 255 bytes", i))
		case s.keys[k.ID] != nil:
			problems = append(problems, fmt.Errorf("vault: Config.Keys[%d]: %q is there twice", i, k.ID))
		case err != nil || len(k.Secret) != 32:
			problems = append(problems, fmt.Errorf("vault: Config.Keys[%d]: the secret must have 32 bytes", i))
		default:
			// AES-256-GCM with random nonces (NIST SP 800-38D section 8.2.2); RandomNonce brings its own.
			if s.keys[k.ID], err = cipher.NewGCMWithRandomNonce(block); err != nil {
				problems = append(problems, fmt.Errorf("vault: Config.Keys[%d]: %w", i, err))
			}
		}
	}
	if len(keys) > 0 {
		s.first = keys[0].ID
	}
	return s, errors.Join(problems...)
}

// envelope is the version of the form: version, length of the key's ID, ID, nonce and ciphertext.
const envelope = 1

// errSealed says nothing about why, which an attacker could use.
var errSealed = errors.New("vault: the stored record cannot be opened with the configured keys")

// Seal binds plain to place, so that a record moved to another key of the store does not open.
func (s *Sealer) Seal(place string, plain []byte) []byte {
	head := append([]byte{envelope, byte(len(s.first))}, s.first...) //nolint:gosec // newSealer allows 255
	//nolint:gosec // a nil nonce is what RandomNonce asks for
	return s.keys[s.first].Seal(head, nil, plain, append([]byte(place), head...))
}

// Open returns what Seal was given. Its error does not say why it cannot.
func (s *Sealer) Open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) < 2 || sealed[0] != envelope || len(sealed) < 2+int(sealed[1]) {
		return nil, errSealed
	}
	head := sealed[:2+int(sealed[1])]
	key := s.keys[string(head[2:])]
	if key == nil {
		return nil, errSealed
	}
	plain, err := key.Open(nil, nil, sealed[len(head):], append([]byte(place), head...))
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}
