package servers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A Redis is a server that keeps its records in a file, so that they are there
// after Kill and Start.
type Redis struct {
	*Process
	Addr string // host:port
	Port int
}

// StartRedis starts redis-server, or the program that
// B2TRADER_TEST_REDIS_SERVER names, such as valkey-server.
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

// Do sends a command on a connection of its own and returns the answer. The
// items of a list are joined by spaces.
func (r *Redis) Do(args ...string) (string, error) { return r.send(args) }

// send sends commands on a connection of their own and returns the last answer.
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

// answer reads a reply. Source:
// https://redis.io/docs/latest/develop/reference/protocol-spec/.
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

// Calls returns how many times the server has carried out a command.
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
