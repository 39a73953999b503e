package main

import (
	"net/http"

	"b2trader.identity.auth/identity/apitest"
)

// How the systems say that a request is one too many, or that they are overloaded. Where one may say when to come back, it is soon.
var (
	b2coreBusy = apitest.Fault{
		Status: http.StatusTooManyRequests, RetryAfter: "2", Body: []byte(`{"error":{"message":"Too Many Attempts."}}`),
	}
	traderEvolutionBusy = apitest.Fault{
		Status: http.StatusTooManyRequests, Body: []byte(`{"errorCode":"2.147.1.27","message":"Too many requests"}`),
	}
	tradevestBusy = apitest.Fault{
		Status: http.StatusServiceUnavailable, RetryAfter: "2", Body: []byte(`{"error":"temporarily_unavailable"}`),
	}
	b2binpayBusy = apitest.Fault{
		Status: http.StatusTooManyRequests, RetryAfter: "2", ContentType: "application/vnd.api+json",
		Body: []byte(`{"errors":[{"status":"429","code":"throttled","detail":"Request was throttled. Expected available in 2 seconds."}]}`),
	}
)

// failing makes the requests to the endpoint fail like that, until that is taken back.
func failing(s *apitest.Server, e apitest.Endpoint, like apitest.Fault) func() (undo func()) {
	like.Times = -1
	return func() func() {
		s.Inject(e, like)
		return s.ClearFaults
	}
}
