package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// rig is what the proxies stand between: an API and an IdentityServer, in the benchmark's process.
type rig struct {
	b        *testing.B
	api      *httptest.Server
	identity *identitytest.Server
}

// answerSize is how long the API's answer is, in bytes.
const answerSize = 1 << 10

func newRig(b *testing.B) *rig {
	b.Helper()
	answer := []byte(strings.Repeat("x", answerSize))
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = w.Write(answer) // the proxy may have gone
	}))
	b.Cleanup(api.Close)
	// Tokens that last: no renewal is due while the proxies are compared.
	server := identitytest.Start(b, identitytest.Config{Users: loadUsers(), AccessTokenLifetime: time.Hour})
	return &rig{b: b, api: api, identity: server}
}

// loadUsers are those who sign in at the same time.
func loadUsers() []identitytest.User {
	all := make([]identitytest.User, 4)
	for i := range all {
		all[i] = identitytest.User{ID: fmt.Sprintf("0a3e7b1c-0000-4000-8000-00000000000%d", i), Email: loadUser(i), Password: "load", Nickname: "Lo Ad"}
	}
	return all
}

func loadUser(i int) string { return fmt.Sprintf("load-%d@example.com", i) }

// loaded is a proxy, in a process of its own, to be put under load.
type loaded struct {
	b       *testing.B
	name    string
	addr    string
	process *exec.Cmd
	request []byte

	connections []connection
}

// start starts a proxy with that store, or a bare one.
func (r *rig) start(name, store string, quiet bool) *loaded {
	r.b.Helper()
	work := childWork{Store: store, Quiet: quiet, Identity: r.identity.URL(), Upstream: r.api.URL}
	if dir := os.Getenv("E2E_PROFILE"); dir != "" {
		work.Profile = dir + "/" + name + ".pprof"
	}
	encoded, err := json.Marshal(work)
	if err != nil {
		r.b.Fatal(err)
	}
	process := exec.Command(os.Args[0])
	process.Env, process.Stderr = append(os.Environ(), childVariable+"="+string(encoded)), os.Stderr
	input, err := process.StdinPipe()
	if err != nil {
		r.b.Fatal(err)
	}
	output, err := process.StdoutPipe()
	if err != nil {
		r.b.Fatal(err)
	}
	if err := process.Start(); err != nil {
		r.b.Fatal(err)
	}
	r.b.Cleanup(func() {
		_ = input.Close()
		if err := process.Wait(); err != nil {
			r.b.Errorf("%s: %v", name, err)
		}
	})
	addr, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		r.b.Fatalf("%s did not start: %v", name, err)
	}
	p := &loaded{b: r.b, name: name, addr: strings.TrimSpace(addr), process: process}
	cookie := strings.Repeat("x", 43)
	if store != "" {
		if cookie, err = p.signIn(loadUser(0)); err != nil {
			r.b.Fatal(err)
		}
	}
	p.request = fmt.Appendf(nil, "GET /api/frontoffice/v3/x HTTP/1.1\r\nHost: %s\r\nX-Requested-With: fetch\r\nAccept: */*\r\n"+
		"User-Agent: load\r\nSec-Fetch-Site: same-origin\r\nCookie: b2trader-session=%s\r\n\r\n", p.addr, cookie)
	return p
}

// signIn begins a session and returns its cookie's value.
func (p *loaded) signIn(email string) (string, error) {
	form := url.Values{"email": {email}, "password": {"load"}, "client": {"spa"}}
	req, err := http.NewRequestWithContext(p.b.Context(), http.MethodPost, "http://"+p.addr+"/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	for _, c := range resp.Cookies() {
		if c.Name == "b2trader-session" && resp.StatusCode == http.StatusSeeOther {
			return c.Value, nil
		}
	}
	return "", fmt.Errorf("%s: the sign-in gives %s", p.name, resp.Status)
}

// measured is what one proxy did in one round.
type measured struct {
	took []time.Duration // by each request
	wall time.Duration
	cpu  time.Duration // of the proxy's process
}

// rate is in requests a second.
func (m measured) rate() float64 { return float64(len(m.took)) / m.wall.Seconds() }

// load sends requests over so many connections, on each the next as soon as the last is answered.
func (p *loaded) load(connections int, d time.Duration) measured {
	p.b.Helper()
	for len(p.connections) < connections {
		conn, err := new(net.Dialer).DialContext(p.b.Context(), "tcp", p.addr)
		if err != nil {
			p.b.Fatal(err)
		}
		p.b.Cleanup(func() { _ = conn.Close() })
		p.connections = append(p.connections, connection{conn, bufio.NewReader(conn)})
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var m measured
	before, began := p.cpu(), time.Now()
	for _, c := range p.connections[:connections] {
		all.Go(func() {
			took, err := c.drive(p.request, began.Add(d))
			if err != nil {
				p.b.Errorf("%s: %v", p.name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			m.took = append(m.took, took...)
		})
	}
	all.Wait()
	m.wall, m.cpu = time.Since(began), p.cpu()-before
	return m
}

// connection is one to a proxy, kept from round to round.
type connection struct {
	conn   net.Conn
	reader *bufio.Reader
}

// drive uses it until the end, and returns how long each request took.
func (c connection) drive(request []byte, end time.Time) ([]time.Duration, error) {
	if err := c.conn.SetDeadline(end.Add(10 * time.Second)); err != nil {
		return nil, err
	}
	var took []time.Duration
	for began := time.Now(); began.Before(end); {
		if _, err := c.conn.Write(request); err != nil {
			return took, err
		}
		if err := readAnswer(c.reader); err != nil {
			return took, err
		}
		now := time.Now()
		took = append(took, now.Sub(began))
		began = now
	}
	return took, nil
}

// readAnswer reads an answer of 200 with a Content-Length. It does no more than that, for its time is the proxy's, too.
func readAnswer(r *bufio.Reader) error {
	length := -1
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case first && !strings.HasPrefix(string(line), "HTTP/1.1 200 "):
			return fmt.Errorf("the answer is %q", line)
		case strings.HasPrefix(string(line), "Content-Length: "):
			if length, err = strconv.Atoi(strings.TrimSpace(string(line[len("Content-Length: "):]))); err != nil {
				return err
			}
		case len(line) == 2:
			if length != answerSize {
				return errors.New("the answer has another length")
			}
			_, err := r.Discard(length)
			return err
		}
	}
}

// clockTick is the unit of times in /proc, see proc_pid_stat(5): all Linux systems that Go runs on have 100 a second.
const clockTick = time.Second / 100

// cpu is the time that the process has used, user and system.
func (p *loaded) cpu() time.Duration {
	p.b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.process.Process.Pid))
	if err != nil {
		p.b.Skip(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the fields after the name, which may hold anything
	fields := strings.Fields(after)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick
}

// resident is the memory of the process that is in use, in bytes.
func (p *loaded) resident() int {
	p.b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.Process.Pid))
	if err != nil {
		p.b.Skip(err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	kilobytes, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		p.b.Fatal(err)
	}
	return kilobytes << 10
}

// heap is what lives on the heap of the process, in bytes.
func (p *loaded) heap() int {
	p.b.Helper()
	resp, err := http.Get("http://" + p.addr + heapPath)
	if err != nil {
		p.b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.b.Fatal(err)
	}
	n, err := strconv.Atoi(string(body))
	if err != nil {
		p.b.Fatal(err)
	}
	return n
}
