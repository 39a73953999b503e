// Package apitest is what the test servers of this module have in common: routes, faults
// on command, a record of what was asked, a transport without sockets, and the guard that
// keeps a test server on loopback. A test server for an API is a package that adds the
// endpoints, the users and the rules of that API.
//
// # Making a test server
//
// New makes the server, Handle gives it a path, an [Endpoint] and a [Handler]. The handler
// finds the request in its [Exchange], read to its end, and answers there:
//
//	api := apitest.New(apitest.Config{Name: "b2coretest"})
//	api.Handle("/api/v2/token", EndpointToken, func(x *apitest.Exchange) {
//		if x.AllowOnly(http.MethodPost) {
//			x.JSON(http.StatusOK, "application/json", apitest.Object{{"token", apitest.RandomHex(16)}})
//		}
//	})
//
// [Tokens] remembers what was issued, and its Guard lets the holders of good tokens pass.
// [Problems] words what is wrong with a Config, for all test servers alike.
//
// An answer is complete before its first byte is sent, so that a fault can still change,
// delay or lose it. [Object] keeps the order of its members; [JWT] makes what looks like a
// token.
//
// # Running one
//
// The server is a plain http.Handler and answers on loopback connections only. [Serve] runs
// one for the duration of a test, so that a test server's Start is short:
//
//	func Start(tb testing.TB, cfg Config) *Server {
//		tb.Helper()
//		s, err := New(cfg)
//		return apitest.Serve(tb, s, err)
//	}
//
// In a program, Listen makes a loopback listener for http.Serve. Inside a testing/synctest
// bubble, where sockets do not work, Transport hands requests to the server in memory, and
// delays pass in virtual time.
//
// # Faults
//
// Inject lets an endpoint fail as a [Fault] says, for one request or for many. Kinds of
// fault that only one test server knows travel in Fault.Extra; its handlers find them in
// Exchange.Fault.
//
// # The record
//
// The server remembers what it was asked, passwords and tokens included. Count counts, so
// that a test can prove that there was one request and not two; Requests shows everything,
// and [Request.Wire] shows a request as text, to be compared with a sample of the vendor's.
package apitest
