package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/oauth2refresher"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/pgstore"
	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/store/redisstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/identity/worker"
	"b2trader.identity.auth/web"
)

// canary is the secret in each value of secretive. It has 32 bytes, as keys have.
const canary = "5ecret-in-a-value-of-32-bytes--x"

// secretive returns values of the exported types that can hold a secret, with
// the canary in each place for one.
func secretive(t *testing.T) map[string]any {
	t.Helper()
	keys := []records.Key{{ID: "id", Secret: []byte(canary)}}
	accounts := &oauth2.Token{AccessToken: canary, RefreshToken: canary}
	var state identity.State
	var pending identity.PendingSignIn
	for _, err := range []error{
		state.UnmarshalBinary([]byte(`{"v":1,"sub":"1","cookies":{"a":"` + canary + `"}}`)),
		pending.UnmarshalBinary([]byte(`{"v":1,"client":"spa","verifier":"` + canary + `"}`)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	config := identity.Config{URL: "https://identity.example", ClientID: "spa_admin", ClientSecret: tokenapi.NewSecret(canary)}
	oauth := &oauth2.Config{ClientID: "id", ClientSecret: canary, Endpoint: oauth2.Endpoint{TokenURL: "https://identity.example/token"}}
	client, memory := must(identity.New(config))(t), memstore.New()
	cache := must(records.Open(records.Config{Store: memory, Keys: keys}))(t)
	t.Cleanup(cache.Close)
	site := must(web.New(web.Config{Clients: []*identity.Client{client}, PublicURL: "http://127.0.0.1:1", Store: memory, Keys: keys}))(t)
	t.Cleanup(func() { _ = site.Close(context.WithoutCancel(t.Context())) })
	tokens := must(vault.New(vault.Config{Records: cache, Refreshers: map[string]vault.Refresher{"spa_admin": client}}))(t)
	t.Cleanup(func() { _ = tokens.Close(context.WithoutCancel(t.Context())) })
	return map[string]any{
		"identity.Client":                    client,
		"identity.Config":                    config,
		"identity.PendingSignIn":             pending,
		"identity.Session":                   identity.Session{Token: accounts, State: state},
		"identity.SignOutOption":             identity.WithState(state),
		"identity.State":                     state,
		"identity/b2core.Session":            b2core.Session{Token: accounts},
		"identity/oauth2refresher.Config":    oauth2refresher.Config{OAuth2: oauth},
		"identity/oauth2refresher.Refresher": must(oauth2refresher.New(oauth2refresher.Config{OAuth2: oauth}))(t),
		"identity/store/pgstore.Config":      pgstore.Config{URL: "postgres://app:" + canary + "@host/db", ListenURL: "password=" + canary},
		"identity/store/records.Cache":       cache,
		"identity/store/records.Config":      records.Config{Keys: keys},
		"identity/store/records.Key":         keys[0],
		"identity/store/records.Record":      records.Record[string]{ID: "id", Value: canary},
		"identity/store/records.Sealer":      must(records.NewSealer(keys))(t),
		"identity/store/redisstore.Config":   redisstore.Config{URL: "redis://:" + canary + "@host", SentinelPassword: canary},
		"identity/tokenapi.Secret":           tokenapi.NewSecret(canary),
		"identity/traderevolution.OTT":       traderevolution.OTT{Token: accounts},
		"identity/vault.Config":              vault.Config{Keys: keys},
		"identity/vault.Vault":               tokens,
		"identity/vault.Entry":               vault.Entry{Owner: "owner", Token: accounts.WithExtra(map[string]any{"id_token": canary}), State: []byte(canary)},
		"identity/worker.Config":             worker.Config{Keys: keys},
		"web.Config":                         web.Config{Keys: keys},
		"web.Server":                         site,
	}
}

// harmless are the other exported types with a field that sounds like a secret,
// each with the reason why it is none.
var harmless = map[string]string{
	"identity/b2binpay.CallbackConfig": "the password is behind a function",
	"identity/b2binpay.Config":         "URLs and paths",
	"identity/b2binpay.V3Config":       "URLs, and the secret is behind a function",
	"identity/b2binpay.V3Signature":    "the secret is behind a function",
	"identity/b2core.Config":           "URLs, and the bearer is behind a function",
	"identity/b2core.SessionConfig":    "URLs, paths and functions",
	"identity/b2core.SignIn":           "b2core.TestExportedSessionTypesHideSecrets prints one",
	"identity/store.Event":             "a hashed key",
	"identity/store.Record":            "sealed, under a hashed key",
	"identity/store/records.Kind":      "it holds functions, and records by pointers",
	"identity/tokenapi.Account":        "the password is behind a function",
	"identity/tokenapi.Error":          "redacted when it is made, see httpx.Redact",
	"identity/tokenapi.Exchange":       "redacted when it is made, see httpx.Redact",
	"identity/traderevolution.Config":  "URLs and paths",
	"identity/tradevest.Config":        "URLs, and the secret is behind a function",
	"identity/vault.Transport":         "the key names an entry of a vault of this process and opens nothing elsewhere",
	"web.Content":                      "what a page shows",
	"web.Session":                      "as vault.Transport",
	"web.Upstream":                     "names of headers",
}

// TestExportedTypesHideSecrets prints each exported type that can hold a secret.
// A new type must be added to one of the tables. field 30
func TestExportedTypesHideSecrets(t *testing.T) {
	t.Parallel()
	values := secretive(t)
	for name, v := range values {
		text := everySpelling(v)
		octets := strings.Trim(fmt.Sprintf("%d", []byte(canary)), "[]")
		for _, form := range []string{
			canary, base64.StdEncoding.EncodeToString([]byte(canary)), fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary),
			octets, strings.TrimPrefix(fmt.Sprintf("%#v", []byte(canary)), "[]byte"),
		} {
			if strings.Contains(text, form) {
				t.Errorf("a printed %s shows its secret as %s", name, form)
			}
		}
	}
	for _, found := range typesWithSecrets(t) {
		if _, is := values[found]; !is && harmless[found] == "" {
			t.Errorf("%s may hold a secret: add it to secretive, or to harmless with the reason", found)
		}
	}
}

// everySpelling returns v, alone and within others, as fmt, slog and JSON print
// it.
func everySpelling(v any) string {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, outer := range []any{v, []any{v}, map[string]any{"k": v}, struct{ V any }{v}, &struct{ V any }{v}} {
			fmt.Fprintf(&b, verb+"\n", outer)
		}
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("m", "v", v, "in", struct{ V any }{v}, "list", []any{v})
	}
	for _, outer := range []any{v, []any{v}} {
		if raw, err := json.Marshal(outer); err == nil {
			b.Write(raw)
		}
	}
	return b.String()
}

