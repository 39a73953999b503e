package b2binpay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// Sign in, renew, and call the API. A refresh token works once: store its
// successor before it is used.
func Example() {
	ctx, server := context.Background(), must(b2binpaytest.New(b2binpaytest.Config{})) // in place of B2BINPAY
	client := must(b2binpay.New(b2binpay.Config{HTTP: tokenapi.HTTP{Transport: server.Transport()}}))
	token := must(client.SignIn(ctx, b2binpaytest.SampleLogin, b2binpaytest.SamplePassword))
	next := must(client.Refresh(ctx, token))
	api := &http.Client{Transport: &oauth2.Transport{Source: oauth2.StaticTokenSource(next), Base: server.Transport()}}
	fmt.Println(must(api.Get(b2binpay.SandboxURL + b2binpaytest.APIPath)).Status)

	_, err := client.Refresh(ctx, token)
	fmt.Println(errors.Is(err, tokenapi.ErrGrantRefused), err)
	// Output:
	// 200 OK
	// true b2binpay: refresh token: the grant was refused (HTTP 401 from /token/refresh/): 2007: No active account found with the given credentials; sign in again
}

// must ends an example on an error.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// A program with the password calls the API; the vault renews its tokens.
func Example_vault() {
	ctx, server := context.Background(), must(b2binpaytest.New(b2binpaytest.Config{}))                // in place of B2BINPAY
	client := must(b2binpay.New(b2binpay.Config{HTTP: tokenapi.HTTP{Transport: server.Transport()}})) // URL: b2binpay.ProductionURL
	keeper := must(client.Keeper(tokenapi.Account{
		Login: b2binpaytest.SampleLogin, Password: tokenapi.Fixed(b2binpaytest.SamplePassword), // or a function that reads a file
	}))
	v := must(vault.New(vault.Config{
		Store: memstore.New(), Keys: []vault.Key{vault.NewKey("first")}, Refreshers: map[string]vault.Refresher{"b2binpay": keeper},
	}))
	if err := v.Put(ctx, "b2binpay", vault.Entry{Client: "b2binpay", Token: keeper.FirstToken()}); err != nil {
		log.Fatal(err)
	}
	api := &http.Client{Transport: &vault.Transport{Vault: v, Key: "b2binpay", Base: server.Transport()}}
	fmt.Println(must(api.Get(b2binpay.SandboxURL+b2binpaytest.APIPath)).Status, v.Close(ctx))
	// Output: 200 OK <nil>
}

func ExampleCallbacks_Verify() {
	server := must(b2binpaytest.New(b2binpaytest.Config{}))
	callbacks := must(b2binpay.NewCallbacks(b2binpay.CallbackConfig{
		Login: b2binpaytest.SampleLogin, Password: tokenapi.Fixed(b2binpaytest.SamplePassword),
	}))
	body := server.Callback("2", "0.300000000000000000", "order-7")
	cb := must(callbacks.Verify(context.Background(), body))
	fmt.Println(cb.TrackingID, cb.Status, cb.Amount)

	_, err := callbacks.Verify(context.Background(), bytes.ReplaceAll(body, []byte(`"0.3`), []byte(`"9.3`)))
	fmt.Println(errors.Is(err, b2binpay.ErrCallbackSignature), err)
	// Output:
	// order-7 2 0.300000000000000000
	// true b2binpay: verify callback: the callback's signature is wrong
}

// A merchant's callback URL.
func ExampleCallbacks_Handler() {
	callbacks := must(b2binpay.NewCallbacks(b2binpay.CallbackConfig{
		Login: b2binpaytest.SampleLogin, Password: tokenapi.Fixed(b2binpaytest.SamplePassword),
		OnRefused: func(_ context.Context, err error) { fmt.Println("refused:", err) },
	}))
	seen := map[string]bool{} // in a database, in the transaction that credits the payment
	handler := callbacks.Handler(func(_ context.Context, cb *b2binpay.Callback) error {
		sentAgain := "transfer " + cb.TransferID + " " + cb.Status
		replayed := "signed " + strings.Join([]string{cb.Status, cb.Amount, cb.TrackingID, cb.TimeText}, " ")
		if !seen[sentAgain] && !seen[replayed] && cb.Status == "2" {
			fmt.Println("credit", cb.Amount, "to", cb.TrackingID)
		}
		seen[sentAgain], seen[replayed] = true, true
		return nil
	})

	server := must(b2binpaytest.New(b2binpaytest.Config{}))
	paid := server.Callback("2", "0.300000000000000000", "order-7")
	for _, body := range [][]byte{paid, paid, server.UnsignedCallback("order-8")} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/b2binpay/callback", bytes.NewReader(body)))
		fmt.Println(w.Code)
	}
	// Output:
	// credit 0.300000000000000000 to order-7
	// 200
	// 200
	// refused: b2binpay: verify callback: the callback is not signed
	// 403
}

// In version 3 the callback secret signs deposits and payouts.
func ExampleCallbackConfig_v3() {
	callbacks := must(b2binpay.NewCallbacks(b2binpay.CallbackConfig{
		V3: &b2binpay.V3Signature{Secret: tokenapi.Fixed(b2binpaytest.SampleCallbackSecret)},
	}))
	server := must(b2binpaytest.New(b2binpaytest.Config{Version: 3}))
	for _, body := range [][]byte{server.Callback("2", "0.3", "order-7"), server.PayoutCallback("2", "0.1", "payout-8")} {
		cb := must(callbacks.Verify(context.Background(), body))
		fmt.Println(cb.TrackingID, cb.Amount, cb.PayoutID != "")
	}
	// Output:
	// order-7 0.3 false
	// payout-8 0.1 true
}
