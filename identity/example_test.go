package identity_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// One call signs in.
func Example() {
	ctx := context.Background()
	client, err := identity.New(identity.Config{
		URL:      "https://trader.example.com",
		ClientID: identity.ClientSPA,
	})
	if err != nil {
		log.Fatal(err)
	}
	session, err := client.Login(ctx, "user@example.com", os.Getenv("B2TRADER_USER_PASSWORD"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Signed in until", session.Expiry) // session.Token is the *oauth2.Token
}

// A sign-in, a renewal and an API call at the test server. A refresh token
// works once: store its successor before you use it.
func Example_renewed() {
	ctx, server := context.Background(), must(identitytest.New(identitytest.Config{}))
	const url = "https://trader.example.com"
	client := must(identity.New(identity.Config{URL: url, ClientID: identity.ClientSPA, HTTP: tokenapi.HTTP{Transport: server.Transport()}}))
	token := must(client.Login(ctx, "trader@example.com", "trader-password")).Token
	next := must(client.Refresh(ctx, token))
	api := &http.Client{Transport: &oauth2.Transport{Source: oauth2.StaticTokenSource(next), Base: server.Transport()}}
	fmt.Println(must(api.Get(url + "/frontoffice/api/v3/account")).Status)

	_, err := client.Refresh(ctx, token)
	fmt.Println(errors.Is(err, tokenapi.ErrGrantRefused), err)
	// Output:
	// 200 OK
	// true identity: refresh token: the grant was refused (HTTP 400 from /identity/connect/token): invalid_grant; sign in again
}

// must shortens the example: a program handles its errors.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// A back office client has a secret. Its server may announce an internal name.
func ExampleNew() {
	client, err := identity.New(identity.Config{
		URL:          "https://trader.example.com",
		ClientID:     identity.ClientSPAAdmin,
		ClientSecret: tokenapi.NewSecret(os.Getenv("B2TRADER_SPA_ADMIN_SECRET")),
		Issuer:       "http://identity-server/identity/",
	})
	if err != nil {
		log.Fatal(err) // names every problem of the Config
	}
	fmt.Println(client)
}

// A sign-in in single steps, for users with a second factor.
func ExampleClient_SignIn() {
	ctx := context.Background()
	var client *identity.Client // from New

	signIn, err := client.SignIn(ctx, "user@example.com", "password")
	if errors.Is(err, tokenapi.ErrBadCredentials) {
		fmt.Println("Wrong email or password.")
		return
	} else if err != nil {
		log.Fatal(err)
	}
	for signIn.SecondFactor != nil {
		var code string
		fmt.Println(signIn.SecondFactor.Message)
		if _, err := fmt.Scanln(&code); err != nil {
			log.Fatal(err)
		}
		if err := signIn.VerifySecondFactor(ctx, code); err != nil && !errors.Is(err, tokenapi.ErrSecondFactorRefused) {
			log.Fatal(err)
		}
	}
	session, err := signIn.Finish(ctx) // Authorize, RetrieveToken and State
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Signed in until", session.Expiry)
}

// Login stops at a second factor. The password is not sent again.
func ExampleSecondFactorError() {
	ctx := context.Background()
	var client *identity.Client // from New
	var code string             // from the user

	session, err := client.Login(ctx, "user@example.com", "password")
	if e, ok := errors.AsType[*identity.SecondFactorError](err); ok {
		fmt.Println(e.SignIn.SecondFactor.Message)
		if err := e.SignIn.VerifySecondFactor(ctx, code); err != nil {
			log.Fatal(err)
		}
		session, err = e.SignIn.Finish(ctx)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Signed in until", session.Expiry)
}

// A sign-out needs a live access token.
func ExampleClient_SignOut() {
	ctx := context.Background()
	var client *identity.Client // from New
	session, err := client.Login(ctx, "user@example.com", "password")
	if err != nil {
		log.Fatal(err)
	}
	if err := client.SignOut(ctx, session.AccessToken, session.RefreshToken); err != nil {
		log.Print(err) // the tokens end by themselves
	}
}

// For servers only: the platform's machine clients sign in by password.
func ExampleClient_MachineToMachineSignIn() {
	client, err := identity.New(identity.Config{
		URL:          "https://trader.example.com",
		ClientID:     identity.ClientCoreIB,
		ClientSecret: tokenapi.NewSecret(os.Getenv("B2TRADER_CORE_IB_SECRET")),
	})
	if err != nil {
		log.Fatal(err)
	}
	token, err := client.MachineToMachineSignIn(context.Background(), "machine@example.com", os.Getenv("B2TRADER_MACHINE_PASSWORD"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Signed in until", token.Expiry)
}

// New tokens without a password, after a refresh token was lost.
func ExampleClient_Resume() {
	ctx := context.Background()
	var client *identity.Client // from New
	var stored []byte           // from State.MarshalBinary, unsealed

	var state identity.State
	if err := state.UnmarshalBinary(stored); err != nil {
		log.Fatal(err)
	}
	token, next, err := client.Resume(ctx, state)
	if errors.Is(err, tokenapi.ErrNotSignedIn) {
		fmt.Println("That session has ended: sign in again.")
		return
	} else if err != nil {
		log.Fatal(err)
	}
	stored, _ = next.MarshalBinary() // to be sealed and stored in place of the old one
	fmt.Println("Good until", token.Expiry, len(stored) > 0)
}
