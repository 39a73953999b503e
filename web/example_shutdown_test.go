package web_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/web"
)

func ExampleNew() {
	client, err := identity.New(identity.Config{
		URL:      "https://trader.example.com",
		ClientID: identity.ClientSPA,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	site, err := web.New(web.Config{
		Clients:        []*identity.Client{client},
		PublicURL:      "https://app.example.com",
		FrontOfficeURL: "https://trader.example.com/frontoffice",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: site, ReadHeaderTimeout: 5 * time.Second}
	server.RegisterOnShutdown(site.EndStreams) // which Shutdown would wait for

	// After server.ListenAndServe in a goroutine, and a signal to stop:
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil { // first the requests
		fmt.Println(err)
	}
	if err := site.Close(ctx); err != nil { // then the renewals that they began
		fmt.Println(err)
	}
	// Output:
}
