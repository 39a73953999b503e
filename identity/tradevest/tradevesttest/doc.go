// Package tradevesttest is Tradevest's token endpoint for tests: it gives
// partners access tokens for their client credentials, as the vendor's page
// "Authorization" describes, and fails on command. It is a plain http.Handler,
// keeps its state in memory and answers on loopback only.
//
// # Use
//
// In a test, one line runs a server until the test ends:
//
//	server := tradevesttest.Start(t, tradevesttest.Config{})
//	client, err := tradevest.New(tradevest.Config{URL: server.URL(), …})
//
// Package apitest tells how to run it in a program or without a socket, and how
// to inject faults.
//
// # Endpoints
//
//	POST /oauth2/token    client_id, client_secret and grant_type=client_credentials in a form
//	GET  /v1/customers    a resource for a live access token and one Requestor-ID
//
// A token answer has the page's three members in its order: access_token,
// expires_in (a number), token_type. Every refusal of the token endpoint is a
// 400 with {"error": …} and no other member:
//
//	invalid_request          no form; a parameter is missing or repeated
//	invalid_client           another client_id or client_secret; any Authorization header
//	unsupported_grant_type   another grant_type than client_credentials
//	invalid_scope            another scope than Config.Scope, if that is set
//
// The page also lists invalid_grant and unauthorized_client without saying
// when; Inject answers with them. It does not list invalid_scope, which is
// RFC 6749's. Access tokens look like JWTs, as in the vendor's guide, and
// several may live at once.
//
// The resource at [APIPath] is this server's own, not the vendor's. Without a
// live token it answers 401. With one, but without exactly one Requestor-ID that
// is a UUID (RFC 9562 section 4), it answers 400 and
// {"error":"invalid_request"}. Any UUID will do.
package tradevesttest
