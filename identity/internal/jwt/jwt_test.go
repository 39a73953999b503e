package jwt_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"b2trader.identity.auth/identity/internal/jwt"
)

var algorithms = []string{"RS256", "ES256", "EdDSA", "Ed25519"}

// rsaKey returns the same key in all tests, because making one is slow.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// sign returns a token without claims and with the given header members.
func sign(t *testing.T, algorithm jose.SignatureAlgorithm, private any, header map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: private}, options)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	return must(jws.CompactSerialize())
}

// field 54, 55, 57, 58
func TestParse(t *testing.T) {
	const rs256 = `{"alg":"RS256","typ":"JWT"}`
	token := func(header, claims string) string {
		return encode(header) + "." + encode(claims) + "." + encode("signature")
	}
	for _, c := range []struct {
		name, raw string
		ok        bool
	}{
		{"plain", token(rs256, `{"sub":"u"}`), true},
		{"an unknown claim and header", token(`{"alg":"RS256","x":[1]}`, `{"sub":"u","x":{"Sub":1}}`), true},
		{"b64 true", token(`{"alg":"RS256","b64":true}`, `{}`), true},
		{"white space between parts", token(rs256, `{}`) + " ", false},
		{"a line break", strings.Replace(token(rs256, `{"sub":"u"}`), ".", ".\n", 1), false},
		{"padding", encode(rs256) + "=." + encode(`{}`) + "." + encode("s"), false},
		{"trailing bits", encode(rs256) + "." + encode(`{}`) + ".AB", false},
		{"two parts", encode(rs256) + "." + encode(`{}`), false},
		{"JSON serialization", `{"payload":"e30","signatures":[]}`, false},
		{"b64 false", token(`{"alg":"RS256","b64":false,"crit":["b64"]}`, `{}`), false},
		{"b64 false without crit", token(`{"alg":"RS256","b64":false}`, `{}`), false},
		{"empty crit", token(`{"alg":"RS256","crit":[]}`, `{}`), false},
		{"null crit", token(`{"alg":"RS256","crit":null}`, `{}`), false},
		{"crit that names an absent header", token(`{"alg":"RS256","crit":["exp"]}`, `{}`), false},
		{"alg none", token(`{"alg":"none"}`, `{}`), false},
		{"alg in another case", token(`{"alg":"rs256"}`, `{}`), false},
		{"a header member twice", token(`{"alg":"RS256","alg":"none"}`, `{}`), false},
		{"ALG alone", token(`{"ALG":"RS256"}`, `{}`), false},
		{"a claim twice", token(rs256, `{"sub":"u","sub":"v"}`), false},
		{"a nested name twice", token(rs256, `{"x":{"a":1,"a":2}}`), false},
		{"Sub beside sub", token(rs256, `{"sub":"u","Sub":"v"}`), false},
		{"SUB alone", token(rs256, `{"SUB":"v"}`), false},
		{"NONCE alone", token(rs256, `{"NONCE":"v"}`), false},
		{"invalid UTF-8", token(rs256, "{\"sub\":\"\xff\"}"), false},
		{"claims that are no object", token(rs256, `[]`), false},
		{"null claims", token(rs256, `null`), false},
		{"empty", "", false},
	} {
		if _, err := jwt.Parse(c.raw, algorithms); (err == nil) != c.ok {
			t.Errorf("Parse of %s = %v, want success %t", c.name, err, c.ok)
		}
	}
	if _, err := jwt.Parse("a.b.c.d.e", algorithms); !errors.Is(err, jwt.ErrEncrypted) {
		t.Errorf("Parse of five parts = %v, want ErrEncrypted", err)
	}
	long := strings.Repeat("A", 1000)
	_, err := jwt.Parse(token(`{"alg":"`+long+`"}`, `{}`), algorithms)
	if wrong, ok := errors.AsType[*jwt.AlgorithmError](err); !ok || len(wrong.Error()) > 200 {
		t.Errorf("Parse with an algorithm of 1,000 bytes = %v, want an *AlgorithmError of at most 200 bytes", err)
	}
	for in, want := range map[string]string{"JWT": "jwt", "application/jwt": "jwt", "Application/Logout+JWT": "logout+jwt", "": ""} {
		got, err := jwt.Parse(token(`{"alg":"RS256","typ":"`+in+`"}`, `{}`), algorithms)
		if err != nil || got.Type != want {
			t.Errorf("Parse(typ=%q) = %+v, %v, want type %q", in, got, err, want)
		}
	}
}

// field 52
func TestNumericDate(t *testing.T) {
	for in, want := range map[string]bool{
		`0`: true, `1700000000`: true, `1.7e9`: true, `1700000000.5`: true, `253402300799`: true,
		`-1`: false, `253402300800`: false, `9223372036854775807`: false, `1e19`: false, `1e300`: false, `1e999`: false,
		`"1700000000"`: false, `null`: false, `true`: false, `{}`: false,
	} {
		var got struct {
			At jwt.NumericDate `json:"at"`
		}
		if err := json.Unmarshal([]byte(`{"at":`+in+`}`), &got); (err == nil) != want {
			t.Errorf("NumericDate of %s = %v, want success %t", in, err, want)
		}
	}
}

