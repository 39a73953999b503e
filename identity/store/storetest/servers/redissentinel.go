package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store/storetest"
)

// A RedisSentinel is a primary with one replica, and a Sentinel that promotes
// the replica when the primary fails: when it has been silent for a minute, or
// for what FailAfter said. A busy machine is not to look like a failure.
type RedisSentinel struct {
	Primary, Replica, Sentinel *Redis
	URL                        string
}

// StartRedisSentinel starts a primary, its replica and a Sentinel, and returns
// when the replica is in sync and the Sentinel knows it.
func StartRedisSentinel(tb testing.TB) *RedisSentinel {
	tb.Helper()
	s := &RedisSentinel{Primary: StartRedis(tb, "--repl-diskless-sync-delay", "0")}
	s.Replica = StartRedis(tb, "--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1 "+strconv.Itoa(s.Primary.Port))
	storetest.Until(tb, func() bool {
		return strings.Contains(s.Replica.MustDo(tb, "INFO", "replication"), "master_link_status:up")
	})
	s.Sentinel = startSentinel(tb, s.Primary.Port)
	storetest.Until(tb, func() bool {
		return strings.Contains(s.Sentinel.MustDo(tb, "INFO", "sentinel"), "slaves=1")
	})
	s.URL = fmt.Sprintf("redis://%s?master_set=main", s.Sentinel.Addr)
	return s
}

// FailAfter makes the Sentinel take a silence of the primary for its failure.
func (s *RedisSentinel) FailAfter(tb testing.TB, silence time.Duration) {
	tb.Helper()
	s.Sentinel.MustDo(tb, "SENTINEL", "SET", "main", "down-after-milliseconds", strconv.FormatInt(silence.Milliseconds(), 10))
}

func startSentinel(tb testing.TB, primary int) *Redis {
	tb.Helper()
	port := FreePort(tb)
	config := fmt.Sprintf(`port %d
bind 127.0.0.1
sentinel monitor main 127.0.0.1 %d 1
sentinel down-after-milliseconds main 60000
sentinel failover-timeout main 5000
`, port, primary)
	file := filepath.Join(directory(tb, nil), "sentinel.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		tb.Fatal(err)
	}
	s := &Redis{Addr: address(port), Port: port}
	s.Process = &Process{Dir: filepath.Dir(file), path: redisProgram(tb), args: []string{file, "--sentinel"}}
	s.ready = func() bool { return listens(s.Addr) }
	s.start(tb)
	return s
}
