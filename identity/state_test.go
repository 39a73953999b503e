package identity_test

import (
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// finished returns the State of a finished sign-in.
func finished(t *testing.T, client *identity.Client) identity.State {
	t.Helper()
	s := signIn(t, client)
	if _, err := s.State(); err == nil {
		t.Fatal("a sign-in without tokens was exported")
	}
	code, err := s.Authorize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.RetrieveToken(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	state, err := s.State()
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// restored returns the state after a round trip through its bytes.
func restored(t *testing.T, state identity.State) identity.State {
	t.Helper()
	raw, err := state.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var back identity.State
	if err := back.UnmarshalBinary(raw); err != nil {
		t.Fatal(err)
	}
	return back
}

func TestResume(t *testing.T) {
	srv, client := start(t)
	state := finished(t, client)
	another := newClient(t, srv, identity.ClientSPA) // as after a restart
	for range 3 {
		token, next, err := another.Resume(t.Context(), restored(t, state))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := another.Refresh(t.Context(), token); err != nil {
			t.Errorf("Refresh = %v, want a token", err)
		}
		state = next
	}
	wantCount(t, srv, identitytest.EndpointSignIn, 1)
}

func TestResumeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, err := identitytest.New(identitytest.Config{})
		if err != nil {
			t.Fatal(err)
		}
		client, err := identity.New(identity.Config{URL: "https://example.com", ClientID: "spa", HTTP: tokenapi.HTTP{Transport: srv.Transport()}})
		if err != nil {
			t.Fatal(err)
		}
		state := finished(t, client)
		<-time.After(10*time.Hour + time.Minute) // the IdentityServer's own session is over
		_, _, err = client.Resume(t.Context(), state)
		wantError(t, err, tokenapi.ErrNotSignedIn)
	})
	_, client := start(t)
	_, _, err := client.Resume(t.Context(), identity.State{})
	wantError(t, err, tokenapi.ErrNotSignedIn)
}

func TestResumeIsForTheSameUser(t *testing.T) {
	srv, client := start(t)
	state := finished(t, client)
	srv.Inject(identitytest.EndpointToken, identitytest.Fault{IDToken: identitytest.OtherSubject})
	_, _, err := client.Resume(t.Context(), state)
	wantError(t, err, tokenapi.ErrNotSignedIn)
}

// A sign-out with the State ends its session; one without does not.
func TestSignOutWithState(t *testing.T) {
	_, client := start(t)
	state := finished(t, client)
	token, state, err := client.Resume(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.SignOut(t.Context(), token.AccessToken, token.RefreshToken); err != nil {
		t.Fatal(err)
	}
	token, state, err = client.Resume(t.Context(), state)
	if err != nil {
		t.Fatalf("Resume after SignOut without the state = %v, want a token", err)
	}
	if err := client.SignOut(t.Context(), token.AccessToken, token.RefreshToken, identity.WithState(state)); err != nil {
		t.Fatal(err)
	}
	_, _, err = client.Resume(t.Context(), state)
	wantError(t, err, tokenapi.ErrNotSignedIn)
}

func FuzzStateUnmarshalBinary(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"v":1,"sub":"s","cookies":{"a":"b"}}`, `{"v":2,"sub":"s","cookies":{"a":"b"}}`, `{"v":1,"sub":"s"}`, "null", "\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var state identity.State
		err := state.UnmarshalBinary(data)
		if err != nil && !state.IsZero() {
			t.Errorf("UnmarshalBinary(%q) = %v, want the state empty after an error", data, err)
		}
		if raw, _ := state.MarshalBinary(); err == nil && string(raw) != string(data) {
			t.Errorf("MarshalBinary = %q, want %q", raw, data)
		}
	})
}
