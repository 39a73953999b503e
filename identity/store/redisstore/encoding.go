package redisstore

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"b2trader.identity.auth/identity/store"
)

// A record is a string: 16 digits of version, "+" or "-" for a tombstone, 13 digits of expiry in milliseconds, 4
// digits of owner length, the owner, the value. Text, because scripts compare it and administrators read it.
const (
	versionEnd = 16
	stateEnd   = versionEnd + 1
	expiresEnd = stateEnd + 13
	headEnd    = expiresEnd + 4
)

// kept is what the server has under a key; Version 0 is nothing.
type kept struct {
	record  store.Record
	deleted bool
}

var errForeign = errors.New("the key holds something that this package did not write")

func decode(key string, answer rueidis.RedisResult) (kept, error) {
	text, err := answer.ToString()
	if rueidis.IsRedisNil(err) {
		return kept{}, nil
	}
	if err != nil {
		return kept{}, err
	}
	return parseRecord(key, text)
}

func parseRecord(key, text string) (kept, error) {
	if len(text) < headEnd {
		return kept{}, errForeign
	}
	version, err1 := strconv.ParseUint(text[:versionEnd], 10, 63)
	expires, err2 := strconv.ParseInt(text[stateEnd:expiresEnd], 10, 64)
	owner, err3 := strconv.Atoi(text[expiresEnd:headEnd])
	if err := errors.Join(err1, err2, err3); err != nil || version == 0 || owner < 0 || len(text) < headEnd+owner {
		return kept{}, errForeign
	}
	return kept{
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

// names are the keys of the server.
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
