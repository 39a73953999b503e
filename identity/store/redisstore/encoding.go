package redisstore

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"b2trader.identity.auth/identity/store"
)

// The server keeps a record as a string: 16 digits of version, "+" (or "-" for a
// tombstone), 13 digits of expiry in milliseconds, 4 digits for the length of
// the owner, the owner, and the value. Numbers are text, because scripts compare
// them and operators read them.
const (
	versionEnd = 16
	stateEnd   = versionEnd + 1
	expiresEnd = stateEnd + 13
	headEnd    = expiresEnd + 4
)

// stored is what the server has under a key: a record, a tombstone, or nothing
// (Version 0).
type stored struct {
	record  store.Record
	deleted bool
}

var errForeign = errors.New("the value of the key was not written by this package: give Config.Prefix a value of its own")

func decode(key string, answer rueidis.RedisResult) (stored, error) {
	text, err := answer.ToString()
	if rueidis.IsRedisNil(err) {
		return stored{}, nil
	}
	if err != nil {
		return stored{}, err
	}
	return parseRecord(key, text)
}

func parseRecord(key, text string) (stored, error) {
	if len(text) < headEnd {
		return stored{}, errForeign
	}
	version, err1 := strconv.ParseUint(text[:versionEnd], 10, 63)
	expires, err2 := strconv.ParseInt(text[stateEnd:expiresEnd], 10, 64)
	owner, err3 := strconv.Atoi(text[expiresEnd:headEnd])
	if err := errors.Join(err1, err2, err3); err != nil || version == 0 || owner < 0 || len(text) < headEnd+owner {
		return stored{}, errForeign
	}
	return stored{
		record: store.Record{
			Key: key, Owner: text[headEnd : headEnd+owner], Version: version,
			Value: []byte(text[headEnd+owner:]), Expires: time.UnixMilli(expires),
		},
		deleted: text[versionEnd] == '-',
	}, nil
}

func formatVersion(v uint64) string { return fmt.Sprintf("%016d", v) }

func formatExpires(t time.Time) string { return fmt.Sprintf("%013d", t.UnixMilli()) }

func formatOwner(owner string) string { return fmt.Sprintf("%04d%s", len(owner), owner) }

// names returns names of keys at the server.
type names struct{ prefix string }

func newNames(prefix string) names {
	if prefix == "" {
		prefix = "b2trader:"
	}
	return names{prefix}
}

func (n names) record(key string) string  { return n.prefix + "record:" + key }
func (n names) owner(owner string) string { return n.prefix + "owner:" + owner }
func (n names) channel() string           { return n.prefix + "changes" }
func (n names) nothing() string           { return n.prefix + "nothing" } // never exists
