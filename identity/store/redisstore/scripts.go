package redisstore

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/rueidis"

	"b2trader.identity.auth/identity/store"
)

// Each script uses one key, so it runs at the server of that key. It uses the
// clock of that server. The next version of a record is the time in
// microseconds, or the last version plus one if that is higher. An error of
// PUBLISH is ignored, because the write is done.
const clock = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function after(version)
	return string.format('%016.0f', math.max(time[1] * 1000000 + time[2], tonumber(version) + 1))
end
`

// putScript puts a record. A server whose memory is full refuses SET unless the
// script has changed something before: then DEL comes first, so that sessions
// that exist go on. KEYS: record. ARGV: version, expires, owner with length,
// value, "1" if the list of the owner lives long enough, channel, key.
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
local function set() return redis.pcall('SET', KEYS[1], version .. '+' .. ARGV[2] .. ARGV[3] .. ARGV[4], 'PXAT', ARGV[2]) end
local answer = set()
if old ~= '' and answer.err and string.find(answer.err, 'OOM', 1, true) then
	redis.call('DEL', KEYS[1])
	answer = set()
end
if answer.err then return answer end
redis.pcall('PUBLISH', ARGV[6], version .. '+' .. ARGV[7])
return {'done', version}
`)

// deleteScript replaces a record by a tombstone and returns the tombstone, or ""
// if there is no record. DEL comes first, because a server whose memory is full
// refuses SET unless the script has changed something before. KEYS: record.
// ARGV: channel, key.
var deleteScript = rueidis.NewLuaScript(clock + `
local old = redis.call('GETRANGE', KEYS[1], 0, 33)
if old == '' then return '' end
old = redis.call('GETRANGE', KEYS[1], 0, 33 + tonumber(string.sub(old, 31, 34)))
if string.sub(old, 17, 17) == '-' then return old end
local version = after(string.sub(old, 1, 16))
local tombstone = version .. '-' .. string.sub(old, 18)
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], tombstone, 'PXAT', string.sub(old, 18, 30))
redis.pcall('PUBLISH', ARGV[1], version .. '-' .. ARGV[2])
return tombstone
`)

// indexScript adds a key to the list of an owner, which is a sorted set by
// expiry. It never shortens an expiry, so that no record outlives its place in
// the list. KEYS: list. ARGV: key, expires.
var indexScript = rueidis.NewLuaScript(clock + `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not known or tonumber(known) < tonumber(ARGV[2]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
if redis.call('PTTL', KEYS[1]) < ARGV[2] - now then redis.call('PEXPIREAT', KEYS[1], ARGV[2]) end
return 1
`)

// unindexScript removes a key from the list of an owner, unless the key was
// created again since and so has a later expiry. KEYS: list. ARGV: key, expires
// of its tombstone.
var unindexScript = rueidis.NewLuaScript(`
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if known and tonumber(known) <= tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1
`)

// listScript returns the keys in the list of an owner. KEYS: list.
var listScript = rueidis.NewLuaScript(clock + `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return redis.call('ZRANGE', KEYS[1], 0, -1)
`)

// Codes in the answer of putScript.
const (
	mustIndex = "index"
	done      = "done"
)

// An answer is the answer of putScript.
type answer struct {
	code    string
	version uint64
}

func (a answer) result() (uint64, error) {
	switch a.code {
	case done:
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

// put runs putScript. If r replaces a record, it also repairs the list of the
// owner meanwhile.
func (s *Store) put(ctx context.Context, r store.Record, indexed bool) (answer, error) {
	repaired := make(chan struct{})
	if r.Version != 0 && !indexed {
		go func() {
			defer close(repaired)
			_ = s.index(ctx, r) // an error changes nothing, and the next swap tries again
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
		return answer{}, fmt.Errorf("the script returned %d fields, want 2", len(fields))
	}
	version, err := strconv.ParseUint(fields[1], 10, 63)
	return answer{code: fields[0], version: version}, err
}

// delete runs deleteScript and returns the tombstone.
func (s *Store) delete(ctx context.Context, key string) (stored, error) {
	text, err := deleteScript.Exec(ctx, s.client, []string{s.name.record(key)}, []string{s.name.channel(), key}).ToString()
	if err != nil || text == "" {
		return stored{}, err
	}
	return parseRecord(key, text)
}

func (s *Store) index(ctx context.Context, r store.Record) error {
	return indexScript.Exec(ctx, s.client, []string{s.name.owner(r.Owner)}, []string{r.Key, formatExpires(r.Expires)}).Error()
}

// unindex ignores errors, because List skips tombstones.
func (s *Store) unindex(ctx context.Context, tombstone store.Record) {
	_ = unindexScript.Exec(ctx, s.client, []string{s.name.owner(tombstone.Owner)}, []string{tombstone.Key, formatExpires(tombstone.Expires)}).Error()
}

func (s *Store) indexed(ctx context.Context, owner string) ([]string, error) {
	return listScript.Exec(ctx, s.client, []string{s.name.owner(owner)}, nil).AsStrSlice()
}
