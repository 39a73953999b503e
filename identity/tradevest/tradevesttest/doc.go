// Package tradevesttest is Tradevest's token endpoint for tests: it gives partners access tokens for their client
// credentials, as the vendor's page "Authorization" has it, and misbehaves on command. It is a plain http.Handler, keeps
// everything in memory and answers on loopback only.
//
// # Starting one
//
// In a test, one line runs a server until the test ends:
//
//	server := tradevesttest.Start(t, tradevesttest.Config{})
//	client, err := tradevest.New(tradevest.Config{URL: server.URL(), ClientID: tradevesttest.SampleClientID, …})
//
// In a program, New makes the handler and Listen a loopback listener for http.Serve. Inside a testing/synctest bubble,
// where sockets do not work, give the client the server's Transport instead: delays then pass in virtual time.
//
// # What it speaks
//
//	POST /oauth2/token    client_id, client_secret and grant_type=client_credentials in a form
//	GET  /v1/customers    a resource to use a token on
//
// A token answer has the page's three members in its order: access_token, expires_in (a number), token_type. Every refusal of the
// token endpoint is a 400 with {"error": …} and nothing else:
//
//	invalid_request          no form; a parameter is missing or repeated
//	invalid_client           another client_id or client_secret; any Authorization header, for credentials belong in the body
//	unsupported_grant_type   another grant_type than client_credentials
//	invalid_scope            another scope than Config.Scope, if that is set
//
// The page also lists invalid_grant and unauthorized_client without saying when; Inject answers with them. It does not list
// invalid_scope, which is RFC 6749's. Access tokens look like JWTs, as in the vendor's guide, and several may live at once.
// There are no refresh tokens.
//
// # The API
//
// The resource, at [APIPath], is this server's own; nothing about the vendor's API follows from it but that it wants a bearer and a
// Requestor-ID. Without a live token it answers 401; with one, but without exactly one Requestor-ID header that is a
// UUID (RFC 9562 section 4), 400 and {"error":"invalid_request"}. Whose UUID it is it does not ask.
//
// # Faults and the record
//
// Inject makes an endpoint slow, silent, wrong or oversized; ExpireTokens and SetClientSecret change the server under its
// clients. Count and Requests tell what it was asked, secrets included. They are package apitest's.
package tradevesttest
