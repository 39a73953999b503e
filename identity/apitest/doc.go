// Package apitest has the common parts of this module's test servers: routes,
// faults on command, a record of the requests, a transport without sockets, and
// the check that a test server answers on loopback only. A test server for an
// API is a package that adds the endpoints, the users and the rules of that
// API.
//
// # Making a test server
//
// New makes the server, Handle gives it a path, an [Endpoint] and a [Handler].
// The handler reads the request from its [Exchange] and answers there:
//
//	api := apitest.New(apitest.Config{Name: "b2coretest"})
//	api.Handle("/api/v2/token", EndpointToken, func(x *apitest.Exchange) {
//		if x.AllowOnly(http.MethodPost) {
//			token := apitest.RandomHex(16)
//			x.JSON(http.StatusOK, "application/json", apitest.Object{{"token", token}})
//		}
//	})
//
// [Tokens] keeps the issued tokens, and its Guard checks the bearer of a
// request. [Problems] reports what is wrong with a Config. [Object] keeps the
// order of its members, [JWT] makes a string with the form of a token.
//
// An answer is complete before its first byte is sent, so that a fault can
// still change, delay or lose it. [Exchange.Upgrade] answers without that, for
// a websocket.
//
// # Running one
//
// The server is an http.Handler and answers on loopback connections only.
// [Serve] runs one for the duration of a test:
//
//	func Start(tb testing.TB, cfg Config) *Server {
//		tb.Helper()
//		s, err := New(cfg)
//		return apitest.Serve(tb, s, err)
//	}
//
// In a program, Listen makes a loopback listener for http.Serve. Inside a
// testing/synctest bubble, where sockets do not work, Transport passes requests
// to the server in memory, and delays pass in virtual time.
//
// # Faults
//
// Inject makes an endpoint fail as a [Fault] says, for one request or for many.
// A fault that only one test server has is in Fault.Extra; the handlers of that
// server read it from Exchange.Fault.
//
// # The record
//
// The server records its requests, passwords and tokens included. Count returns
// their number, so that a test can prove that there was one request and not
// two. Requests returns them, and [Request.Wire] formats one as text, to be
// compared with the vendor's sample.
package apitest
