package vault

import "context"

type entryKey struct{}

func withEntryKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, entryKey{}, key)
}

// EntryKey returns the key of the entry that the vault calls a [Refresher] or
// [Resumer] for with ctx. A Refresher for entries that differ, such as in the
// session that pays for their tokens, tells them apart by it. It is "" for other
// contexts.
func EntryKey(ctx context.Context) string {
	key, _ := ctx.Value(entryKey{}).(string)
	return key
}
