package servers

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestRedisKeepsDataOverKill(t *testing.T) {
	t.Parallel()
	r := StartRedis(t, "--appendfsync", "always")
	r.MustDo(t, "SET", "key", "value")
	r.Kill()
	if _, err := r.Do("PING"); err == nil {
		t.Fatal("a killed server answers")
	}
	r.Start(t)
	if got := r.MustDo(t, "GET", "key"); got != "value" {
		t.Errorf("got %q", got)
	}
}

func TestRedisCluster(t *testing.T) {
	t.Parallel()
	c := StartRedisCluster(t)
	if _, err := c.Nodes[0].Do("GET", "foo"); err == nil || !strings.HasPrefix(err.Error(), "MOVED 12182") {
		t.Errorf("got %v, want a redirection to the node of slot 12182", err)
	}
}

func TestRedisSentinel(t *testing.T) {
	t.Parallel()
	s := StartRedisSentinel(t)
	if got := s.Sentinel.MustDo(t, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"); !strings.HasSuffix(s.Primary.Addr, strings.Fields(got)[1]) {
		t.Errorf("sentinel names %q, want %s", got, s.Primary.Addr)
	}
}

func TestPostgresAhead(t *testing.T) {
	t.Parallel()
	p := StartPostgresAhead(t)
	text := p.SQL(t, "postgres", "SELECT extract(epoch FROM clock_timestamp())::bigint")
	seconds, err := strconv.ParseInt(text, 10, 64)
	if ahead := time.Until(time.Unix(seconds, 0)); err != nil || ahead < 59*time.Minute {
		t.Errorf("the server's clock says %s, %v", text, err)
	}
}

func TestPostgresBehindPgBouncer(t *testing.T) {
	t.Parallel()
	p := StartPostgres(t)
	StartPgBouncer(t, p)
	database := p.NewDatabase(t)
	p.SQL(t, database, "CREATE TABLE t (n int); INSERT INTO t VALUES (7)")
	p.Stop(t)
	p.Start(t)
	if got := p.SQL(t, database, "SELECT n FROM t"); got != "7" {
		t.Errorf("got %q", got)
	}
}
