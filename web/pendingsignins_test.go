package web

import (
	"strconv"
	"testing"
)

func TestPendingSignInsMemory(t *testing.T) {
	c := newClock()
	s := &pendingSignIns{now: c.Now}
	first := &pendingSignIn{Browser: "first"}
	s.Add(first)
	for i := range maxPending {
		s.Add(&pendingSignIn{Browser: strconv.Itoa(i)})
	}
	if len(s.queue) != maxPending {
		t.Errorf("%d sign-ins are kept, want %d", len(s.queue), maxPending)
	}
	if _, ok := s.Get(first.ID, "first"); ok {
		t.Error("the oldest is kept")
	}
	if _, ok := s.Get(s.queue[0].ID, ""); ok {
		t.Error("a pending sign-in without a browser is found")
	}
}
