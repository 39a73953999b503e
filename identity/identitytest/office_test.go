package identitytest_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

const (
	accountPath = "/frontoffice/api/v3/account"
	ordersPath  = "/frontoffice/api/v3/orders"
	usersPath   = "/backoffice/api/v1/users"
)

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func TestOfficesCheckTheBearer(t *testing.T) {
	b := start(t, identitytest.Config{})
	answer := b.login("trader@example.com", "spa")
	other := start(t, identitytest.Config{Issuer: identitytest.InternalIssuer}) // same process, same key
	foreign := other.login("trader@example.com", "spa").AccessToken
	for _, c := range []struct {
		name, path, token, want string
		status                  int
	}{
		{"none", accountPath, "", `Bearer`, 401},
		{"nonsense", accountPath, "abc", `Bearer error="invalid_token", error_description="The signature is invalid"`, 401},
		{"tampered", accountPath, answer.AccessToken[:len(answer.AccessToken)-8] + "AAAAAAAA", `Bearer error="invalid_token", error_description="The signature is invalid"`, 401},
		{"huge", accountPath, strings.Repeat("a", 51201), `Bearer error="invalid_token", error_description="The signature is invalid"`, 401},
		{"another issuer", accountPath, foreign, `Bearer error="invalid_token", error_description="The issuer is invalid"`, 401},
		{"ID token", accountPath, answer.IDToken, `Bearer error="invalid_token", error_description="The audience is invalid"`, 401},
		{"no scope", usersPath, answer.AccessToken, `Bearer error="insufficient_scope", scope="BackOffice"`, 403},
		{"unknown resource", "/frontoffice/api/v3/magic", answer.AccessToken, ``, 404},
		{"unknown resource, no token", "/backoffice/api/v1/magic", "", `Bearer`, 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			var header []string
			if c.token != "" {
				header = bearer(c.token)
			}
			got := b.get(c.path, header...)
			wantEqual(t, "status", got.status, c.status)
			wantEqual(t, "WWW-Authenticate", got.header.Get("WWW-Authenticate"), c.want)
			wantEqual(t, "Content-Type", got.header.Get("Content-Type"), "application/problem+json; charset=utf-8")
			wantNames(t, got.body, "type", "title", "status", "traceId")
		})
	}
	wantEqual(t, "status with another case of Bearer", b.get(accountPath, "Authorization", "bearer "+answer.AccessToken).status, 200)
	wantEqual(t, "status with another scheme", b.get(accountPath, "Authorization", "Basic "+answer.AccessToken).status, 401)
}

func TestAccessTokensExpireWithoutSkew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, identitytest.Config{})
		token := b.login("trader@example.com", "spa").AccessToken
		wait(30*time.Second - time.Nanosecond)
		wantEqual(t, "status at the end", b.account(token), http.StatusOK)
		wait(time.Nanosecond)
		got := b.get(accountPath, bearer(token)...)
		wantEqual(t, "status after it", got.status, http.StatusUnauthorized)
		wantEqual(t, "WWW-Authenticate", got.header.Get("WWW-Authenticate"), `Bearer error="invalid_token", error_description="The token is expired"`)
	})
}

func TestTokensFromTheFuture(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	b := inMemory(t, identitytest.Config{Now: func() time.Time { return now }})
	token := b.login("trader@example.com", "spa").AccessToken
	now = now.Add(-time.Second)
	wantEqual(t, "status", b.account(token), http.StatusUnauthorized)
}

func TestFrontOfficeResources(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) // prices move with the clock
	b := start(t, identitytest.Config{Now: func() time.Time { return now }})
	token := bearer(b.login("trader@example.com", "spa").AccessToken)
	wantNames(t, b.get(accountPath, token...).body, "id", "nickname", "email", "balances")
	type quotes struct {
		Instruments []struct{ Instrument, Bid, Ask string }
	}
	bitcoin := decode[quotes](t, b.get("/frontoffice/api/v3/instruments", token...).body).Instruments[0]
	wantEqual(t, "first instrument", bitcoin.Instrument, "BTC_USD")
	wantEqual(t, "orders at first", b.get(ordersPath, token...).body, `{"orders":[]}`)

	for side, price := range map[string]string{"buy": bitcoin.Ask, "sell": bitcoin.Bid} {
		got := b.postJSON(ordersPath, `{"instrument":"BTC_USD","side":"`+side+`","amount":"0.25"}`, token...)
		wantEqual(t, "status", got.status, http.StatusCreated)
		order := decode[map[string]string](t, got.body)
		wantEqual(t, "price", order["price"], price)
		wantEqual(t, "amount", order["amount"], "0.25")
		wantEqual(t, "status of the order", order["status"], "filled")
	}
	for _, bad := range []string{
		`{"instrument":"DOGE_USD","side":"buy","amount":"1"}`, `{"instrument":"BTC_USD","side":"hold","amount":"1"}`,
		`{"instrument":"BTC_USD","side":"buy","amount":"-1"}`, `{"instrument":"BTC_USD","side":"buy","amount":1}`, `{}`,
	} {
		wantEqual(t, "status of "+bad, b.postJSON(ordersPath, bad, token...).status, http.StatusBadRequest)
	}
	type list struct{ Orders []map[string]string }
	wantEqual(t, "number of orders", len(decode[list](t, b.get(ordersPath, token...).body).Orders), 2)
	other := bearer(b.another().login("admin@example.com", "spa").AccessToken)
	wantEqual(t, "orders of someone else", b.get(ordersPath, other...).body, `{"orders":[]}`)

	for _, path := range []string{accountPath, ordersPath, "/frontoffice/api/v3/instruments"} {
		wantEqual(t, "status of PUT "+path, b.send(http.MethodPut, path, "", token...).status, http.StatusMethodNotAllowed)
	}
}