// jwk returns the public key of private as an entry of a key set, with members
// replaced.
func jwk(t *testing.T, private any, more map[string]any) json.RawMessage {
	t.Helper()
	public := jose.JSONWebKey{Key: private}
	public = public.Public()
	raw, err := public.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]any{}
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range more {
		if members[name] = value; value == nil {
			delete(members, name)
		}
	}
	return must(json.Marshal(members))
}

func document(entries ...json.RawMessage) []byte {
	list := []byte(`{"keys":[`)
	for i, entry := range entries { // as they are, also if they are malformed
		if list = append(list, entry...); i < len(entries)-1 {
			list = append(list, ',')
		}
	}
	return append(list, "]}"...)
}

// field 6, 10, 58
func TestKeysThatVerify(t *testing.T) {
	elliptic256, elliptic384 := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	short := must(rsa.GenerateKey(rand.Reader, 1024))
	good := jwk(t, rsaKey(), nil)
	byRSA := sign(t, jose.RS256, rsaKey(), nil)
	byEdwards := sign(t, jose.EdDSA, edwards, nil)
	for _, c := range []struct {
		name, token string
		entries     []json.RawMessage
		ok          bool
	}{
		{"one key", byRSA, []json.RawMessage{good}, true},
		{"null beside it", byRSA, []json.RawMessage{[]byte(`null`), good}, true},
		{"a key without n beside it", byRSA, []json.RawMessage{jwk(t, rsaKey(), map[string]any{"n": nil}), good}, true},
		{"an unreadable certificate beside it", byRSA, []json.RawMessage{jwk(t, rsaKey(), map[string]any{"x5c": []string{"AAAA"}}), good}, true},
		{"an unknown type beside it", byRSA, []json.RawMessage{[]byte(`{"kty":"new"}`), []byte(`7`), good}, true},
		{"a key with a name twice beside it", byRSA, []json.RawMessage{[]byte(`{"kty":"RSA","kid":"a","kid":"b"}`), good}, true},
		{"a key with invalid UTF-8 beside it", byRSA, []json.RawMessage{[]byte("{\"kty\":\"\xff\"}"), good}, true},
		{"keys of odd types beside it", byRSA, []json.RawMessage{[]byte(`[]`), []byte(`"k"`), []byte(`{"kty":"RSA","n":5,"e":{}}`), []byte(`{"kty":"RSA","kid":7,"n":"","e":""}`), good}, true},
		{"a key that is no point of its curve beside it", byRSA, []json.RawMessage{jwk(t, elliptic256, map[string]any{"x": "AA"}), good}, true},
		{"an encryption key with key_ops as a text beside it", byRSA, []json.RawMessage{jwk(t, rsaKey(), map[string]any{"key_ops": "wrapKey"}), good}, true},
		{"for encryption", byRSA, []json.RawMessage{jwk(t, rsaKey(), map[string]any{"use": "enc"})}, false},
		{"for another algorithm", byRSA, []json.RawMessage{jwk(t, rsaKey(), map[string]any{"alg": "PS256"})}, false},
		{"for its algorithm", byRSA, []json.RawMessage{jwk(t, rsaKey(), map[string]any{"alg": "RS256", "use": "sig", "key_ops": []string{"verify"}})}, true},
		{"for signing", byRSA, []json.RawMessage{jwk(t, rsaKey(), map[string]any{"key_ops": []string{"encrypt"}})}, false},
		{"a short RSA key", sign(t, jose.RS256, short, nil), []json.RawMessage{jwk(t, short, nil)}, false},
		{"a symmetric key", sign(t, jose.HS256, make([]byte, 32), nil), []json.RawMessage{[]byte(`{"kty":"oct","k":"` + encode(string(make([]byte, 32))) + `"}`)}, false},
		{"ES256", sign(t, jose.ES256, elliptic256, nil), []json.RawMessage{jwk(t, elliptic256, nil)}, true},
		{"ES256 with a key of another curve", sign(t, jose.ES256, elliptic256, nil), []json.RawMessage{jwk(t, elliptic384, nil)}, false},
		{"EdDSA", byEdwards, []json.RawMessage{jwk(t, edwards, nil)}, true},
		{"EdDSA with a key for Ed25519", byEdwards, []json.RawMessage{jwk(t, edwards, map[string]any{"alg": "Ed25519"})}, true},
		{"Ed25519", signEd25519(edwards), []json.RawMessage{jwk(t, edwards, nil)}, true},
		{"Ed25519 by another key", signEd25519(ed25519.NewKeyFromSeed(make([]byte, 32))), []json.RawMessage{jwk(t, edwards, nil)}, false},
	} {
		token, err := jwt.Parse(c.token, append([]string{"HS256"}, algorithms...))
		if err != nil {
			t.Fatalf("Parse for %s: %v", c.name, err)
		}
		s := &jwt.KeySet{Fetch: func(bool) ([]byte, error) { return document(c.entries...), nil }, Now: now}
		if err := s.Verify(t.Context(), token, jwt.ForIDToken); (err == nil) != c.ok {
			t.Errorf("Verify with %s = %v, want success %t", c.name, err, c.ok)
		}
	}
}

// signEd25519 signs by the algorithm's name of RFC 9864.
func signEd25519(private ed25519.PrivateKey) string {
	signed := encode(`{"alg":"Ed25519"}`) + "." + encode(`{}`)
	return signed + "." + encode(string(ed25519.Sign(private, []byte(signed))))
}
