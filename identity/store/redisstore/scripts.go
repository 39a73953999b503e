package redisstore

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/rueidis"

	"b2trader.identity.auth/identity/store"
)

// Each script touches one key, so it runs wherever that key is. The clock is the server's, and the next version of a
// record is the time in microseconds, or one more than the last if that is later.
const clock = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function after(version)
	return string.format('%016.0f', math.max(time[1] * 1000000 + time[2], tonumber(version) + 1))
end
`

// KEYS: record. ARGV: version named, expires, owner with length, value, "1" if the list of the owner is known to
// last, channel, key.
var putScript = rueidis.NewLuaScript(clock + `
if tonumber(ARGV[2]) <= now then return {'past', '0'} end
local old = redis.call('GETRANGE', KEYS[1], 0, 29 + #ARGV[3])
local version, expires = '0000000000000000', '0000000000000'
if old ~= '' then
	version, expires = string.sub(old, 1, 16), string.sub(old, 18, 30)
	if string.sub(old, 17, 17) == '-' then return {'deleted', version} end
elseif ARGV[1] ~= version then
	return {'missing', '0'}
end
if ARGV[1] ~= version then return {'conflict', version} end
if old ~= '' and string.sub(old, 31) ~= ARGV[3] then return {'owner', version} end
if ARGV[5] ~= '1' and ARGV[2] > expires then return {'index', '0'} end
version = after(version)
redis.call('SET', KEYS[1], version .. '+' .. ARGV[2] .. ARGV[3] .. ARGV[4], 'PXAT', ARGV[2])
redis.call('PUBLISH', ARGV[6], version .. '+' .. ARGV[7])
return {'done', version}
`)

// KEYS: record. ARGV: channel, key. Returns the tombstone, "" if there is nothing to end.
var buryScript = rueidis.NewLuaScript(clock + `
local old = redis.call('GETRANGE', KEYS[1], 0, 33)
if old == '' then return '' end
old = redis.call('GETRANGE', KEYS[1], 0, 33 + tonumber(string.sub(old, 31, 34)))
if string.sub(old, 17, 17) == '-' then return old end
local version = after(string.sub(old, 1, 16))
local tombstone = version .. '-' .. string.sub(old, 18)
redis.call('SET', KEYS[1], tombstone, 'PXAT', string.sub(old, 18, 30))
redis.call('PUBLISH', ARGV[1], version .. '-' .. ARGV[2])
return tombstone
`)

// KEYS: list of an owner, a sorted set by expiry. ARGV: key, expires. An expiry is only ever moved back, so that no
// record outlives its place in the list.
var indexScript = rueidis.NewLuaScript(clock + `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not known or tonumber(known) < tonumber(ARGV[2]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
if redis.call('PTTL', KEYS[1]) < ARGV[2] - now then redis.call('PEXPIREAT', KEYS[1], ARGV[2]) end
return 1
`)

// KEYS: list of an owner. ARGV: key, expires of its tombstone. If the key was created anew since, its place is a
// later one and stays.
var unindexScript = rueidis.NewLuaScript(`
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if known and tonumber(known) <= tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1
`)

// KEYS: list of an owner.
var listScript = rueidis.NewLuaScript(clock + `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return redis.call('ZRANGE', KEYS[1], 0, -1)
`)

const mustIndex = "index"

// An answer is that of putScript.
type answer struct {
	says    string
	version uint64
}

func (a answer) result() (uint64, error) {
	switch a.says {
	case "done":
		return a.version, nil
	case "past":
		return 0, store.Invalid("expiry in the past")
	case "owner":
		return 0, store.Invalid("owner changed")
	case "deleted":
		return 0, store.ErrDeleted
	case "missing":
		return 0, store.ErrNotFound
	default:
		return 0, store.ErrConflict
	}
}

// put stores r, and a swap repairs the owner's list on the way.
func (s *Store) put(ctx context.Context, r store.Record, indexed bool) (answer, error) {
	repaired := make(chan struct{})
	if r.Version != 0 && !indexed {
		go func() {
			defer close(repaired)
			_ = s.index(ctx, r) // if it was there it still is; if it was lost the next swap tries again
		}()
		defer func() { <-repaired }()
	}
	flag := "0"
	if indexed {
		flag = "1"
	}
	fields, err := putScript.Exec(ctx, s.client, []string{s.name.record(r.Key)}, []string{
		formatVersion(r.Version), formatExpires(r.Expires), formatOwner(r.Owner), rueidis.BinaryString(r.Value), flag, s.name.channel(), r.Key,
	}).AsStrSlice()
	if err != nil {
		return answer{}, err
	}
	if len(fields) != 2 {
		return answer{}, fmt.Errorf("script gave %d fields", len(fields))
	}
	version, err := strconv.ParseUint(fields[1], 10, 63)
	if fields[0] == "missing" {
		version = r.Version + 1 // whatever is remembered of it is out of date
	}
	return answer{says: fields[0], version: version}, err
}

// bury leaves a tombstone and returns it.
func (s *Store) bury(ctx context.Context, key string) (kept, error) {
	text, err := buryScript.Exec(ctx, s.client, []string{s.name.record(key)}, []string{s.name.channel(), key}).ToString()
	if err != nil || text == "" {
		return kept{}, err
	}
	return parseRecord(key, text)
}

func (s *Store) index(ctx context.Context, r store.Record) error {
	return indexScript.Exec(ctx, s.client, []string{s.name.owner(r.Owner)}, []string{r.Key, formatExpires(r.Expires)}).Error()
}

// unindex may fail: List skips tombstones.
func (s *Store) unindex(ctx context.Context, tombstone store.Record) {
	_ = unindexScript.Exec(ctx, s.client, []string{s.name.owner(tombstone.Owner)}, []string{tombstone.Key, formatExpires(tombstone.Expires)}).Error()
}

func (s *Store) indexed(ctx context.Context, owner string) ([]string, error) {
	return listScript.Exec(ctx, s.client, []string{s.name.owner(owner)}, nil).AsStrSlice()
}
