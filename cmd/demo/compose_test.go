package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"b2trader.identity.auth/identity/store/storetest/servers"
)

// A composition is what compose.yaml says.
type composition struct {
	Name      string
	Services  map[string]service
	Configs   map[string]struct{ Content string }
	Volumes   map[string]any
	Templates map[string]any `yaml:",inline"`
}

type service struct {
	Image       string
	Build       struct{ Context, Dockerfile string }
	NetworkMode string `yaml:"network_mode"`
	Entrypoint  []string
	Command     []string
	Environment map[string]string
	Ports       []string
	Volumes     []string
	Configs     []struct{ Source, Target string }
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	HealthCheck struct {
		Test     []string
		Interval string
		Retries  int
	}

	ReadOnly        bool     `yaml:"read_only"`
	CapDrop         []string `yaml:"cap_drop"`
	SecurityOpt     []string `yaml:"security_opt"`
	StopGracePeriod string   `yaml:"stop_grace_period"`
}

// readComposition reads compose.yaml after a replacement in its text.
func readComposition(t *testing.T, replace func(text string) string) composition {
	t.Helper()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(strings.NewReader(replace(string(text))))
	decoder.KnownFields(true)
	var c composition
	if err := decoder.Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

func (s service) isDemo() bool { return s.Build.Dockerfile != "" }

func (s service) env() []string {
	var env []string
	for name, value := range s.Environment {
		env = append(env, name+"="+value)
	}
	return env
}

// pinned matches an image with a tag that is a version.
var pinned = regexp.MustCompile(`^[a-z/]+:\d+\.\d+$`)

// What compose.yaml names exists, images have versions, and no other machine
// can reach the services.
func TestCompose(t *testing.T) { // field 4
	t.Parallel()
	c := readComposition(t, func(text string) string { return text })
	for name := range c.Templates {
		if !strings.HasPrefix(name, "x-") {
			t.Errorf("compose.yaml has %s, which Compose does not know", name)
		}
	}
	for name, s := range c.Services {
		if s.isDemo() {
			if _, problems, err := parse(s.Command, s.env(), io.Discard); err != nil || len(problems) > 0 {
				t.Errorf("%s has problems: %v %v", name, err, problems)
			}
			if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
				t.Errorf("%s may write or gain privileges", name)
			}
		} else if !pinned.MatchString(s.Image) {
			t.Errorf("%s has the image %s, want one with a version", name, s.Image)
		}
		for other := range s.DependsOn {
			if _, found := c.Services[other]; !found {
				t.Errorf("%s depends on %s, which is no service", name, other)
			}
		}
		for _, volume := range s.Volumes {
			if _, found := c.Volumes[strings.Split(volume, ":")[0]]; !found {
				t.Errorf("%s mounts %s, which is no volume", name, volume)
			}
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s publishes %s, want loopback only", name, port)
			}
		}
		if want := []string{"none", "service:load-balancer"}; len(s.Ports) == 0 && !slices.Contains(want, s.NetworkMode) {
			t.Errorf("%s has the network %q, want one of %q", name, s.NetworkMode, want)
		}
	}
}

// composed runs the services of compose.yaml as processes.
type composed struct {
	composition
	t   *testing.T
	dir string // in place of the volume of keys
}

// compose gives each port of compose.yaml a free one, and the files to the user
// that runs the test.
func compose(t *testing.T) *composed {
	t.Helper()
	c, ports := &composed{t: t, dir: t.TempDir()}, map[string]string{}
	c.composition = readComposition(t, func(text string) string {
		text = regexp.MustCompile(`\b\d{4}\b`).ReplaceAllStringFunc(text, func(port string) string {
			if ports[port] == "" {
				ports[port] = strconv.Itoa(servers.FreePort(t))
			}
			return ports[port]
		})
		return strings.NewReplacer("/run/keys", c.dir, "65532:65532", fmt.Sprint(os.Getuid(), ":", os.Getgid())).Replace(text)
	})
	return c
}

// start starts a command of a service until the test ends.
func (c *composed) start(name string, command []string, env ...string) *exec.Cmd {
	c.t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.t.TempDir(), &log, &log
	cmd.Env = slices.Concat(env, []string{"HOME=" + cmd.Dir})
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if c.t.Failed() {
			c.t.Logf("%s wrote:\n%s", name, &log)
		}
	})
	return cmd
}

// succeeds waits until a command exits with 0.
func (c *composed) succeeds(name string, command []string, env ...string) {
	c.t.Helper()
	until(c.t, "success of "+name, func() bool {
		cmd := exec.CommandContext(c.t.Context(), command[0], command[1:]...)
		cmd.Env = append(os.Environ(), env...)
		return cmd.Run() == nil
	})
}

// startDemo starts a service that is the demo, and waits until it is healthy.
func (c *composed) startDemo(name string) *exec.Cmd {
	c.t.Helper()
	program, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	s := c.Services[name]
	env := append(s.env(), asDemo+"=1")
	cmd := c.start(name, append([]string{program}, s.Command...), env...)
	c.succeeds("the health check of "+name, []string{program, "-healthcheck"}, env...)
	return cmd
}

// makeKeys runs the command of session-keys, and returns the file that it made.
func (c *composed) makeKeys() string {
	c.t.Helper()
	s := c.Services["session-keys"]
	c.succeeds("session-keys", slices.Concat(s.Entrypoint, []string{strings.ReplaceAll(s.Command[0], "$$", "$")}))
	file := filepath.Join(c.dir, "session-keys")
	content, err := os.ReadFile(file)
	if info, statErr := os.Stat(file); err != nil || statErr != nil || info.Mode().Perm() != 0o600 {
		c.t.Errorf("session-keys has made %v (%v), want a file of its user only", info, err)
	}
	return string(content)
}

// The commands of compose.yaml start two replicas that share their sessions.
// The load balancer loses no request when one of them is killed.
func TestComposedReplicas(t *testing.T) { // field 4
	t.Parallel()
	caddy, _, _ := servers.Program(t, "caddy"), servers.Program(t, "redis-server"), servers.Program(t, "redis-cli")
	c := compose(t)
	if first, second := c.makeKeys(), c.makeKeys(); first != second {
		t.Error("a second start has replaced the key")
	}
	c.start("redis", c.Services["redis"].Command, "PATH="+os.Getenv("PATH"))
	c.succeeds("the health check of redis", c.Services["redis"].HealthCheck.Test[1:])
	c.startDemo("identity-server")
	first := c.startDemo("app-1")
	c.startDemo("app-2")
	c.start("load-balancer", []string{caddy, "run", "--adapter", "caddyfile", "--config", secretFile(t, c.Configs["caddyfile"].Content)})

	site, browser := c.Services["app-1"].Environment["B2TRADER_PUBLIC_URL"], newBrowser(t)
	until(t, "answer of the load balancer", func() bool { return get(t.Context(), browser, site+"/readyz") == http.StatusOK })
	if got := post(t.Context(), browser, site+"/sign-in", traderForm); got != http.StatusSeeOther {
		t.Fatalf("a sign-in = %d, want 303", got)
	}
	for _, name := range []string{"app-1", "app-2"} {
		replica := strings.Replace("http://"+c.Services[name].Environment["B2TRADER_ADDR"], "127.0.0.1", "localhost", 1)
		if got := get(t.Context(), browser, replica+"/account"); got != http.StatusOK {
			t.Errorf("the session at %s = %d, want 200", name, got)
		}
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if got := get(t.Context(), browser, site+"/account"); got != http.StatusOK {
			t.Errorf("the session after app-1 was killed = %d, want 200", got)
		}
	}
}
