package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/pgstore"
	"b2trader.identity.auth/identity/store/redisstore"
	"b2trader.identity.auth/identity/store/sqlitestore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web"
)

// childVariable is the environment variable with the work of a process that a
// benchmark started.
const childVariable = "E2E_CHILD"

// childWork describes the proxy that such a process serves until its standard
// input ends.
type childWork struct {
	Store    string // as the demo's -store; empty: a bare ReverseProxy
	Quiet    bool   // no access log
	Identity string // URL of the IdentityServer
	Upstream string // URL of the API
	Profile  string // file for a CPU profile; empty: none
}

// child serves the proxy. It prints its address as the first line.
func child(encoded string) error {
	var work childWork
	if err := json.Unmarshal([]byte(encoded), &work); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	upstream, err := url.Parse(work.Upstream)
	if err != nil {
		return err
	}
	handler := bareProxy(upstream)
	if work.Store != "" {
		if handler, err = siteProxy(work, "http://"+listener.Addr().String()); err != nil {
			return err
		}
	}
	server := &http.Server{
		Handler: withHeap(handler), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 2 * time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10, // as the demo has it
	}
	if work.Profile != "" {
		file, err := os.Create(work.Profile)
		if err != nil {
			return err
		}
		defer func() { pprof.StopCPUProfile(); _ = file.Close() }()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // standard input ends with the benchmark
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bareProxy is the standard of comparison: a well tuned httputil.ReverseProxy.
func bareProxy(upstream *url.URL) http.Handler {
	token := strings.Repeat("x", 900)
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.Header.Set("Authorization", "Bearer "+token)
			r.Out.Header.Del("Cookie")
		},
		Transport: web.NewAPITransport(), BufferPool: make(buffers, 64),
	}
}

// buffers is an httputil.BufferPool.
type buffers chan []byte

// Get implements httputil.BufferPool.
func (b buffers) Get() []byte {
	select {
	case buffer := <-b:
		return buffer
	default:
		return make([]byte, 32<<10)
	}
}

// Put implements httputil.BufferPool.
func (b buffers) Put(buffer []byte) {
	select {
	case b <- buffer:
	default:
	}
}

// siteProxy is the site with a store. It writes its access log to /dev/null.
func siteProxy(work childWork, public string) (http.Handler, error) {
	sessions, err := openStore(context.Background(), work.Store)
	if err != nil {
		return nil, err
	}
	client, err := identity.New(identity.Config{URL: work.Identity, ClientID: identity.ClientSPA, HTTP: tokenapi.HTTP{Observe: web.Observe}})
	if err != nil {
		return nil, err
	}
	devNull, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	level := slog.LevelInfo
	if work.Quiet {
		level = slog.LevelWarn
	}
	return web.New(web.Config{
		Clients: []*identity.Client{client}, PublicURL: public, FrontOfficeURL: work.Upstream + "/frontoffice",
		Store: sessions, Keys: []vault.Key{vault.NewKey("load")}, AttemptsPerAccount: math.MaxInt32, AttemptsPerAddress: math.MaxInt32,
		Logger: slog.New(slog.NewJSONHandler(devNull, &slog.HandlerOptions{Level: level})),
	})
}

func openStore(ctx context.Context, name string) (store.Store, error) {
	kind, rest, _ := strings.Cut(name, ":")
	switch kind {
	case "sqlite":
		return sqlitestore.Open(ctx, sqlitestore.Config{File: rest})
	case "redis":
		return redisstore.Open(ctx, redisstore.Config{URL: name})
	case "postgres":
		return pgstore.Open(ctx, pgstore.Config{URL: name})
	}
	return memstore.New(), nil
}

// heapPath answers with the bytes on the live heap.
const heapPath = "/heap"

func withHeap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != heapPath {
			next.ServeHTTP(w, r)
			return
		}
		runtime.GC()
		debug.FreeOSMemory() // empties pools by a second collection, and returns free memory
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		_, _ = fmt.Fprint(w, stats.HeapAlloc)
	})
}
