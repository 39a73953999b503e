package servers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A Redis is one server. It keeps what it acknowledged in a file, so that it is there after Kill and Start.
type Redis struct {
	*Process
	Addr string // host:port
	Port int
}

// StartRedis starts redis-server, or the program that B2TRADER_TEST_REDIS_SERVER names, such as valkey-server.
func StartRedis(tb testing.TB, options ...string) *Redis {
	tb.Helper()
	port := FreePort(tb)
	r := &Redis{Addr: address(port), Port: port}
	args := []string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"}
	r.Process = &Process{Dir: directory(tb, nil), path: redisProgram(tb), args: append(args, options...)}
	r.ready = func() bool {
		answer, err := r.Do("PING")
		return err == nil && answer == "PONG"
	}
	r.start(tb)
	return r
}

func redisProgram(tb testing.TB) string {
	tb.Helper()
	if name := os.Getenv("B2TRADER_TEST_REDIS_SERVER"); name != "" {
		return Program(tb, name)
	}
	return Program(tb, "redis-server")
}

// URL returns redis://host:port with a database number.
func (r *Redis) URL(database int) string { return fmt.Sprintf("redis://%s/%d", r.Addr, database) }

// Do sends one command on a connection of its own and returns the answer, lines of a list joined by spaces.
func (r *Redis) Do(args ...string) (string, error) { return r.send(args) }

// Atomically sends commands as one transaction, before and after which the server does other things, but not in
// between.
func (r *Redis) Atomically(tb testing.TB, commands ...[]string) {
	tb.Helper()
	commands = append(append([][]string{{"MULTI"}}, commands...), []string{"EXEC"})
	if _, err := r.send(commands...); err != nil {
		tb.Fatal(err)
	}
}

// send sends commands on a connection of their own and returns the answer to the last.
func (r *Redis) send(commands ...[]string) (last string, err error) {
	conn, err := dial(r.Addr)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, args := range commands {
		fmt.Fprintf(&b, "*%d\r\n", len(args))
		for _, arg := range args {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
		}
	}
	if _, err := io.WriteString(conn, b.String()); err != nil {
		return "", err
	}
	answers := bufio.NewReader(conn)
	for range commands {
		if last, err = answer(answers); err != nil {
			return "", err
		}
	}
	return last, nil
}

// answer reads a reply: https://redis.io/docs/latest/develop/reference/protocol-spec/.
func answer(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	kind, text := line[0], strings.TrimRight(line[1:], "\r\n")
	n, _ := strconv.Atoi(text)
	switch kind {
	case '-':
		return "", errors.New(text)
	case '$':
		if n < 0 {
			return "", nil
		}
		body := make([]byte, n+2)
		_, err := io.ReadFull(r, body)
		return string(body[:n]), err
	case '*':
		var items []string
		for range n {
			item, err := answer(r)
			if err != nil {
				return "", err
			}
			items = append(items, item)
		}
		return strings.Join(items, " "), nil
	default:
		return text, nil
	}
}

// MustDo is Do for commands that must not fail.
func (r *Redis) MustDo(tb testing.TB, args ...string) string {
	tb.Helper()
	s, err := r.Do(args...)
	if err != nil {
		tb.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return s
}

// Calls returns how often the server has carried out a command.
func (r *Redis) Calls(tb testing.TB, command string) int {
	tb.Helper()
	for line := range strings.Lines(r.MustDo(tb, "INFO", "commandstats")) {
		if rest, found := strings.CutPrefix(line, "cmdstat_"+command+":calls="); found {
			count, _, _ := strings.Cut(rest, ",")
			n, err := strconv.Atoi(count)
			if err != nil {
				tb.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// A RedisCluster has its slots spread over primaries without replicas.
type RedisCluster struct {
	Nodes []*Redis
	URL   string
}

// StartRedisCluster starts three nodes.
func StartRedisCluster(tb testing.TB) *RedisCluster {
	tb.Helper()
	c := &RedisCluster{}
	const n, slots = 3, 16384
	for i := range n {
		node := StartRedis(tb, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(FreePort(tb)), "--cluster-node-timeout", "2000")
		node.MustDo(tb, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/n), strconv.Itoa((i+1)*slots/n-1))
		c.Nodes = append(c.Nodes, node)
	}
	for _, node := range c.Nodes[1:] {
		_, bus, _ := strings.Cut(node.MustDo(tb, "CONFIG", "GET", "cluster-port"), " ")
		c.Nodes[0].MustDo(tb, "CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(node.Port), bus)
	}
	for _, node := range c.Nodes {
		Until(tb, func() bool {
			info := node.MustDo(tb, "CLUSTER", "INFO")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
	c.URL = fmt.Sprintf("redis://%s?addr=%s&addr=%s", c.Nodes[0].Addr, c.Nodes[1].Addr, c.Nodes[2].Addr)
	return c
}

// A RedisSentinel watches a primary and its replica and swaps them when the primary is gone.
type RedisSentinel struct {
	Primary, Replica, Sentinel *Redis
	URL                        string
}

// StartRedisSentinel starts the three.
func StartRedisSentinel(tb testing.TB) *RedisSentinel {
	tb.Helper()
	s := &RedisSentinel{Primary: StartRedis(tb, "--repl-diskless-sync-delay", "0")}
	s.Replica = StartRedis(tb, "--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1 "+strconv.Itoa(s.Primary.Port))
	Until(tb, func() bool {
		return strings.Contains(s.Replica.MustDo(tb, "INFO", "replication"), "master_link_status:up")
	})
	s.Sentinel = startSentinel(tb, s.Primary.Port)
	Until(tb, func() bool {
		return strings.Contains(s.Sentinel.MustDo(tb, "INFO", "sentinel"), "slaves=1")
	})
	s.URL = fmt.Sprintf("redis://%s?master_set=main", s.Sentinel.Addr)
	return s
}

func startSentinel(tb testing.TB, primary int) *Redis {
	tb.Helper()
	port := FreePort(tb)
	config := fmt.Sprintf(`port %d
bind 127.0.0.1
sentinel monitor main 127.0.0.1 %d 1
sentinel down-after-milliseconds main 1000
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
