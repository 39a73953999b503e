package vault

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store"
)

// lateReads is a hook for a store whose reads arrive a second late, after as many
// as inTime counts down.
func lateReads(inTime *atomic.Int64) *putHook {
	inTime.Store(1 << 30)
	return &putHook{around: direct, afterGet: func() {
		if inTime.Add(-1) < 0 {
			<-time.After(time.Second)
		}
	}}
}

// A successor that another process stores while this one reads the record is not
// missed: the renewal waits neither for the end of the other's lease nor for its
// own turn.
func TestSuccessorIsStoredDuringARead(t *testing.T) {
	for name, test := range map[string]struct {
		inTime int64 // reads of this process
		busy   bool  // another renewal of this process has the only turn
	}{
		"that finds the other's lease": {inTime: 1},
		"that finds the old token":     {inTime: 0, busy: true},
	} {
		t.Run(name, func(t *testing.T) {
			var inTime atomic.Int64
			server := &slowServer{takes: 8 * time.Second}
			inHookedLeases(t, server, lateReads(&inTime), func(t *testing.T, hooked, other *Vault) {
				if err := other.Put(t.Context(), "l", Entry{Client: "spa", Token: &oauth2.Token{RefreshToken: "r2", Expiry: time.Now()}}); err != nil {
					t.Fatal(err)
				}
				go func() { _, _ = other.Token(t.Context(), "k") }()
				<-time.After(time.Second)
				if test.busy {
					hooked.paces["spa"].limit = 1
					go func() { _, _ = hooked.Token(t.Context(), "l") }()
				}
				<-time.After(6500 * time.Millisecond)
				inTime.Store(test.inTime)
				began := time.Now()
				_, err := hooked.Token(t.Context(), "k")
				if took := time.Since(began); err != nil || took > 2*time.Second {
					t.Errorf("Token = %v after %v, want a token after 2 s at most: that is two reads", err, took)
				}
			})
		})
	}
}

// Nor is it missed by a process whose own request was refused.
func TestSuccessorIsStoredDuringARefusal(t *testing.T) {
	var inTime atomic.Int64
	server := &singleUse{late: 30 * time.Second, answerAfter: 40500 * time.Millisecond, answered: true}
	hook := lateReads(&inTime)
	hook.around = func(ctx context.Context, number int, put func() (uint64, error)) (uint64, error) {
		if number > 1 && server.requests.Load() < 2 { // no extension reaches the store
			return 0, store.NewFault(ctx, "put", errors.New("cut off"))
		}
		return put()
	}
	inHookedLeases(t, server, hook, func(t *testing.T, hooked, other *Vault) {
		go func() { _, _ = hooked.Token(t.Context(), "k") }()
		<-time.After(time.Second)
		go func() { _, _ = other.Token(t.Context(), "k") }()
		<-time.After(28 * time.Second)
		inTime.Store(0)
		<-time.After(15 * time.Second)
		if err := other.Await(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		stored := time.Now()
		if err := hooked.Await(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(stored); took > 2*time.Second {
			t.Errorf("the refused process had the successor %v after it was stored, want 2 s at most: that is two reads", took)
		}
	})
}

// A deletion is not missed by a stream that begins before the process has a
// watch, if another process deletes the entry while this one reads it.
func TestEntryIsDeletedDuringAReadOfAStream(t *testing.T) {
	var inTime atomic.Int64
	hook := lateReads(&inTime)
	hook.beforeWatch = func() { <-time.After(800 * time.Millisecond) }
	inHookedLeases(t, &slowServer{}, hook, func(t *testing.T, hooked, other *Vault) {
		inTime.Store(0)
		time.AfterFunc(500*time.Millisecond, func() {
			if _, err := other.Delete(t.Context(), "k"); err != nil {
				t.Errorf("Delete = %v, want no error", err)
			}
		})
		deleted, stop, err := hooked.Done(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		select {
		case <-deleted:
		case <-time.After(time.Hour):
			t.Error("the deletion is not reported to the stream in an hour")
		}
	})
}
