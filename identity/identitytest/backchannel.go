package identitytest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// backChannelTimeout bounds the logout requests of one sign-out, together.
const backChannelTimeout = 5 * time.Second

// tellClients posts a logout token to the BackChannelLogoutURI of each client
// that was authorized in the session (OpenID Connect Back-Channel Logout 1.0
// section 2.5), one after the other. It returns when all have answered. The
// record has the last failure.
func (s *Server) tellClients(x *exchange, ended session) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.Context()), backChannelTimeout)
	defer cancel()
	for _, id := range slices.Sorted(maps.Keys(ended.clients)) {
		uri := s.clients[id].BackChannelLogoutURI
		if uri == "" {
			continue
		}
		token := s.SignLogoutToken(LogoutToken{
			Issuer: ended.clients[id], Client: id, Subject: ended.userID, SessionID: ended.id,
		})
		if err := s.postLogout(ctx, uri, token); err != nil {
			x.Note(fmt.Sprintf("back-channel logout of %s: %v", id, err))
		}
	}
}

func (s *Server) postLogout(ctx context.Context, uri, token string) error {
	r, err := LogoutRequest(ctx, uri, token)
	if err != nil {
		return err
	}
	answer, err := s.config.BackChannelTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	_ = answer.Body.Close() // the status is enough
	if answer.StatusCode/100 != http.StatusOK/100 {
		return fmt.Errorf("the client answers %d", answer.StatusCode)
	}
	return nil
}
