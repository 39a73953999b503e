package session

import (
	"context"
	"encoding/json"
	"fmt"
)

// Value is one value that a package keeps in a session, under a name of its own.
// It is stored as JSON.
type Value[T any] struct{ name string }

// NewValue returns the Value of a name. Names are short: they are stored in
// every session.
func NewValue[T any](name string) Value[T] { return Value[T]{name} }

var (
	userValue    = NewValue[User]("u")
	browserValue = NewValue[string]("b")
)

// Put keeps v in the session of the request. It panics if v cannot be encoded.
func (k Value[T]) Put(ctx context.Context, m *Manager, v T) {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("session: value %s: %v", k.name, err))
	}
	m.scs.Put(ctx, k.name, json.RawMessage(raw))
}

// Get returns the value, and whether there is one.
func (k Value[T]) Get(ctx context.Context, m *Manager) (v T, ok bool) {
	raw, ok := m.scs.Get(ctx, k.name).(json.RawMessage)
	if !ok || json.Unmarshal(raw, &v) != nil {
		var zero T
		return zero, false
	}
	return v, true
}

// Pop returns the value and removes it.
func (k Value[T]) Pop(ctx context.Context, m *Manager) (v T, ok bool) {
	if v, ok = k.Get(ctx, m); ok {
		k.Remove(ctx, m)
	}
	return v, ok
}

// Remove removes the value.
func (k Value[T]) Remove(ctx context.Context, m *Manager) { m.scs.Remove(ctx, k.name) }
