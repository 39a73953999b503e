package identitytest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"b2trader.identity.auth/identity/apitest"
)

// signingKey is one RSA key of the server.
type signingKey struct {
	private *rsa.PrivateKey
	id      string // empty unless Config.KeyID
}

// firstKey is the first key of every server of this process: a key per server
// would cost each test a tenth of a second. RotateKeys gives a server its own.
var firstKey = sync.OnceValue(newRSAKey)

// foreignKey signs tokens that must not verify. It is never published.
var foreignKey = sync.OnceValue(newRSAKey)

func newRSAKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("identitytest: making a key: " + err.Error())
	}
	return key
}

// keyring has the published keys, the current one first. Its zero value is
// ready to use.
type keyring struct {
	named bool // keys have an id

	mu   sync.RWMutex
	keys []signingKey
}

func (k *keyring) all() []signingKey {
	k.mu.RLock()
	keys := k.keys
	k.mu.RUnlock()
	if keys != nil {
		return keys
	}
	first := k.name(firstKey())
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil {
		k.keys = []signingKey{first}
	}
	return k.keys
}

func (k *keyring) name(private *rsa.PrivateKey) signingKey {
	key := signingKey{private: private}
	if k.named {
		key.id = apitest.RandomHex(16)
	}
	return key
}

func (k *keyring) current() signingKey { return k.all()[0] }

func (k *keyring) rotate() {
	k.all() // so that there is an old key
	key := k.name(newRSAKey())
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = append([]signingKey{key}, k.keys...)
}

func (k *keyring) dropOld() {
	k.all() // so that there is a current key
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = k.keys[:1:1]
}

// verify returns the payload of a token that one of the published keys signed.
func (k *keyring) verify(raw string) ([]byte, bool) {
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, false
	}
	for _, key := range k.all() {
		if payload, err := signed.Verify(&key.private.PublicKey); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// sign returns a token signed by the current key.
func (k *keyring) sign(payload []byte) string { return k.signTyped("JWT", payload) }

// signTyped is sign for a token with another typ.
func (k *keyring) signTyped(typ jose.ContentType, payload []byte) string {
	key := k.current()
	options := new(jose.SignerOptions).WithType(typ)
	return signJWT(jose.RS256, jose.JSONWebKey{Key: key.private, KeyID: key.id}, payload, options)
}

// signJWT returns a signed token. It panics on a key of the wrong type for the
// algorithm. Nil options mean the typ JWT.
func signJWT(alg jose.SignatureAlgorithm, key any, payload []byte, options *jose.SignerOptions) string {
	if options == nil {
		options = new(jose.SignerOptions).WithType("JWT")
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		panic("identitytest: " + err.Error())
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		panic("identitytest: " + err.Error())
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		panic("identitytest: " + err.Error())
	}
	return token
}

// jwk returns the public key as JSON, with the members in IdentityServer's
// order.
func (key signingKey) jwk() apitest.Object {
	o := apitest.Object{{"kty", "RSA"}, {"use", "sig"}}
	if key.id != "" {
		o.Add("kid", key.id)
	}
	public := key.private.PublicKey
	o.Add("e", base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()))
	o.Add("n", base64.RawURLEncoding.EncodeToString(public.N.Bytes()))
	o.Add("alg", "RS256")
	return o
}
