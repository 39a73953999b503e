package main

import (
	"mime"
	"net/http"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// faultsPath is where faults are injected. The IdentityServer has no such path.
const faultsPath = "/faults"

// maxFault bounds the body of a fault, in bytes.
const maxFault = 1 << 20

// faultRequest is the body of POST /faults. Its fields are those of
// identitytest.Fault.
type faultRequest struct {
	Endpoint                identitytest.Endpoint
	Grant                   string
	Times                   int
	DelayBefore, DelayAfter duration
	LoseRequest, LoseAnswer bool
	Status                  int
	Body                    string
	RetryAfter, ContentType string
	Oversized               bool
	IDToken                 identitytest.IDTokenFault
	Redirect, ErrorCode     string
	WrongState, NoState     bool
}

func (f faultRequest) fault() identitytest.Fault {
	fault := identitytest.Fault{
		Grant: f.Grant, Times: f.Times,
		DelayBefore: time.Duration(f.DelayBefore), DelayAfter: time.Duration(f.DelayAfter),
		LoseRequest: f.LoseRequest, LoseAnswer: f.LoseAnswer,
		Status: f.Status, RetryAfter: f.RetryAfter, ContentType: f.ContentType, Oversized: f.Oversized,
		IDToken: f.IDToken, Redirect: f.Redirect, ErrorCode: f.ErrorCode,
		WrongState: f.WrongState, NoState: f.NoState,
	}
	if f.Body != "" {
		fault.Body = []byte(f.Body)
	}
	return fault
}

// withFaults returns s with faults at faultsPath.
func withFaults(s *identitytest.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != faultsPath:
			s.ServeHTTP(w, r)
		case r.Method == http.MethodPost:
			inject(s, w, r)
		case r.Method == http.MethodDelete:
			s.ClearFaults()
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Allow", "POST, DELETE")
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	})
}

// inject answers POST /faults. The media type keeps pages of other origins
// from sending faults, because browsers ask before they send JSON.
func inject(s *identitytest.Server, w http.ResponseWriter, r *http.Request) {
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/json" {
		http.Error(w, "a fault is sent as application/json", http.StatusUnsupportedMediaType)
		return
	}
	var in faultRequest
	if err := decodeStrictly(http.MaxBytesReader(w, r.Body, maxFault), &in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if in.Status != 0 && (in.Status < 200 || in.Status > 599) {
		http.Error(w, "status must be from 200 to 599", http.StatusBadRequest)
		return
	}
	fault := in.fault()
	if err := s.CheckFault(in.Endpoint, fault); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.Inject(in.Endpoint, fault)
	w.WriteHeader(http.StatusNoContent)
}
