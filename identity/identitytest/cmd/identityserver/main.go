// Command identityserver runs the test IdentityServer of package identitytest,
// for clients in any language:
//
//	go run ./identity/identitytest/cmd/identityserver -addr 127.0.0.1:8089 -config users.json
//
// It prints its URL and answers on loopback until it is interrupted. Without
// -config it has the sample users and clients of package identitytest.
//
// # The config file
//
// The file is a JSON object. Each member may be missing; the names are those of
// identitytest.Config, in any letter case, and lifetimes are strings such as
// "30s":
//
//	{
//	  "users": [{
//	    "id": "1", "email": "ada@example.com",
//	    "password": "a password", "nickname": "ada"
//	  }],
//	  "clients": [{
//	    "id": "app", "scopes": ["openid", "FrontOffice", "offline_access"],
//	    "grantTypes": ["authorization_code"],
//	    "redirectURIs": ["http://127.0.0.1:3000/callback"],
//	    "allowedCORSOrigins": ["http://127.0.0.1:3000"]
//	  }],
//	  "accessTokenLifetime": "30s",
//	  "keyID": true
//	}
//
// With -sign-in-page, or the member "signInPage", a browser that comes to
// authorize without a session gets a sign-in page, as most OpenID Connect
// clients expect. The section "Other clients" of package identitytest lists what some OpenID
// Connect clients need.
//
// # Faults
//
// POST /faults injects a fault, DELETE /faults removes all that have not
// happened yet. The members are those of identitytest.Fault, and the endpoint:
//
//	curl -H 'Content-Type: application/json' http://127.0.0.1:8089/faults \
//	  -d '{"endpoint": "token", "grant": "refresh_token", "times": 2, "status": 503}'
//
// The endpoints are the Endpoint constants of package identitytest: sign-in,
// sign-out, authorize, token, discovery, keys, revocation, userinfo and others.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run is the program. It returns when ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("identityserver", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:0", "loopback `address` to listen on; port 0 is a free one")
	config := flags.String("config", "", "JSON `file` with users and clients; without it there are samples")
	signInPage := flags.Bool("sign-in-page", false, "show a sign-in page to a browser that comes to authorize without a session")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: settings are flags, see -h", flags.Arg(0))
	}
	cfg, err := readConfig(*config)
	if err != nil {
		return err
	}
	cfg.SignInPage = cfg.SignInPage || *signInPage
	s, err := identitytest.New(cfg)
	if err != nil {
		return err
	}
	return serve(ctx, s, *addr, stdout)
}

// serve answers until ctx ends.
func serve(ctx context.Context, s *identitytest.Server, addr string, stdout io.Writer) error {
	listener, err := s.Listen(addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: withFaults(s), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // a test server has no calls to finish
	defer stop()
	if _, err := fmt.Fprintln(stdout, s.URL()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