var soundsSecret = regexp.MustCompile(`(?i)token|secret|password|key|code|state|cookie|verifier|bearer|signature|credential|url|login|value|body|header|oauth`)

// noSecrets are types of fields without a secret.
var noSecrets = []string{"time.Duration", "bool", "int", "time.Time"}

// typesWithSecrets returns the exported structs of the packages for import, with
// a field that sounds like a secret. Those of test servers, whose secrets are
// public, are left out.
func typesWithSecrets(t *testing.T) (found []string) {
	t.Helper()
	err := filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != repository && (strings.HasSuffix(name, "test") || strings.HasPrefix(name, ".") ||
			slices.Contains([]string{"internal", "cmd", "e2e", "templates", "static", "docs"}, name)):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(repository, filepath.Dir(path))
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.TypeSpec)
			if ok && s.Name.IsExported() && mayHoldASecret(s.Type) {
				found = append(found, filepath.ToSlash(folder)+"."+s.Name.Name)
			}
			return !ok
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

func mayHoldASecret(t ast.Expr) bool {
	s, ok := t.(*ast.StructType)
	if !ok {
		return false
	}
	return slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool {
		kind := types.ExprString(f.Type)
		return !strings.HasPrefix(kind, "func") && !slices.Contains(noSecrets, kind) &&
			slices.ContainsFunc(f.Names, func(n *ast.Ident) bool { return soundsSecret.MatchString(n.Name) })
	})
}
