package storetest

import (
	"fmt"
	"slices"
	"time"

	"b2trader.identity.auth/identity/store"
)

// describe shows a record without flooding the log.
func describe(r store.Record) string {
	value := r.Value
	if len(value) > 64 {
		value = value[:64]
	}
	return fmt.Sprintf("key %q owner %q version %d expires %s, %d bytes: %q", r.Key, r.Owner, r.Version, r.Expires.UTC().Format(time.RFC3339Nano), len(r.Value), value)
}

func keys(list []store.Record) []string {
	out := make([]string, 0, len(list))
	for _, r := range list {
		out = append(out, r.Key)
	}
	return out
}

// equal compares without regard to order.
func equal(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}
