// Package httpx makes the HTTP exchanges of the clients.
//
// # One exchange
//
// A [Peer] is a server, a [Call] one operation at it. A [Transport] carries out
// each exchange of a Call: it bounds the time and the bytes of the answer,
// sends every request at most once (see oneAttempt), and describes the exchange
// to the observer with all secrets removed (see [Redact]).
//
// # What an answer means
//
// A [Verdict] maps the codes and statuses of an API to the errors of package
// tokenapi, [ParseProblem] reads the codes. [Call.Refused] applies the Verdict,
// [Call.Fault] and [Call.Unusable] describe what is not a refusal.
//
// # Tokens
//
// [Call.Token] makes an oauth2.Token of an answer in an API's own shape,
// [Call.Retrieve] asks an OAuth 2.0 token endpoint for one.
package httpx
