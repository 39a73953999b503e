package e2e

import (
	"bufio"
	"encoding/json"
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

// rig is an API and an IdentityServer in the process of the benchmark. The
// proxies run in processes of their own.
type rig struct {
	b        *testing.B
	api      *httptest.Server
	identity *identitytest.Server
}

// answerSize is the length of the API's answer in bytes.
const answerSize = 1 << 10

func newRig(b *testing.B) *rig {
	b.Helper()
	answer := []byte(strings.Repeat("x", answerSize))
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = w.Write(answer) // an error means that the proxy hung up
	}))
	b.Cleanup(api.Close)
	server := identitytest.Start(b, identitytest.Config{Users: loadUsers(), AccessTokenLifetime: longLife})
	return &rig{b: b, api: api, identity: server}
}

// loadUsers are the accounts that sign in at the same time.
func loadUsers() []identitytest.User {
	all := make([]identitytest.User, 4)
	for i := range all {
		all[i] = identitytest.User{ID: fmt.Sprintf("0a3e7b1c-0000-4000-8000-00000000000%d", i), Email: loadUser(i), Password: "load", Nickname: "Lo Ad"}
	}
	return all
}

func loadUser(i int) string { return fmt.Sprintf("load-%d@example.com", i) }

// loaded is a proxy in a process of its own.
type loaded struct {
	b       *testing.B
	name    string
	addr    string
	process *exec.Cmd
	request []byte

	connections []connection
}

// gogc is the environment variable by which the container image tunes the
// garbage collector. The bare proxy gets it, too.
const gogc = "GOGC=400"

// start starts a proxy with a store. Without a store it is a bare
// httputil.ReverseProxy.
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
	process.Env, process.Stderr = append(os.Environ(), gogc, childVariable+"="+string(encoded)), os.Stderr
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

// signIn signs in and returns the value of the session cookie.
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
	return "", fmt.Errorf("%s: the sign-in = %s", p.name, resp.Status)
}

// measured is the result of one proxy in one round.
type measured struct {
	took []time.Duration // of each request
	wall time.Duration
	cpu  time.Duration // of the process of the proxy
}

// rate returns the requests per second.
func (m measured) rate() float64 { return float64(len(m.took)) / m.wall.Seconds() }

// load sends requests over that many connections. Each connection sends the
// next request when the last is answered.
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

// connection is a connection to a proxy. It is kept from round to round.
type connection struct {
	conn   net.Conn
	reader *bufio.Reader
}

// drive sends requests until end and returns the duration of each.
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

// readAnswer reads an answer of 200 with a Content-Length. It does no more,
// because its time counts as the proxy's.
func readAnswer(r *bufio.Reader) error {
	length := -1
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case first && !strings.HasPrefix(string(line), "HTTP/1.1 200 "):
			return fmt.Errorf("answer = %q, want 200", line)
		case strings.HasPrefix(string(line), "Content-Length: "):
			if length, err = strconv.Atoi(strings.TrimSpace(string(line[len("Content-Length: "):]))); err != nil {
				return err
			}
		case len(line) == 2:
			if length != answerSize {
				return fmt.Errorf("Content-Length = %d, want %d", length, answerSize)
			}
			_, err := r.Discard(length)
			return err
		}
	}
}

// clockTick is the unit of times in /proc, see proc_pid_stat(5). It is 1/100 s
// on all Linux systems that Go supports.
const clockTick = time.Second / 100

// cpu returns the CPU time of the process, user and system.
func (p *loaded) cpu() time.Duration {
	p.b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.process.Process.Pid))
	if err != nil {
		p.b.Skip(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name before may contain spaces
	fields := strings.Fields(after)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick
}

// resident returns the resident memory of the process in bytes.
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

// heap returns the live heap of the process in bytes.
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