func TestOrdersAreBounded(t *testing.T) {
	b := inMemory(t, identitytest.Config{AccessTokenLifetime: time.Hour})
	token := bearer(b.login("trader@example.com", "spa").AccessToken)
	for range 101 {
		b.postJSON(ordersPath, `{"instrument":"BTC_USD","side":"buy","amount":"1"}`, token...)
	}
	orders := decode[struct{ Orders []map[string]string }](t, b.get(ordersPath, token...).body).Orders
	wantEqual(t, "number of orders", len(orders), 100)
	wantEqual(t, "oldest order", orders[0]["id"], "2")
}

func TestBackOfficeResources(t *testing.T) {
	b := start(t, identitytest.Config{})
	token := bearer(b.login("admin@example.com", "spa_admin").AccessToken)
	b.server.DisableUser("trader@example.com")
	users := decode[struct{ Users []map[string]any }](t, b.get(usersPath, token...).body).Users
	wantEqual(t, "number of users", len(users), 4)
	wantEqual(t, "trader disabled", users[0]["disabled"], any(true))
	wantEqual(t, "guarded has a second factor", users[2]["secondFactor"], any(true))
	clients := b.get("/backoffice/api/v1/clients", token...)
	wantEqual(t, "number of clients", len(decode[struct{ Clients []any }](t, clients.body).Clients), 4)
	for _, secret := range []string{"-secret", "-password", "246810"} {
		if strings.Contains(clients.body, secret) || strings.Contains(b.get(usersPath, token...).body, secret) {
			t.Errorf("the BackOffice shows %s", secret)
		}
	}
	for _, path := range []string{usersPath, "/backoffice/api/v1/clients"} {
		wantEqual(t, "status of POST "+path, b.postJSON(path, "{}", token...).status, http.StatusMethodNotAllowed)
	}
}

func TestUserInfo(t *testing.T) {
	const path = "/identity/connect/userinfo"
	b := start(t, identitytest.Config{})
	b.signIn("admin@example.com")
	exchange := func(scope string) tokens {
		code := b.authorize(with(b.authorizeParams("spa"), "scope", scope)).Query().Get("code")
		return b.token(b.codeForm(code), basic("spa")...)
	}
	full := exchange("openid profile").AccessToken
	got := b.get(path, bearer(full)...)
	wantEqual(t, "body", got.body, `{"sub":"`+adminID+`","name":"admin","nickname":"admin","role":"Admin"}`)
	wantEqual(t, "body by form", b.postForm(path, map[string][]string{"access_token": {full}}).body, got.body)

	for _, c := range []struct {
		name, token, want string
		status            int
	}{
		{"none", "", `Bearer realm="IdentityServer",error="invalid_token"`, 401},
		{"nonsense", "abc", `Bearer realm="IdentityServer",error="invalid_token"`, 401},
		{"no openid", exchange("FrontOffice").AccessToken, `Bearer realm="IdentityServer",error="insufficient_scope"`, 403},
	} {
		got := b.get(path, bearer(c.token)...)
		wantEqual(t, c.name+": status", got.status, c.status)
		wantEqual(t, c.name+": WWW-Authenticate", got.header.Get("WWW-Authenticate"), c.want)
		wantEqual(t, c.name+": body", got.body, "")
	}
	b.server.DisableUser("admin@example.com")
	wantEqual(t, "status for a disabled user", b.get(path, bearer(full)...).status, 401)
	wantEqual(t, "status of PUT", b.send(http.MethodPut, path, "").status, http.StatusMethodNotAllowed)
}

func TestUserInfoSaysThatATokenHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, identitytest.Config{})
		token := b.login("trader@example.com", "spa").AccessToken
		wait(30 * time.Second)
		got := b.get("/identity/connect/userinfo", bearer(token)...)
		wantEqual(t, "WWW-Authenticate", got.header.Get("WWW-Authenticate"),
			`Bearer realm="IdentityServer",error="invalid_token",error_description="The access token expired"`)
	})
}

func TestUserInfoEmailScope(t *testing.T) {
	client := identitytest.SampleClients()[0]
	client.Scopes = append(client.Scopes, "email")
	b := start(t, identitytest.Config{Clients: []identitytest.Client{client}})
	b.signIn("trader@example.com")
	code := b.authorize(with(b.authorizeParams("spa"), "scope", "openid email")).Query().Get("code")
	token := b.token(b.codeForm(code), basic("spa")...).AccessToken
	wantEqual(t, "body", b.get("/identity/connect/userinfo", bearer(token)...).body,
		`{"sub":"`+traderID+`","email":"trader@example.com","email_verified":true}`)
}
