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

// faultRequest is the body of POST /faults: an identitytest.Fault, with times and
// the body as JSON has them.
type faultRequest struct {
	identitytest.Fault
	Endpoint                identitytest.Endpoint
	DelayBefore, DelayAfter duration
	Body                    string
}

func (f faultRequest) fault() identitytest.Fault {
	fault := f.Fault
	fault.DelayBefore, fault.DelayAfter = time.Duration(f.DelayBefore), time.Duration(f.DelayAfter)
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
