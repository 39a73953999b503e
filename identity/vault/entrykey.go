package vault

import "context"

type entryKey struct{}

func withEntryKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, entryKey{}, key)
}

// EntryKey returns the key of the entry that a [Refresher] or [Resumer] is called for with ctx, so that one of them can serve
// entries that each have something of their own elsewhere, such as the session that pays for their tokens. It is empty for a context
// that is not the vault's.
func EntryKey(ctx context.Context) string {
	key, _ := ctx.Value(entryKey{}).(string)
	return key
}
